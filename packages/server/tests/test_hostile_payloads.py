"""RESTORE is open to whoever may write: no payload, however made, gets more than an error or a sound value."""

from __future__ import annotations

import random

from cutaway.persistence import crc64
from cutaway.resp import ReplyError

MAKE = """
SET string value
SET number 123456
RPUSH list a b c 1 2 3
SADD ints 1 2 300000
SADD words a b 1
HSET hash f v g 1
ZADD scores 1.5 a -inf b 3 c
XADD stream 1-1 f v
XADD stream 2-1 f v g w
XGROUP CREATE stream group 0
XREADGROUP GROUP group me COUNT 1 STREAMS stream >
"""
MOST_GROWTH = 100 << 20


def sealed(body: bytes) -> bytes:
    """The payload with a checksum that is right."""
    return body + crc64(body).to_bytes(8, "little")


def mutants(payload: bytes, dice: random.Random):
    """Every byte changed once, every length cut once, and bytes put in, all with the right checksum."""
    body = payload[:-8]
    for at in range(len(body) - 2):
        yield sealed(body[:at] + bytes((dice.randrange(256),)) + body[at + 1 :])
        yield sealed(body[:at] + body[-2:])
        yield sealed(
            body[:at] + dice.choice((b"\x81" + b"\xff" * 8, b"\xc3", b"\x80\x7f\xff\xff\xff")) + body[at:]
        )


def test_no_payload_of_restore_gets_more_than_an_error_or_a_sound_value(start):
    server = start("--save", "", "--enable-debug-command", "yes")
    peer = server.connect()
    dice = random.Random(7)
    for line in MAKE.strip().splitlines():
        peer.ask(*line.split())
    before = server.resident_bytes()
    taken = refused = 0
    for key in ("string", "number", "list", "ints", "words", "hash", "scores", "stream"):
        payload = peer.ask("DUMP", key)
        assert isinstance(payload, bytes)
        for mutant in mutants(payload, dice):
            reply = peer.ask("RESTORE", "target", 0, mutant, "REPLACE")
            if reply == "OK":
                taken += 1
                assert not isinstance(peer.ask("DEBUG", "DIGEST-VALUE", "target"), ReplyError)
            else:
                refused += 1
                assert str(reply) in ("ERR Bad data format", "ERR DUMP payload version or checksum are wrong")
    for _ in range(200):
        size = dice.randrange(40)
        version = dice.randrange(12).to_bytes(2, "little")
        reply = peer.ask("RESTORE", "target", 0, sealed(dice.randbytes(size) + version), "REPLACE")
        assert reply == "OK" or isinstance(reply, ReplyError)
    assert taken > 20
    assert refused > 100
    assert server.resident_bytes() - before < MOST_GROWTH
    assert "Traceback" not in server.log.read_text()
