"""The set: members without order, in the cheapest of three forms.

**intset.** As long as every member is an integer and there are at most `set-max-intset-entries`: a sorted
array, searched by halving.

**listpack.** At most `set-max-listpack-entries` members, none longer than `set-max-listpack-value`: one run
of bytes, searched from end to end.

**hashtable.** A `Dict` from member to None, for all others.

    intset --- a member that is no integer, all fit a listpack ---> listpack
    intset --- too many, or a member that does not fit -----------> hashtable
    listpack - too many, or a member that does not fit -----------> hashtable

Nothing goes back. Note that an intset with too many members turns into a hashtable even where a listpack
could still hold them, and that a set that is to get many members at once (SADD with many arguments) chooses
its form for that many beforehand, by `reserve`. (t_set.c of Redis 7.2; Valkey 9.1 does the same.)
"""

from __future__ import annotations

import sys
from itertools import islice
from typing import TYPE_CHECKING, ClassVar, Final

from cutaway.datastructures.dicts import Dict
from cutaway.datastructures.intsets import IntSet
from cutaway.datastructures.limits import DEFAULT_LIMITS, Limits
from cutaway.datastructures.listpack_entries import parse_integer
from cutaway.datastructures.listpacks import ListPack

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from random import Random

_KEEP_FEW: Final = 5
"""A pop of more than so many times what remains is done by drawing what remains."""


