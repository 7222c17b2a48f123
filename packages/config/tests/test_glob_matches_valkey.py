"""Our glob against the real one (through KEYS), and against itself walked in the slow and obvious way."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutaway.config import glob

ALPHABET = b"abAB*?[]^-\\\xff\x80z"
PIECES = st.lists(
    st.sampled_from([bytes((byte,)) for byte in ALPHABET] + [b"[a-", b"[^", b"\\]", b"**", b"]"]), max_size=9
)
TEXTS = st.lists(st.sampled_from([bytes((byte,)) for byte in b"abABz]-^\\\xff\x80"]), max_size=8).map(
    b"".join
)


def naive(parts: list[list[glob.Element]], text: bytes) -> bool:
    """Every star tried at every length."""
    if not text:
        return parts == [[]]

    def match(index: int, at: int) -> bool:
        part = parts[index]
        end = at + len(part)
        if end > len(text) or any(text[at + i] not in element for i, element in enumerate(part)):
            return False
        if index == len(parts) - 1:
            return end == len(text)
        return any(match(index + 1, later) for later in range(end, len(text) + 1))

    return match(0, 0)


@settings(max_examples=300)
@given(PIECES.map(b"".join), TEXTS, st.booleans())
def test_both_ways_of_matching_agree_with_the_obvious_one(pattern: bytes, text: bytes, nocase: bool) -> None:
    parts = glob._parse(pattern, nocase)
    expected = naive(parts, text)
    assert bool(glob._compiled(pattern, nocase)(text)) == expected
    assert bool(glob._walker(parts)(text)) == expected


def test_patterns_match_the_keys_valkey_matches(valkey) -> None:
    rng = random.Random(7)
    texts = {bytes(rng.choices(b"abABz]-^\\*\xff\x80", k=rng.randrange(5))) for _ in range(300)}
    keys = [text.decode("utf-8", "surrogateescape") for text in texts]
    for key in keys:
        valkey.ask("SET", key, "x")
    for _ in range(1500):
        pattern = b"".join(
            rng.choices([bytes((byte,)) for byte in ALPHABET] + [b"[a-", b"[^"], k=rng.randrange(1, 7))
        )
        if pattern == b"*":
            continue  # KEYS does not ask the matcher
        real = valkey.ask("KEYS", pattern.decode("utf-8", "surrogateescape"))
        assert isinstance(real, list)
        found = {str(key).encode("utf-8", "surrogateescape") for key in real}
        assert {text for text in texts if glob.matches(pattern, text)} == found, pattern
    valkey.ask("FLUSHALL")


@pytest.mark.parametrize("length", [1, 20, 200])
def test_a_pattern_of_many_stars_does_not_explode(length: int) -> None:
    pattern = b"a*" * length + b"b"
    assert not glob.matches(pattern, b"a" * 2000)
    assert glob.matches(pattern, b"a" * 2000 + b"b")


def test_long_patterns_are_not_compiled_and_match_the_same() -> None:
    text = bytes(range(97, 123)) * 100
    assert glob.matches(text, text)
    assert glob.matches(b"*" + text[26:] + b"*", text + text)
    assert not glob.matches(text + b"?", text)
    assert glob.matches(text.upper(), text, nocase=True)


def test_more_than_a_thousand_stars_never_match_as_in_redis(valkey) -> None:
    text = "a" * 1100
    valkey.ask("SET", text, "x")
    for stars in (999, 1000, 1001, 1002):
        pattern = "*a" * stars
        real = valkey.ask("KEYS", pattern)
        assert glob.matches(pattern.encode(), text.encode()) == bool(real), stars
    valkey.ask("FLUSHALL")


def test_only_ascii_letters_have_two_cases() -> None:
    assert glob.matches(b"H[A-C]LLo", b"hbllO", nocase=True)
    assert not glob.matches(b"h[\\E]llo", b"hello", nocase=True)
    assert not glob.matches(b"\xe9", b"\xc9", nocase=True)
