"""The hash: fields with values, flat while small, a hash table when large.

**listpack.** Field, value, field, value ... in one run of bytes, in order of insertion. To find a field is to
search the run, comparing every second entry.

**hashtable.** A `Dict`. The hash becomes one when it gets more fields than `hash-max-listpack-entries`, or a
field or value longer than `hash-max-listpack-value`, or a field that expires: the flat form has no room for
times. (So Valkey; Redis 7.4 has a third form, `listpackex`.) It never becomes flat again.

**Expiry of fields** (HEXPIRE, Valkey 9.0) is kept beside the data, in a `FieldExpiries` that is made when the
first field gets a time; a hash without one pays one test for None. A value has no clock, so nothing here
vanishes by itself: a field whose time has come is there until `pop_expired(now)` takes it out. Whoever has a
clock asks `next_expiry`, which costs next to nothing, before looking in.
"""

from __future__ import annotations

import sys
from itertools import islice
from typing import TYPE_CHECKING, ClassVar

from cutaway.datastructures.dicts import Dict
from cutaway.datastructures.field_expiries import FieldExpiries
from cutaway.datastructures.limits import DEFAULT_LIMITS, Limits
from cutaway.datastructures.listpacks import ListPack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from random import Random


class HashValue:
    """Fields with values, both bytes. O(1) a field as a hashtable, O(fields) as a (small) listpack."""

    __slots__ = ("_body", "_expiries", "limits")

    type_name: ClassVar[str] = "hash"
    limits: Limits
    _body: ListPack | Dict[bytes, bytes]
    _expiries: FieldExpiries | None

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        """Make an empty hash, which turns into a hashtable at `limits`."""
        self.limits = limits
        self._body = ListPack()
        self._expiries = None

    @property
    def encoding(self) -> str:
        """What OBJECT ENCODING says: listpack or hashtable."""
        return "hashtable" if isinstance(self._body, Dict) else "listpack"

    @property
    def pack(self) -> ListPack | None:
        """The listpack that holds the hash, field, value, field, value ..., or None: for RDB files."""
        return self._body if isinstance(self._body, ListPack) else None

    @property
    def table(self) -> Dict[bytes, bytes] | None:
        """The hash table that holds the hash, or None while it is small: to look at."""
        return self._body if isinstance(self._body, Dict) else None

    @classmethod
    def from_pack(
        cls, pack: ListPack, limits: Limits = DEFAULT_LIMITS, elements: list[bytes] | None = None
    ) -> HashValue:
        """The hash in `pack`, which it takes over; ValueError on an odd length or a field twice. O(n).

        `elements` are those of the pack, if somebody has read them already.
        """
        if elements is None:
            elements = pack.to_list()
        fields = elements[::2]
        if len(elements) % 2 or len(set(fields)) != len(fields):
            msg = "a hash's listpack must alternate between different fields and their values"
            raise ValueError(msg)
        value = cls(limits)
        value._body = pack
        longest = max(map(len, elements), default=0)
        if len(fields) > limits.hash_max_listpack_entries or longest > limits.hash_max_listpack_value:
            value._to_hashtable()
        return value

    # One field.

    def __len__(self) -> int:
        """The number of fields. O(1)."""
        body = self._body
        return len(body) if isinstance(body, Dict) else len(body) // 2

    def get(self, field: bytes) -> bytes | None:
        """The value of `field`, or None."""
        body = self._body
        if isinstance(body, Dict):
            return body.get(field)
        pos = body.find_value(field)
        return body.get(pos) if pos >= 0 else None

    def __contains__(self, field: bytes) -> bool:
        """Whether there is such a field."""
        body = self._body
        return field in body if isinstance(body, Dict) else body.find(field, 0, 1) >= 0

    def length_of(self, field: bytes) -> int:
        """The length of the value of `field` in bytes, 0 without the field."""
        return len(self.get(field) or b"")

    def set(self, field: bytes, value: bytes, *, keep_expiry: bool = False) -> bool:
        """Give `field` a value; return whether it is new. It loses its expiry, unless that is to be kept.

        HSET and HSETNX let a field live on for ever; HINCRBY and HSETEX KEEPTTL keep the time it has.
        """
        body = self._body
        if type(body) is ListPack:
            limits = self.limits
            longest = limits.hash_max_listpack_value
            if len(field) <= longest and len(value) <= longest:
                pos = body.find_value(field)
                room = 2 * limits.hash_max_listpack_entries - body.count
                if pos >= 0 and room >= 0:
                    body.replace_at(pos, value)
                    return False
                if pos < 0 and room > 0:
                    body.append(field)
                    body.append(value)
                    return True
            body = self._to_hashtable()
        elif self._expiries is not None and not keep_expiry:
            self._expiries.discard(field)
        assert isinstance(body, Dict)
        before = len(body)
        body[field] = value
        return len(body) != before

    def update(self, pairs: Sequence[tuple[bytes, bytes]], *, keep_expiry: bool = False) -> int:
        """Set many fields; return how many are new. As HSET, it holds pairs, not fields, to the limit."""
        if isinstance(self._body, ListPack) and len(pairs) > self.limits.hash_max_listpack_entries:
            self._to_hashtable()
        return sum([self.set(field, value, keep_expiry=keep_expiry) for field, value in pairs])

    def delete(self, field: bytes) -> bool:
        """Remove `field` and its expiry; return whether it was there."""
        if self._expiries is not None:
            self._expiries.discard(field)
        body = self._body
        if isinstance(body, Dict):
            return body.pop(field, None) is not None
        pos = body.find(field, 0, 1)
        if pos < 0:
            return False
        body.delete_at(pos, 2)
        return True

    def _to_hashtable(self) -> Dict[bytes, bytes]:
        """Become a hashtable, and return it. O(n)."""
        table = Dict(self.items())
        self._body = table
        return table

    # All of them.

    def fields(self) -> Iterator[bytes]:
        """The fields, in order of insertion while a listpack. The hash must not change meanwhile."""
        body = self._body
        return iter(body) if isinstance(body, Dict) else iter(body.to_list()[::2])

    def __iter__(self) -> Iterator[bytes]:
        """The fields."""
        return self.fields()

    def values(self) -> Iterator[bytes]:
        """The values, in the order of the fields."""
        body = self._body
        return body.values() if isinstance(body, Dict) else iter(body.to_list()[1::2])

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """The fields with their values."""
        body = self._body
        if isinstance(body, Dict):
            return body.items()
        elements = iter(body.to_list())
        return zip(elements, elements, strict=True)

    def scan(self, cursor: int, count: int = 10) -> tuple[int, list[tuple[bytes, bytes]]]:
        """About `count` items and the next cursor, guaranteed as by `Dict.scan`; a listpack comes whole."""
        body = self._body
        return body.scan(cursor, count) if isinstance(body, Dict) else (0, list(self.items()))

    def random_fields(self, count: int, rng: Random) -> list[tuple[bytes, bytes]]:
        """Fields with their values, fairly drawn: up to `count` different ones, or -count that may repeat.

        An empty hash gives none. O(count) as a hashtable.
        """
        body = self._body
        if not len(body):
            return []
        if isinstance(body, Dict):
            if count >= 0:
                return body.random_items(count, rng)
            return [body.random_item(rng) for _ in range(-count)]
        items = list(self.items())
        return rng.sample(items, min(count, len(items))) if count >= 0 else rng.choices(items, k=-count)

    # Expiry of fields.

    @property
    def has_expiries(self) -> bool:
        """Whether any field expires. O(1)."""
        return self._expiries is not None and len(self._expiries) > 0

    @property
    def next_expiry(self) -> int | None:
        """When the first field expires, in milliseconds since the epoch, or None. O(1), amortised."""
        return None if self._expiries is None else self._expiries.next()

    def expire_at(self, field: bytes) -> int | None:
        """When `field` expires, in milliseconds since the epoch, or None. O(1)."""
        return None if self._expiries is None else self._expiries.get(field)

    def expiries(self) -> Iterator[tuple[bytes, int]]:
        """The fields that expire, each with its time: for RDB files and rewrites of the log."""
        return iter(()) if self._expiries is None else self._expiries.items()

    def set_expiry(self, field: bytes, time_ms: int | None) -> None:
        """Let `field` expire at `time_ms`, or never; KeyError if there is no such field. O(log n)."""
        if field not in self:
            raise KeyError(field)
        if time_ms is not None:
            if isinstance(self._body, ListPack):
                self._to_hashtable()
            if self._expiries is None:
                self._expiries = FieldExpiries()
            self._expiries.set(field, time_ms)
        elif self._expiries is not None:
            self._expiries.discard(field)

    def pop_expired(self, now_ms: int, limit: int | None = None) -> list[bytes]:
        """Remove the fields that expired before `now_ms`, at most `limit`; return them. O(log n) a field."""
        if self._expiries is None:
            return []
        due = self._expiries.pop_due(now_ms, limit)
        for field in due:
            self.delete(field)
        return due

    # The whole value.

    def copy(self) -> HashValue:
        """The same hash, of the same encoding and with the same expiries. O(n)."""
        twin = HashValue(self.limits)
        twin._body = self._body.copy()
        twin._expiries = None if self._expiries is None else self._expiries.copy()
        return twin

    def dismantle(self) -> Iterator[object]:
        """Take the value apart, a bounded piece with each step; it must not be used any more. For freeing large ones."""
        if isinstance(self._body, Dict):
            yield from self._body.dismantle()

    def memory_usage(self, samples: int = 5) -> int:
        """Bytes of this process, estimated from so many of the fields (0: all). O(samples)."""
        body = self._body
        total = sys.getsizeof(self) + (0 if self._expiries is None else self._expiries.memory_usage())
        if isinstance(body, ListPack):
            return total + body.memory_usage()
        sizes = [
            sys.getsizeof(field) + sys.getsizeof(value)
            for field, value in islice(body.items(), samples or None)
        ]
        return total + body.memory_usage(samples) + (sum(sizes) * len(body) // len(sizes) if sizes else 0)

    def check(self) -> None:
        """Assert every invariant. O(n)."""
        self._body.check()
        fields = list(self.fields())
        assert len(set(fields)) == len(fields) == len(self), "a field twice"
        if self._expiries is not None:
            assert isinstance(self._body, Dict), "a listpack has no room for times"
            self._expiries.check()
            assert all(field in self for field, _ in self._expiries.items()), (
                "expiry of a field that is not there"
            )