class SetValue:
    """Different members, all bytes. O(1) a member as a hashtable, O(members) in the small forms."""

    __slots__ = ("_body", "limits")

    type_name: ClassVar[str] = "set"
    limits: Limits
    _body: IntSet | ListPack | Dict[bytes, None]

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        """Make an empty set, which changes its form at `limits`."""
        self.limits = limits
        self._body = IntSet()

    @classmethod
    def from_members(cls, members: Iterable[bytes], limits: Limits = DEFAULT_LIMITS) -> SetValue:
        """The set of `members`, as small as they allow: what SINTERSTORE and its like make. O(n)."""
        value = cls(limits)
        for member in members:
            value.add(member)
        return value

    @classmethod
    def from_pack(
        cls, pack: IntSet | ListPack, limits: Limits = DEFAULT_LIMITS, members: list[bytes] | None = None
    ) -> SetValue:
        """The set that `pack` holds, which it takes over; ValueError if a member is there twice. O(n).

        `members` are those of the pack, if somebody has read them already.
        """
        value = cls(limits)
        value._body = pack
        if isinstance(pack, IntSet):
            fits = len(pack) <= limits.set_max_intset_entries
        else:
            if members is None:
                members = pack.to_list()
            if len(set(members)) != len(members):
                msg = "a member of a set's listpack is there twice"
                raise ValueError(msg)
            longest = max(map(len, members), default=0)
            fits = len(pack) <= limits.set_max_listpack_entries and longest <= limits.set_max_listpack_value
        if not fits:
            value._to_hashtable()
        return value

    @property
    def encoding(self) -> str:
        """What OBJECT ENCODING says: intset, listpack or hashtable."""
        body = self._body
        if isinstance(body, Dict):
            return "hashtable"
        return "intset" if isinstance(body, IntSet) else "listpack"

    @property
    def pack(self) -> IntSet | ListPack | None:
        """The intset or listpack that holds the set, or None: for RDB files."""
        return None if isinstance(self._body, Dict) else self._body

    @property
    def table(self) -> Dict[bytes, None] | None:
        """The hash table that holds the set, or None while it is small: to look at."""
        return self._body if isinstance(self._body, Dict) else None

    # One member.

    def __len__(self) -> int:
        """The number of members. O(1)."""
        return len(self._body)

    def __contains__(self, member: bytes) -> bool:
        """Whether `member` is in the set."""
        body = self._body
        if isinstance(body, Dict):
            return member in body
        if isinstance(body, IntSet):
            value = parse_integer(member)
            return value is not None and value in body
        return body.find(member) >= 0

    def add(self, member: bytes) -> bool:
        """Add `member`; return whether it is new."""
        body = self._body
        if isinstance(body, ListPack):
            if body.find(member) >= 0:
                return False
            limits = self.limits
            if body.count < limits.set_max_listpack_entries and len(member) <= limits.set_max_listpack_value:
                body.append(member)
            else:
                self._to_hashtable()[member] = None
            return True
        if isinstance(body, Dict):
            before = len(body)
            body[member] = None
            return len(body) != before
        return self._add_to_intset(body, member)

    def _add_to_intset(self, ints: IntSet, member: bytes) -> bool:
        """Add `member` to what is an intset until now."""
        value = parse_integer(member)
        if value is not None:
            added = ints.add(value)
            if added and len(ints) > self.limits.set_max_intset_entries:
                self._to_hashtable()
            return added
        limits = self.limits
        ends = (ints[0], ints[len(ints) - 1]) if len(ints) else ()
        longest = max([len(member), *(len(str(end)) for end in ends)])
        if len(ints) < limits.set_max_listpack_entries and longest <= limits.set_max_listpack_value:
            self._body = ListPack.from_list(self)
            self._body.append(member)
        else:
            self._to_hashtable()[member] = None
        return True

    def update(self, members: Sequence[bytes]) -> int:
        """Add many members; return how many are new. As SADD, it first chooses the form for that many."""
        if members:
            self.reserve(len(members), members[0])
        return sum([self.add(member) for member in members])

    def reserve(self, count: int, first: bytes) -> None:
        """Take the form that suits `count` members to be added, the first of which is `first`. O(n)."""
        limits, body = self.limits, self._body
        if not len(body):
            if count <= limits.set_max_intset_entries and parse_integer(first) is not None:
                self._body = IntSet()
            else:
                self._body = ListPack() if count <= limits.set_max_listpack_entries else Dict()
        elif isinstance(body, IntSet):
            if count > limits.set_max_intset_entries:
                self._to_hashtable()
        elif isinstance(body, ListPack) and count > limits.set_max_listpack_entries:
            self._to_hashtable()

    def discard(self, member: bytes) -> bool:
        """Remove `member`; return whether it was there."""
        body = self._body
        if isinstance(body, Dict):
            before = len(body)
            body.pop(member, None)
            return len(body) != before
        if isinstance(body, IntSet):
            value = parse_integer(member)
            return value is not None and body.discard(value)
        pos = body.find(member)
        if pos < 0:
            return False
        body.delete_at(pos)
        return True

    def _to_hashtable(self) -> Dict[bytes, None]:
        """Become a hashtable, and return it. O(n)."""
        table: Dict[bytes, None] = Dict((member, None) for member in self)
        self._body = table
        return table

    # All of them.

    def __iter__(self) -> Iterator[bytes]:
        """The members: ascending in an intset, else as they lie. The set must not change meanwhile."""
        body = self._body
        if isinstance(body, Dict):
            return iter(body)
        return iter([b"%d" % value for value in body] if isinstance(body, IntSet) else body.to_list())

    def scan(self, cursor: int, count: int = 10) -> tuple[int, list[bytes]]:
        """About `count` members and the next cursor, guaranteed as by `Dict.scan`; small forms whole."""
        body = self._body
        if isinstance(body, Dict):
            cursor, items = body.scan(cursor, count)
            return cursor, [member for member, _ in items]
        return 0, list(self)

    # Chance.

    def random(self, rng: Random) -> bytes:
        """One member, each as likely as the others; IndexError if there is none. O(1) as a hashtable."""
        body = self._body
        size = len(body)
        if not size:
            msg = "random member of an empty set"
            raise IndexError(msg)
        if isinstance(body, Dict):
            return body.random_item(rng)[0]
        index = int(rng.random() * size)
        return b"%d" % body[index] if isinstance(body, IntSet) else body.get(body.seek(index))

    def random_distinct(self, n: int, rng: Random) -> list[bytes]:
        """Up to n different members, every choice as likely as any other. O(n) as a hashtable."""
        body = self._body
        if isinstance(body, Dict):
            return [member for member, _ in body.random_items(n, rng)]
        return rng.sample(list(self), min(n, len(body)))

    def pop_random(self, rng: Random) -> bytes:
        """Remove and return one member, fairly drawn; IndexError if there is none. O(1) as a hashtable."""
        body = self._body
        if isinstance(body, ListPack) and len(body):
            pos = body.seek(int(rng.random() * len(body)))
            member = body.get(pos)
            body.delete_at(pos)
            return member
        member = self.random(rng)
        self.discard(member)
        return member

    def pop_random_many(self, n: int, rng: Random) -> list[bytes]:
        """Remove and return up to n members, fairly drawn. O(n) as a hashtable.

        When nearly all are to go, it draws those that stay and hands out the rest.
        """
        size = len(self)
        if n >= size or n > _KEEP_FEW * (size - n):
            remaining = dict.fromkeys(self.random_distinct(max(size - n, 0), rng))
            popped = [member for member in self if member not in remaining]
            self._body = self._rebuilt(remaining)
            return popped
        popped = self.random_distinct(n, rng)
        for member in popped:
            self.discard(member)
        return popped

    def _rebuilt(self, members: Iterable[bytes]) -> IntSet | ListPack | Dict[bytes, None]:
        """These members in the form that the set has now."""
        if isinstance(self._body, Dict):
            return Dict((member, None) for member in members)
        return IntSet(map(int, members)) if isinstance(self._body, IntSet) else ListPack.from_list(members)

    # The whole value.

    def copy(self) -> SetValue:
        """The same set, of the same encoding. O(n)."""
        twin = SetValue(self.limits)
        twin._body = self._body.copy()
        return twin

    def dismantle(self) -> Iterator[object]:
        """Take the value apart, a bounded piece with each step; it must not be used any more. For freeing large ones."""
        if isinstance(self._body, Dict):
            yield from self._body.dismantle()

    def memory_usage(self, samples: int = 5) -> int:
        """Bytes of this process, estimated from so many of the members (0: all). O(samples)."""
        body = self._body
        if not isinstance(body, Dict):
            return sys.getsizeof(self) + body.memory_usage()
        sizes = [sys.getsizeof(member) for member in islice(body, samples or None)]
        members = sum(sizes) * len(body) // len(sizes) if sizes else 0
        return sys.getsizeof(self) + body.memory_usage(samples) + members

    def check(self) -> None:
        """Assert every invariant. O(n)."""
        self._body.check()
        members = list(self)
        assert len(set(members)) == len(members) == len(self), "a member twice"
