"""What modules keep in a file: values of their types, and data beside the keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutaway.datastructures.module_values import ModuleValue, type_id, type_name_of
from cutaway.persistence import DatabaseDump, Entry, ModuleData, RDBError, RDBReader, write_aof, write_rdb
from cutaway.persistence.dumps import dump, restore
from cutaway.persistence.rdb_values import ValueOptions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cutaway.datastructures.module_values import Token


class Bag(ModuleValue, type_name="test--bag", version=3):
    """Whatever tokens it was given."""

    __slots__ = ("tokens",)

    def __init__(self, tokens: Iterable[Token]) -> None:
        self.tokens = list(tokens)

    def save(self) -> list[Token]:
        return self.tokens

    @classmethod
    def load(cls, tokens: Iterator[Token], version: int) -> Bag:
        assert version == 3
        return cls(tokens)


KNOWN = ValueOptions(module_types={"test--bag": Bag})
TOKENS = st.lists(st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.binary(max_size=100))


def file_of(*values: ModuleValue, module_data: Iterable[tuple[str, int, list[Token]]] = ()) -> bytes:
    out = bytearray()
    items = [(b"key%d" % number, value, None, None) for number, value in enumerate(values)]
    write_rdb(out.extend, [DatabaseDump(0, len(items), 0, items)], module_data=module_data)
    return bytes(out)


@given(TOKENS)
@settings(max_examples=60, deadline=None)
def test_tokens_come_back_from_a_file_and_from_a_payload(tokens):
    value = Bag(tokens)
    (entry,) = (event for event in RDBReader(file_of(value), KNOWN).events() if type(event) is Entry)
    assert entry.value.tokens == tokens
    assert restore(dump(value), KNOWN).tokens == tokens
    assert value.copy().tokens == tokens


def test_a_value_whose_module_is_missing_is_an_error_that_names_the_type_and_the_key():
    with pytest.raises(
        RDBError, match="key b'key0' holds a value of module type 'test--bag', which is not loaded"
    ):
        list(RDBReader(file_of(Bag([1]))).events())


def test_a_value_of_a_later_version_is_refused():
    class Older(Bag, type_name="test--bag", version=2):
        pass

    with pytest.raises(RDBError, match="holds version 3"):
        list(RDBReader(file_of(Bag([1])), ValueOptions(module_types={"test--bag": Older})).events())


def test_data_beside_the_keys_is_an_event_before_them():
    data = [("test--bag", 7, [1, -1, 2.5, b"text"])]
    events = list(RDBReader(file_of(Bag([]), module_data=data), KNOWN).events())
    kinds = [type(event) for event in events]
    assert kinds.index(ModuleData) < kinds.index(Entry)
    assert events[kinds.index(ModuleData)] == ModuleData("test--bag", 7, [1, -1, 2.5, b"text"])


def test_in_a_log_of_commands_a_value_is_restored_unless_its_type_knows_better():
    class Spoken(Bag, type_name="test-spok"):
        def rewrite(self, key: bytes) -> list[tuple[bytes, ...]]:
            return [(b"BAG.SET", key)]

    out = bytearray()
    items = [(b"a", Bag([1]), None, None), (b"b", Spoken([1]), None, None)]
    write_aof(out.extend, [DatabaseDump(0, 2, 0, items)], commands=[(b"BAG.STATE", b"x")])
    assert out.index(b"BAG.STATE") < out.index(b"RESTORE") < out.index(b"BAG.SET")
    assert dump(Bag([1])) in out


@pytest.mark.parametrize(
    ("name", "version"), [("short", 1), ("ten-letters", 1), ("bad.name.", 1), ("test--bag", 1024)]
)
def test_a_name_or_version_that_no_file_can_hold_is_refused(name, version):
    with pytest.raises(ValueError, match="a type's"):
        type_id(name, version)


def test_an_id_holds_its_name_and_version():
    assert type_name_of(type_id("MBbloom--", 4)) == ("MBbloom--", 4)
