"""SORT: the elements of a list, a set or a sorted set in order, and what other keys say about them.

It is the nearest thing to a join that Redis has. `SORT ids BY weight_* GET name_*` takes each element of
`ids`, puts it in the place of the asterisk, sorts by the strings at the first kind of keys, and answers
those at the second kind. A pattern with an arrow, `user_*->age`, means the field of a hash; the pattern `#`
means the element itself. A BY pattern without an asterisk would be the same for all elements, and so says:
do not sort at all.

Without ALPHA what is compared are numbers, and a string that is none is an error; a key that is missing
counts as 0. Equal numbers are put in the order of their elements, so that the result never depends on how
the set happens to lie in memory. With ALPHA strings are compared by their bytes, a missing one before all
others.

SORT reads keys that its arguments do not name. No key specification can describe that; it is "unknown" in
COMMAND INFO.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cutaway.commands import arguments, errors
from cutaway.commands.clients import Client
from cutaway.commands.key_finders import sort_keys, sort_ro_keys
from cutaway.commands.key_specs import OW, RO
from cutaway.commands.keyspaces import Database
from cutaway.commands.strings import as_bytes
from cutaway.commands.tables import CommandTable
from cutaway.datastructures import HashValue, ListValue, QuickList, SetValue, SortedSetValue
from cutaway.resp import Reply

sorting: Final = CommandTable("generic")

MANY: Final = 1 << 62
NOT_NUMBERS: Final = errors.CommandError("ERR One or more scores can't be converted into double")
BY_DENIED: Final = errors.CommandError("ERR BY option of SORT denied due to insufficient ACL permissions.")
GET_DENIED: Final = errors.CommandError("ERR GET option of SORT denied due to insufficient ACL permissions.")

SOURCE: Final = RO(1)
LOOKED_UP: Final = RO(
    0, unknown=True,
    notes="For the optional BY/GET keyword. It is marked 'unknown' because the key names derive from the "
    "content of the key we sort",
)  # fmt: skip
STORED: Final = OW(
    0, unknown=True,
    notes="For the optional STORE keyword. It is marked 'unknown' because the keyword can appear anywhere in "
    "the argument array",
)  # fmt: skip
WORDS_TO_SKIP: Final = {b"limit": 2, b"by": 1, b"get": 1}


# ---- patterns


class Pattern:
    """`name_*` or `user_*->field`: where to find the string that belongs to an element."""

    __slots__ = ("_field", "_prefix", "_suffix", "is_constant")

    def __init__(self, text: bytes) -> None:
        visible = text.partition(b"\0")[0]  # asterisk and arrow are looked for up to a zero byte
        star = visible.find(b"*")
        self.is_constant: Final = star < 0
        arrow = visible.find(b"->", star + 1)
        if arrow < 0 or arrow + 2 == len(visible):
            arrow = len(text)
        self._prefix: Final = text[:star]
        self._suffix: Final = text[star + 1 : arrow]
        self._field: Final = text[arrow + 2 :]

    def find(self, db: Database, element: bytes) -> bytes | None:
        """The string, or None where the key or the field is missing or of another type. O(1)."""
        if self.is_constant:
            return None
        key = self._prefix + element + self._suffix
        entry = db.lookup_read(key)
        if entry is None:
            return None
        value = entry.value
        if self._field:
            return _live_field(value, self._field, db.keyspace.now) if type(value) is HashValue else None
        return as_bytes(value) if isinstance(value, (bytes, int, bytearray)) else None


class Itself:
    """The pattern `#`: the element itself."""

    __slots__ = ()

    def find(self, _db: Database, element: bytes) -> bytes | None:
        """The element."""
        return element


def _live_field(value: HashValue, name: bytes, now: int) -> bytes | None:
    over_at = value.expire_at(name) if value.has_expiries else None
    return None if over_at is not None and over_at <= now else value.get(name)


# ---- options


@dataclass(slots=True)
class SortOptions:
    """What the words after the key say."""

    descending: bool = False
    alpha: bool = False
    offset: int = 0
    count: int = -1
    by: Pattern | None = None
    gets: list[Pattern | Itself] = field(default_factory=list)
    store: bytes | None = None


MayReadAllKeys = Callable[[Client, Sequence[bytes]], bool]
"""`engine.extras["may_read_all_keys"]`, where users have permissions: whose keys a pattern will read nobody knows beforehand."""


def parse_sort_options(client: Client, name: bytes, key: bytes, words: Sequence[bytes]) -> SortOptions:
    """The options of SORT, or of SORT_RO, which may not store; of one kind the last one counts."""
    options = SortOptions()
    argv = (name, key, *words)
    position = 0
    while position < len(words):
        word, left = words[position].lower(), len(words) - position - 1
        if word in {b"asc", b"desc"}:
            options.descending = word == b"desc"
        elif word == b"alpha":
            options.alpha = True
        elif word == b"limit" and left >= 2:
            options.offset = arguments.integer(words[position + 1])
            options.count = arguments.integer(words[position + 2])
        elif word == b"by" and left:
            options.by = Pattern(words[position + 1])
            if not options.by.is_constant and not may_read_all_keys(client, argv):
                raise BY_DENIED
        elif word == b"get" and left:
            text = words[position + 1]
            if not may_read_all_keys(client, argv):
                raise GET_DENIED
            options.gets.append(Itself() if text == b"#" else Pattern(text))
        elif word == b"store" and left and name == b"sort":
            options.store = words[position + 1]
        else:
            raise errors.SYNTAX
        position += 1 + (1 if word == b"store" else WORDS_TO_SKIP.get(word, 0))
    return options


def may_read_all_keys(client: Client, argv: Sequence[bytes]) -> bool:
    """Whether the client may use patterns in this request. O(argv)."""
    check: MayReadAllKeys | None = client.engine.extras.get("may_read_all_keys")
    return check is None or check(client, argv)


# ---- sorting


def weight(text: bytes) -> float:
    """The number that an element, or its BY string, stands for; raises where it is none, or hexadecimal."""
    shown = text.partition(b"\0")[0]
    number = arguments.number_or_none(shown)
    if number is None or b"x" in shown or b"X" in shown:
        raise NOT_NUMBERS
    return number


def _sorted(db: Database, elements: list[bytes], options: SortOptions) -> list[bytes]:
    """O(n log n)."""
    by = options.by
    key: Callable[[bytes], Any] | None
    if options.alpha:
        key = None if by is None else lambda element: _alpha_key(by.find(db, element))
    elif by is None:
        key = lambda element: (weight(element), element)  # noqa: E731 - one of four, all of which are expressions
    else:
        key = lambda element: (_weight_or_zero(by.find(db, element)), element)  # noqa: E731
    return sorted(elements, key=key, reverse=options.descending)


def _alpha_key(text: bytes | None) -> tuple[bool, bytes]:
    return (text is not None, text or b"")


def _weight_or_zero(text: bytes | None) -> float:
    return 0.0 if text is None else weight(text)


def _as_it_lies(
    value: ListValue | SetValue | SortedSetValue, start: int, stop: int, *, reverse: bool
) -> list[bytes]:
    """Elements [start, stop) in the value's own order, the rest unread where that can be.

    A set has no order to reverse.
    """
    if isinstance(value, SetValue):
        return list(value)[start:stop]
    if isinstance(value, SortedSetValue):
        return [member for member, _ in value.range_by_rank(start, stop - 1, reverse=reverse)]
    if not reverse:
        return value.range(start, stop - 1)
    length = len(value)
    return value.range(length - stop, length - start - 1)[::-1]


def _select(client: Client, key: bytes, options: SortOptions) -> list[bytes]:
    """The elements that the reply is made of, in order."""
    entry = client.db.lookup_read(key)
    if entry is None:
        return []
    value = entry.value
    if not isinstance(value, (ListValue, SetValue, SortedSetValue)):
        raise errors.WRONG_TYPE
    if isinstance(value, SortedSetValue):
        value.expect(MANY)  # the real SORT reads the large form only, and makes a small one large
    size = len(value)
    start = min(max(options.offset, 0), size)
    stop = size if options.count < 0 else min(start + options.count, size)
    if options.by is not None and options.by.is_constant:
        is_script = client.engine.caller is not client
        if not isinstance(value, SetValue) or not (options.store is not None or is_script):
            return _as_it_lies(value, start, stop, reverse=options.descending) if start < stop else []
        # What is stored, or seen by a script, has to be the same wherever that is repeated: a set's own order is not.
        options.by, options.alpha = None, True
    return _sorted(client.db, list(value), options)[start:stop]


# ---- the commands


@sorting.command(
    "SORT", arity=-2, flags="write denyoom movablekeys", keys=(SOURCE, LOOKED_UP, STORED),
    key_finder=sort_keys, acl="set sortedset list dangerous -keyspace",
    syntax="key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] [ALPHA] "
    "[STORE destination]",
)  # fmt: skip
def sort(client: Client, key: bytes, *words: bytes) -> Reply:
    """Sorts the elements of a list, a set or a sorted set, and returns or stores them.

    O(n + m log m) for n elements, m of which are returned; O(n) if they are not to be sorted.
    """
    options = parse_sort_options(client, b"sort", key, words)
    output = _output(client, key, options)
    return output if options.store is None else _store(client, options.store, output)


@sorting.command(
    "SORT_RO", arity=-2, flags="readonly movablekeys", keys=(SOURCE, LOOKED_UP), since="7.0.0",
    key_finder=sort_ro_keys, acl="set sortedset list dangerous -keyspace",
    syntax="key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] [ALPHA]",
)  # fmt: skip
def sort_ro(client: Client, key: bytes, *words: bytes) -> Reply:
    """Returns the sorted elements of a list, a set or a sorted set.

    O(n + m log m) for n elements, m of which are returned; O(n) if they are not to be sorted.
    """
    return _output(client, key, parse_sort_options(client, b"sort_ro", key, words))


def _output(client: Client, key: bytes, options: SortOptions) -> list[bytes | None]:
    """The elements, or what the GET patterns find for each of them."""
    elements = _select(client, key, options)
    if not options.gets:
        return [*elements]
    return [pattern.find(client.db, element) for element in elements for pattern in options.gets]


def _store(client: Client, destination: bytes, output: Sequence[bytes | None]) -> Reply:
    db = client.db
    if not output:
        db.delete(destination)
        return 0
    limits = client.engine.limits
    elements = QuickList(limits)  # as Redis: taken for long first, and made small at the end if it is
    for element in output:
        elements.append(element or b"")
    db.set(destination, ListValue.from_nodes(elements.open_nodes(), limits))
    db.changed(destination, "sortstore", len(output))
    return len(output)
