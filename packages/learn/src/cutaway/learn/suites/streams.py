r"""What a stream of requests is made of, biased to what goes wrong: line ends inside payloads, empty payloads, cuts everywhere.

Random bytes hardly ever contain `\r\n$3\r\n`, and a parser that looks for line ends where it should count bytes would pass
ten thousand of them. So the nasty payloads are given by name, and Hypothesis only mixes them.
"""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

from cutaway.resp import encode_request

NASTY: Final = (
    b"", b"\r\n", b"\r", b"\n", b"*1\r\n", b"$3\r\nabc", b"\r\n+OK\r\n", b"\r\n*0\r\n", b"-1", b"\x00", b"\xff\xfe",
)  # fmt: skip
words = st.sampled_from([b"PING", b"GET", b"SET", b"k", b"v", b"0", b"hello", b"a b"])
payloads = words | st.sampled_from(NASTY) | st.binary(max_size=8)
plain_requests = st.lists(words, min_size=1, max_size=4)
requests = st.lists(payloads, min_size=1, max_size=4)


def cut(data: bytes, place: int) -> list[bytes]:
    """The stream in two reads; in one, if the first were empty."""
    return [chunk for chunk in (data[:place], data[place:]) if chunk] or [b""]


def encoded(sent: list[list[bytes]]) -> bytes:
    """Requests as a client sends them."""
    return b"".join(map(encode_request, sent))
