"""Numbers on their way from Lua to a command's argument."""

import pytest

from cutaway.commands import Engine
from cutaway.resp import Encoder
from cutaway.scripting import install, scripting
from cutaway.scripting.conversions import as_argument


@pytest.mark.parametrize(
    ("value", "text"), [(b"raw\x00\xff", b"raw\x00\xff"), (3.0, b"3"), (0.5, b"0.5"), (-7, b"-7")]
)
def test_strings_pass_untouched_and_whole_numbers_have_no_point(value, text):
    assert as_argument(value) == text


def test_what_is_no_string_and_no_number_is_no_argument():
    assert as_argument(None) is None
    assert as_argument(True) is None


@pytest.mark.parametrize(("protocol", "expected"), [(2, b"$8\r\n123  123\r\n"), (3, b"(123  123\r\n")])
def test_whatever_text_a_script_calls_a_big_number_is_one(protocol, expected):
    pytest.importorskip("lupa")
    engine = Engine(scripting)
    install(engine)
    reply = engine.do("EVAL", "return {big_number='123\\r\\n123'}", "0")
    assert Encoder(protocol).encode(reply) == expected
