"""INFO's text, written and read; the sizes of values; MONITOR's lines."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutaway.observability.info_texts import chosen, details, human, parse, share, written
from cutaway.observability.key_sizes import KeySizes, bin_name
from cutaway.observability.monitor_lines import monitor_line, quoted

KNOWN = ("server", "clients", "commandstats", "keyspace")
NAMES = st.from_regex(r"[a-z_]{1,10}", fullmatch=True)


@given(st.dictionaries(NAMES, st.dictionaries(NAMES, st.integers(), max_size=5), max_size=4))
def test_what_is_written_can_be_parsed(sections):
    fields = {name: str(value) for section in sections.values() for name, value in section.items()}
    assert parse(written(sections.items())) == fields


def test_a_list_is_a_field_that_comes_several_times():
    assert written([("Modules", {"module": ["name=a", "name=b"], "none": []})]) == (
        "# Modules\r\nmodule:name=a\r\nmodule:name=b\r\n"
    )


def test_sections_are_parted_by_an_empty_line():
    text = written([("Server", {"a": True, "b": 1.5}), ("Clients", {"c": "x:y"})])
    assert text == "# Server\r\na:1\r\nb:1.50\r\n\r\n# Clients\r\nc:x:y\r\n"
    assert parse(text) == {"a": "1", "b": "1.50", "c": "x:y"}


@pytest.mark.parametrize(
    ("asked", "given_"),
    [
        ([], ["server", "keyspace"]),
        (["default"], ["server", "keyspace"]),
        (["KEYSPACE", "Server"], ["server", "keyspace"]),
        (["default", "commandstats"], ["server", "commandstats", "keyspace"]),
        (["all"], list(KNOWN)),
        (["nosuch", "everything"], list(KNOWN)),
        (["nosuch"], []),
    ],
)
def test_info_shows_what_was_asked_for_in_its_own_order(asked, given_):
    assert chosen(asked, KNOWN, ("server", "keyspace")) == given_


def test_details_and_sizes_for_people():
    assert details("keys=1,expires=0") == {"keys": "1", "expires": "0"}
    assert [human(size) for size in (0, 1023, 1024, 1090519, 25276510208)] == [
        "0B", "1023B", "1.00K", "1.04M", "23.54G",
    ]  # fmt: skip
    assert share(93408, 94304) == "99.05%"
    assert share(1, 0) == "0.00%"


@given(st.lists(st.tuples(st.sampled_from(["string", "list", "stream"]), st.integers(0, 10**7)), max_size=50))
def test_every_value_falls_into_one_bin_that_its_size_fits(values):
    sizes = KeySizes()
    sizes.add(values)
    fields = sizes.fields("db0")
    counted = sum(int(count) for text in fields.values() for count in details(text).values())
    assert counted == sum(kind != "stream" for kind, _ in values)
    assert sizes.counted == len(values)


def test_bins_are_named_by_their_lower_end():
    assert [bin_name(exponent) for exponent in (-1, 0, 3, 9, 10, 15, 20)] == [
        "0",
        "1",
        "8",
        "512",
        "1K",
        "32K",
        "1M",
    ]
    sizes = KeySizes()
    sizes.add([("list", 0), ("list", 1), ("list", 3), ("list", 1024), ("list", 2047)])
    assert sizes.fields("db0") == {"db0_distrib_lists_items": "0=1,1=1,2=1,1K=2"}
    assert sizes.fields("db0", scale=10.0) == {"db0_distrib_lists_items": "0=10,1=10,2=10,1K=20"}


@given(st.binary(max_size=60))
def test_a_quoted_word_is_one_printable_line_and_loses_nothing(word):
    text = quoted(word)
    assert text.isascii()
    assert text.isprintable()
    assert ast.literal_eval(f"b{text}") == word


def test_a_monitor_line_is_redis_own():
    line = monitor_line(1339518083107412, 0, "127.0.0.1:60866", [b"keys", b'a "quoted"\n\x00\xff'])
    assert line == r'1339518083.107412 [0 127.0.0.1:60866] "keys" "a \"quoted\"\n\x00\xff"'
