"""Bytes in lines: all of them are there, and the caret is under the right one."""

from __future__ import annotations

import ast

from hypothesis import given
from hypothesis import strategies as st

from cutaway.learn.carets import AROUND, first_difference, rows, spell

data_and_place = st.binary(min_size=1, max_size=2 * AROUND).flatmap(
    lambda data: st.tuples(st.just(data), st.integers(0, len(data)))
)


@given(data_and_place, st.integers(20, 120))
def test_every_byte_is_written_once_and_the_caret_points_at_its_own(
    where: tuple[bytes, int], width: int
) -> None:
    data, at = where
    lines = rows(data, at, width)
    assert all(len(line.text) <= width for line in lines)
    spelled = "".join(line.text for line in lines)
    quoted = spelled.replace("'", "\\'")
    assert ast.literal_eval(f"b'{quoted}'") == data
    (marked,) = [line for line in lines if line.caret is not None]
    if at < len(data):
        assert marked.text[marked.caret :].startswith(spell(data[at]))
    else:
        assert marked.caret == len(marked.text)


def test_long_input_is_cut_to_what_surrounds_the_caret() -> None:
    lines = rows(b"a" * 5000 + b"!" + b"b" * 5000, 5000, 80)
    text = "".join(line.text for line in lines)
    assert len(text) < 400
    assert text.startswith("…4880 bytes before… ")
    assert text.endswith("bytes after")
    (marked,) = [line for line in lines if line.caret is not None]
    assert marked.text[marked.caret] == "!"


def test_the_first_difference_may_be_the_end() -> None:
    assert first_difference(b"abc", b"abd") == 2
    assert first_difference(b"abc", b"ab") == 2
    assert first_difference(b"", b"") == 0
