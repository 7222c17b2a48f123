"""The listpack of a small sorted set is, byte for byte, the one a real server puts into a DUMP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cutaway.datastructures import SortedSetValue
from cutaway.testing.fixtures import real_or_skip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cutaway.testing import Peer

ZSET_LISTPACK = 17  # the type byte of this encoding in an RDB file
FOOTER = 10  # two bytes of version and eight of checksum close a DUMP


def listpack(server: Peer, pairs: dict[bytes, bytes]) -> bytes:
    """Return the listpack of a sorted set to which these members are added in this order."""
    server.ask("DEL", "k")
    for member, score in pairs.items():
        server.ask("ZADD", "k", score, member)
    dump = server.ask("DUMP", "k")
    assert isinstance(dump, bytes)
    assert dump[0] == ZSET_LISTPACK
    first = dump[1]
    if first < 0x40:  # a length of 6 bits, of 14 bits, of 32 bits
        start, size = 2, first
    elif first < 0x80:
        start, size = 3, (first & 0x3F) << 8 | dump[2]
    else:
        start, size = 6, int.from_bytes(dump[2:6], "big")
    assert start + size + FOOTER == len(dump)
    return dump[start : start + size]


@pytest.fixture(scope="module", params=["redis", "valkey"])
def server(request: pytest.FixtureRequest) -> Iterator[Peer]:
    with real_or_skip(request.param, "--rdbcompression", "no") as real, real.connect() as peer:
        yield peer


# What both print alike: integers of every width, and fractions that are exact in binary.
PLAIN = b"0 -0 1 -1 127 128 -4096 4096 1.5 -0.5 65536.25 inf -inf 1e15 -1e15 2147483648".split()
PLAIN += b"4611686018427387904 -4611686018427387904 3.0000000000000001".split()
# What only the newer server prints as the shortest text.
SHORTEST = b"0.1 -0.1 3.14159 1e-7 1.5e-7 0.001 0.00012 0.00001234567 123e-9 12345.12345678".split()
SHORTEST += b"1234.123456789 12345.1234567 1e20 1e21 1e22 123456789e15 4611686018427387905e1".split()
SHORTEST += b"9223372036854775807 1.7976931348623157e308 5e-324 -2.5e-100 6917529027641081856".split()
SHORTEST += b"99999999999999999999 1e300 1.234e17 123456.7 0.1e-3".split()
MEMBERS = [b"", b"a", b"7", b"-7", b"007", b"123456789012", b"x" * 63, b"y" * 64, b"z z\r\n"]


def ours(pairs: dict[bytes, bytes]) -> bytes:
    value = SortedSetValue()
    for member, score in pairs.items():
        value.add(member, float(score))
    value.check()
    assert value.pack is not None
    return bytes(value.pack)


def test_scores_that_every_server_writes_alike(server: Peer) -> None:
    pairs = {b"m%d" % number: score for number, score in enumerate(PLAIN)}
    assert ours(pairs) == listpack(server, pairs)


def test_scores_in_their_shortest_text(server: Peer) -> None:
    told = server.ask_bytes("INFO", "server")
    if b"redis_version:7.0" in told and b"valkey" not in told:
        pytest.skip("this server still writes seventeen digits")
    for score in SHORTEST:
        assert ours({b"m": score}) == listpack(server, {b"m": score}), score


def test_members_of_every_kind_and_ties(server: Peer) -> None:
    pairs = {member: b"%d" % (number % 2) for number, member in enumerate(MEMBERS)}
    assert ours(pairs) == listpack(server, pairs)


def test_changed_scores_move_their_pairs(server: Peer) -> None:
    pairs = {b"m%d" % (number * 7 % 40): b"%d" % (number * 11 % 17) for number in range(120)}
    assert ours(pairs) == listpack(server, pairs)
