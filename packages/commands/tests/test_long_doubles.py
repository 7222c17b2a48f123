"""Sums in extended precision: digit for digit those of a real server."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cutaway.commands import CommandError
from cutaway.commands.long_doubles import add_long_doubles, format_long_double, parse_long_double

NASTY = [
    "0x10", "0x1p5", "0x.8p-3", "0x1.fffffffffffffffffp3", "0xfffffffffffffffffff", "0x1p16383",
    "0x1p16384", "0x1p-16445", "0x1p-16446", "0x", "0xp1", "0x1p", "0x1.p1", "0X1P+3", "-0x10", "inf",
    "-inf", "infinity", "INF", "nan", "-nan", "", ".", "1.", ".5", "+1", "1e", "1e+", "-", "--1", " 1",
    "1 ", "1_0", "1e5000", "1e-5000", "0e99999999999999", "1e00000000000000000000001", "-0", "-0.0",
    "infinit", "1e4932", "1e4933", "1e-4960", "9223372036854775807.5", "18446744073709551615.5", "0.1",
    "-0.1", "36893488147419103233", "1.00000000000000000005", "3.0e3", "1" * 5119, "1" * 5120, "0." +
    "3" * 5000,
]  # fmt: skip
NUMBERS = st.one_of(
    st.sampled_from(NASTY),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.decimals(-(10**15), 10**15, allow_nan=False, allow_infinity=False, places=20).map(str),
    st.integers(-(2**70), 2**70).map(str),
    st.builds("{}e{}".format, st.integers(-(10**22), 10**22), st.sampled_from([-4950, -30, -5, 3, 20, 4912])),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(one=NUMBERS, other=NUMBERS)
def test_any_two_spellings_have_the_sum_that_a_real_server_gives(twins, one, other):
    twins.same("SET", "k", one)
    twins.same("INCRBYFLOAT", "k", other)


@pytest.mark.parametrize(
    ("one", "other", "total"),
    [
        (b"0.1", b"0.2", b"0.3"), (b"0x10", b"0", b"16"), (b"1e20", b"0.0625", b"100000000000000000000"),
        (b"1e17", b"0.0625", b"100000000000000000.0625"), (b"-1e-30", b"0", b"0"),
        (b"0x1p62", b"0.5", b"4611686018427387904.5"),
    ],
)  # fmt: skip
def test_sums_keep_64_bits_and_print_17_decimals(one, other, total):
    assert add_long_doubles(one, other) == total


@pytest.mark.parametrize("text", [b"", b"nan", b"0x", b"1e5000", b"1e-5000", b" 1", b"1_0"])
def test_what_strtold_refuses_is_no_number(text):
    with pytest.raises(CommandError, match="not a valid float"):
        parse_long_double(text)


def test_infinity_is_a_number_but_not_a_sum():
    assert parse_long_double(b"-Infinity") is None
    with pytest.raises(CommandError, match="NaN or Infinity"):
        add_long_doubles(b"1", b"inf")


@given(st.integers(-(2**64), 2**64))
def test_integers_of_64_bits_survive_as_they_are(number):
    parsed = parse_long_double(b"%d" % number)
    assert parsed is not None
    assert format_long_double(parsed) == b"%d" % number
