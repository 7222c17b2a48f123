from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutaway.persistence import AOFError, Manifest
from cutaway.persistence.aof_manifest import BASE, HISTORY, INCREMENTAL, AOFFile

names = st.text(
    st.characters(exclude_characters="/\\\0", exclude_categories=("Cs",)), min_size=1, max_size=30
)


@given(names, st.lists(names, max_size=4))
def test_any_name_survives_being_written_and_read(base, others):
    manifest = Manifest("appendonly.aof", AOFFile(base, 3, BASE))
    manifest.increments = [AOFFile(name, n + 1, INCREMENTAL) for n, name in enumerate(others)]
    manifest.history = [AOFFile(name, 9, HISTORY) for name in others]
    again = Manifest.parse(manifest.format())
    assert (again.base, again.increments, again.history) == (
        manifest.base,
        manifest.increments,
        manifest.history,
    )


def test_comments_unknown_keys_and_quotes_are_read():
    text = b"# a comment\nfile \"a b\\x21.aof\" seq 2 type b new thing\nSEQ 7 TYPE i FILE 'it''s' \n"
    with pytest.raises(AOFError, match="Invalid AOF manifest file format") as caught:
        Manifest.parse(text)
    assert caught.value.offset == text.index(b"SEQ")
    manifest = Manifest.parse(text.replace(b"'it''s'", b"'it\\'s'"))
    assert manifest.base == AOFFile("a b!.aof", 2, "b")
    assert manifest.increments == [AOFFile("it's", 7, "i")]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"", "Found an empty AOF manifest"),
        (b"\n", "Invalid AOF manifest file format"),
        (b"file a seq 1 type b", "too long line"),
        (b"file " + b"a" * 2000 + b" seq 1 type b\n", "too long line"),
        (b"file ../a seq 1 type b\n", "can't be a path"),
        (b"file a seq 0 type b\n", "Invalid AOF manifest file format"),
        (b"file a seq 1 type\n", "Invalid AOF manifest file format"),
        (b'file "a seq 1 type b\n', "Invalid AOF manifest file format"),
        (b"file a seq 1 type x\n", "Unknown AOF file type"),
        (b"file a seq 1 type b\nfile b seq 2 type b\n", "duplicate base"),
        (b"file a seq 2 type i\nfile b seq 2 type i\n", "non-monotonic"),
    ],
)
def test_problems_are_told_in_the_words_of_redis(text, problem):
    with pytest.raises(AOFError, match=problem):
        Manifest.parse(text)


def test_a_new_base_makes_everything_older_history_with_the_newest_first():
    manifest = Manifest("a", AOFFile("a.1.base.rdb", 1, BASE))
    for _ in range(3):
        manifest.increments.append(manifest.next_increment())
    manifest.rebase(manifest.next_base(rdb=False), keep=1)
    assert manifest.format().decode().splitlines() == [
        "file a.2.base.aof seq 2 type b",
        "file a.1.incr.aof seq 1 type h",
        "file a.2.incr.aof seq 2 type h",
        "file a.1.base.rdb seq 1 type h",
        "file a.3.incr.aof seq 3 type i",
    ]
    manifest.rebase(manifest.next_base(rdb=True), keep=0)
    assert [file.name for file in manifest.history] == [
        "a.3.incr.aof", "a.2.base.aof", "a.1.incr.aof", "a.2.incr.aof", "a.1.base.rdb",
    ]  # fmt: skip
