"""The contract of reading a string from a snapshot: every form in which one may have been written, and nothing beyond its end.

The strings are written by the house's own encoder, or by hand where it would choose another form. A real server reads them out of a
RESTORE payload.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from hypothesis import strategies as st

from cutaway.datastructures import lzf
from cutaway.learn.carets import first_difference
from cutaway.learn.lessons import Said, Scene
from cutaway.learn.rules import Suite
from cutaway.persistence import crc64
from cutaway.persistence.rdb_format import encode_length
from cutaway.resp import encode_request

suite: Final = Suite("persistence.rdb-string")

RDB_VERSION: Final = 10


@dataclass(frozen=True, slots=True)
class Written:
    """A string in one of its forms: the bytes, where the header ends, what it says, and the string."""

    data: bytes
    header: int
    form: str
    value: bytes


class Tape:
    """What the reader takes from: exactly so many bytes, or EOFError."""

    def __init__(self, data: bytes, scene: Scene) -> None:
        self.data = data
        self.at = 0
        self._scene = scene

    def take(self, size: int) -> bytes:
        """The next `size` bytes."""
        piece = self.data[self.at : self.at + size]
        self._scene.tell("take", str(size))
        if size < 0 or len(piece) < size:
            self._scene.lesson.told[-1] = ("take", f"{size}  →  EOFError: only {len(piece)} bytes are left")
            raise EOFError(f"take({size}), and only {len(piece)} bytes are left")
        self._scene.gave(piece)
        self.at += size
        return piece


def judge(part: Any, written: Written, after: bytes = b"") -> None:
    """Let the reader read one string that is followed by other bytes."""
    with Scene(ask=restore(written), ask_shows=1) as scene:
        tape = Tape(written.data + after, scene)
        try:
            got = part(tape.take)
        except EOFError:
            scene.mark("the bytes", tape.data, tape.at, f"{written.form}; you wanted more than there is")
            scene.fail("This string is whole, and yet it was read beyond its end.", expected=written.value)
        if got != written.value:
            shift = first_difference(written.value, got) if isinstance(got, bytes) and written.header else 0
            at = min(written.header + shift, len(written.data)) if shift else 0
            scene.mark("the bytes", tape.data, at, written.form)
        elif tape.at != len(written.data):
            scene.mark(
                "the bytes",
                tape.data,
                tape.at,
                f"you stopped here; the string ends at byte {len(written.data)}",
            )
            scene.fail("The value is right, but what follows it would be read from the wrong place.")
        scene.expect(written.value, got)


def restore(written: Written) -> bytes:
    """Requests that let a real server read the same bytes."""
    body = b"\x00" + written.data + RDB_VERSION.to_bytes(2, "little")
    payload = body + crc64(body).to_bytes(8, "little")
    return encode_request([b"RESTORE", b"k", b"0", payload]) + encode_request([b"GET", b"k"])


def plain(value: bytes, width: int = 0) -> Written:
    """A length and the bytes; `width` chooses a wider form of the length than it needs."""
    size = len(value)
    header = encode_length(size)
    if width == 14:
        header = (0x4000 | size).to_bytes(2, "big")
    elif width == 32:
        header = b"\x80" + size.to_bytes(4, "big")
    elif width == 64:
        header = b"\x81" + size.to_bytes(8, "big")
    bits = {1: 6, 2: 14, 5: 32, 9: 64}[len(header)]
    return Written(header + value, len(header), f"a length of {size} in {bits} bits", value)


def integer(value: int, size: int) -> Written:
    """A number in 1, 2 or 4 bytes."""
    mark = {1: 0xC0, 2: 0xC1, 4: 0xC2}[size]
    data = bytes((mark,)) + value.to_bytes(size, "little", signed=True)
    return Written(data, 0, f"the integer {value} in {size} byte{'s' if size > 1 else ''}", b"%d" % value)


def compressed(value: bytes) -> Written:
    """A string that LZF makes shorter."""
    packed = lzf.compress(value, len(value) - 1)
    if packed is None:
        return plain(value)
    data = b"\xc3" + encode_length(len(packed)) + encode_length(len(value)) + packed
    return Written(data, 0, f"LZF, {len(packed)} bytes that stand for {len(value)}", value)


small = st.binary(max_size=12) | st.sampled_from([b"", b"hello", b"\r\n", b"\xc0\x01", b"\x00" * 3])
after = st.sampled_from([b"", b"\x05other", b"\xff\xff\xff\xff"])


@suite.rule(
    "A length below 64 is one byte, and the string follows",
    "The first two bits are 00 and the other six are the length. Take exactly so many bytes; the next value in the file begins right behind "
    "them. An empty string is a single zero byte.",
    value=small,
    behind=after,
    examples=60,
)
def six_bits(part: Any, value: bytes, behind: bytes) -> None:
    judge(part, plain(value), behind)


@suite.rule(
    "01 in front: fourteen bits of length, big-endian",
    "Six bits of this byte and eight of the next, the first the higher ones. Lengths are big-endian here, though the integers of the same file "
    "are not.",
    value=st.sampled_from([64, 100, 255, 256, 700, 16383]).map(lambda n: b"x" * n) | small,
    behind=after,
    examples=30,
)
def fourteen_bits(part: Any, value: bytes, behind: bytes) -> None:
    judge(part, plain(value, 14), behind)


@suite.rule(
    "0x80 and 0x81 in front: the length is in the next 4 or 8 bytes, big-endian",
    "The other six bits are not part of the length here; they say which of the two it is.",
    value=small,
    width=st.sampled_from([32, 64]),
    behind=after,
    examples=60,
)
def wide_lengths(part: Any, value: bytes, width: int, behind: bytes) -> None:
    judge(part, plain(value, width), behind)


numbers = st.one_of(
    st.sampled_from(
        [(0, 1), (1, 1), (-1, 1), (127, 1), (-128, 1), (128, 2), (-129, 2), (32767, 2), (1 << 20, 4)]
    ),
    st.tuples(st.integers(-(2**31), 2**31 - 1), st.just(4)),
)


@suite.rule(
    "11 in front: no length, but an encoding; 0, 1 and 2 are integers of 1, 2 and 4 bytes",
    "A string such as `12345` is stored as the number, little-endian and signed, and comes back as its decimal text, since a string is what it "
    "was. -1 is 0xff in one byte, not 255.",
    number=numbers,
    behind=after,
    examples=80,
)
def integers(part: Any, number: tuple[int, int], behind: bytes) -> None:
    judge(part, integer(*number), behind)


@suite.rule(
    "Encoding 3 is LZF: compressed length, original length, compressed bytes",
    "`lzf.decompress(packed, size)` does the unpacking. Both lengths are written as lengths are, in as few bits as they need.",
    value=st.sampled_from([b"a" * 30, b"ab" * 50, b"abc" * 100, b"hello " * 40 + b"!", b"x" * 20_000]),
    behind=after,
    examples=15,
)
def lzf_strings(part: Any, value: bytes, behind: bytes) -> None:
    judge(part, compressed(value), behind)


@suite.rule(
    "What no writer writes is refused: ValueError",
    "A reader of files meets damaged ones. An encoding above 3, a first byte such as 0x82, or LZF that does not give the length it claims, is no "
    "string. Guessing would only move the damage elsewhere.",
    data=st.sampled_from(
        [
            b"\xc4rest of a file", b"\xffrest of a file", b"\x82rest of a file", b"\xbf" + b"\x00" * 20,
            b"\xc3\x02\x40\xc8\x00a" + b"?" * 20,
        ]
    ),
    examples=10,
)  # fmt: skip
def nonsense(part: Any, data: bytes) -> None:
    with Scene() as scene:
        tape = Tape(data, scene)
        try:
            got = part(tape.take)
        except ValueError:
            return
        scene.mark("the bytes", data, 0, "no string begins like this")
        scene.fail("", expected=Said("ValueError"), got=got)


@suite.rule(
    "A string that is cut off is not returned",
    "take() raises EOFError when there is less than it was asked for. Let that pass: whoever called you knows what a cut file means. And never "
    "ask for one byte more than the string has.",
    written=st.sampled_from([plain(b"hello"), plain(b"x" * 70), integer(1 << 20, 4), compressed(b"ab" * 50), plain(b"hi", 64)]),
    at=st.integers(0, 100),
    examples=40,
)  # fmt: skip
def cut_off(part: Any, written: Written, at: int) -> None:
    with Scene() as scene:
        tape = Tape(written.data[: at % len(written.data)], scene)
        try:
            got = part(tape.take)
        except EOFError:
            return
        scene.mark("the bytes that there are", tape.data, len(tape.data), written.form + ", cut here")
        scene.fail("There is no whole string here.", expected=Said("EOFError"), got=got)
