"""The keyspace: sixteen databases, each a dictionary from key to entry.

An `Entry` is what Redis calls an object: a value, the moment it expires, and a stamp of its last use for eviction. The
value itself says its type: `int`, `bytes` and `bytearray` are strings in their three encodings, every other type is a
structure of `cutaway.datastructures`.

Two rules keep the rest of the house simple:

* Whoever looks a key up never sees an expired one. `Database` checks the expiry on each lookup and removes what is
  over (lazy expiry); a cycle in the background removes what nobody asks for (`expiry.py`).
* Whoever changes a value says so, once, with `Database.changed(key, event)`. The listeners of the keyspace hang on that
  one call: WATCH, keyspace notifications, client-side caching, and clients that wait for the key. So does the
  counter `dirty`, by which the engine knows that the command was a write and has to be propagated.

An entry's access stamp has two meanings, as in Redis: under an LRU policy the clock at the last use, under an LFU policy
a decaying logarithmic counter. `access_for` is swapped when the policy changes.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, TypeVar

from cutaway.commands import errors
from cutaway.commands.arguments import INT64_MAX, INT64_MIN
from cutaway.datastructures import Dict
from cutaway.datastructures.eviction_clocks import lru_clock
from cutaway.datastructures.limits import DEFAULT_LIMITS, Limits

DATABASES: Final = 16
EMBEDDED_MAX: Final = 44
"""The longest string, in bytes, that Redis keeps inside the object itself (encoding "embstr")."""

T = TypeVar("T")
ChangeListener = Callable[["Database", bytes, str, bool], None]
ReplacedListener = Callable[["Database", "Dict[bytes, Entry]", "Dict[bytes, Entry]"], None]


class Entry:
    """A key's value with its expiry and access stamp."""

    __slots__ = ("access", "expire_at", "size", "value")

    def __init__(self, value: Any, access: int) -> None:
        self.value = value
        self.expire_at = 0
        """Milliseconds since the epoch; 0 for never."""
        self.access = access
        self.size = 0
        """What the key takes, in units of 16 bytes, as counted last; 0 while nobody counts (`accounting.py`)."""


def type_name(value: Any) -> str:
    """Redis's name of a value's type: "string", "list", "set", "zset", "hash", "stream", or a module's."""
    if isinstance(value, (bytes, int, bytearray)):
        return "string"
    return str(value.type_name)


def encoding(value: Any) -> str:
    """What OBJECT ENCODING answers for a value: the name of the structure that holds it."""
    if isinstance(value, int):
        return "int"
    if isinstance(value, bytes):
        return "embstr" if len(value) <= EMBEDDED_MAX else "raw"
    if isinstance(value, bytearray):
        return "raw"
    return str(value.encoding)


class Database:
    """One of the keyspace's numbered dictionaries. All times are milliseconds since the epoch."""

    __slots__ = (
        "average_ttl", "counted", "expires", "index", "keys", "keyspace", "size", "volatile_fields",
    )  # fmt: skip

    def __init__(self, keyspace: Keyspace, index: int) -> None:
        self.keyspace: Final = keyspace
        self.index = index
        self.keys: Dict[bytes, Entry] = keyspace.make_dict()
        self.expires: Dict[bytes, Entry] = keyspace.make_dict()
        """The keys that have an expiry: the same entries again."""
        self.volatile_fields: Final[dict[bytes, Entry]] = {}
        """Hashes with fields that expire."""
        self.average_ttl = 0
        self.size = self.counted = 0
        """The sum of all entries' `size`, and how many of them have one."""

    def __len__(self) -> int:
        return len(self.keys)

    # ---- looking up

    def peek(self, key: bytes) -> Entry | None:
        """The key's entry, without a trace: no statistics, no access stamp. An expired key is removed. O(1)."""
        entry = self.keys.get(key)
        if entry is not None and entry.expire_at and entry.expire_at <= self.keyspace.now:
            return self._expired(key, entry)
        return entry

    def glance(self, key: bytes) -> Entry | None:
        """The entry, for a command that asks about a key: counts a hit or a miss, but is no access. O(1)."""
        entry = self.peek(key)
        if entry is None:
            self.keyspace.misses += 1
            self.notify(key, "keymiss")
        else:
            self.keyspace.hits += 1
        return entry

    def lookup_read(self, key: bytes) -> Entry | None:
        """The entry, for a command that reads: counts a hit or a miss and stamps the access. O(1)."""
        keyspace = self.keyspace
        entry = self.keys.get(key)
        if entry is not None and entry.expire_at and entry.expire_at <= keyspace.now:
            entry = self._expired(key, entry)
        if entry is None:
            keyspace.misses += 1
            if keyspace.on_change:
                self.notify(key, "keymiss")
            return None
        keyspace.hits += 1
        if keyspace.access_for is None:
            entry.access = keyspace.lru_clock
        else:
            entry.access = keyspace.access_for(entry.access)
        return entry

    def lookup_write(self, key: bytes) -> Entry | None:
        """The entry, for a command that will change it: as `lookup_read`, but counts no hit and no miss. O(1)."""
        entry = self.keys.get(key)
        if entry is None:
            return None
        keyspace = self.keyspace
        if entry.expire_at and entry.expire_at <= keyspace.now:
            return self._expired(key, entry)
        if keyspace.access_for is None:
            entry.access = keyspace.lru_clock
        else:
            entry.access = keyspace.access_for(entry.access)
        return entry

    def read(self, key: bytes, kind: type[T]) -> T | None:
        """The value, if the key exists; raises WRONGTYPE if it is not of class `kind`. For commands that read."""
        entry = self.lookup_read(key)
        if entry is None:
            return None
        value = entry.value
        if type(value) is not kind:
            raise errors.WRONG_TYPE
        return value

    def write(self, key: bytes, kind: type[T]) -> T | None:
        """As `read`, for commands that will change the value in place."""
        entry = self.lookup_write(key)
        if entry is None:
            return None
        value = entry.value
        if type(value) is not kind:
            raise errors.WRONG_TYPE
        return value

    def read_string(self, key: bytes) -> bytes | None:
        """The string at `key` as bytes, or None; raises WRONGTYPE. O(1), O(n) for a string grown in place."""
        entry = self.lookup_read(key)
        if entry is None:
            return None
        value = entry.value
        if type(value) is bytes:
            return value
        if type(value) is int:
            return b"%d" % value
        if type(value) is bytearray:
            return bytes(value)
        raise errors.WRONG_TYPE

    def read_strings(self, keys: Iterable[bytes]) -> list[bytes | None]:
        """What `read_string` gives for each of the first keys, up to one that is over, or no string. O(keys).

        For when the keyspace is unobserved.
        """
        keyspace = self.keyspace
        now, access = keyspace.now, keyspace.lru_clock
        strings: list[bytes | None] = []
        misses = 0
        for entry in self.keys.get_all(keys):
            if entry is None:
                misses += 1
                strings.append(None)
                continue
            value = entry.value
            if entry.expire_at and entry.expire_at <= now:
                break
            if type(value) is bytes:
                strings.append(value)
            elif type(value) is int:
                strings.append(b"%d" % value)
            else:
                break
            entry.access = access
        keyspace.misses += misses
        keyspace.hits += len(strings) - misses
        return strings

    # ---- changing

    def add(self, key: bytes, value: Any) -> Entry:
        """Store a value under a key that does not exist; the caller calls `changed`. O(1)."""
        keyspace = self.keyspace
        entry = Entry(value, keyspace.lru_clock if keyspace.access_for is None else keyspace.first_access)
        self.keys[key] = entry
        if keyspace.on_change:
            self.notify(key, "new")
        return entry

    def set(self, key: bytes, value: Any, expire_at: int = 0, keep_ttl: bool = False) -> Entry:  # noqa: FBT001, FBT002
        """Store a value, whatever was there; the caller calls `changed`. O(1), the old value's release aside."""
        keyspace = self.keyspace
        entry = self.keys.get(key)
        if entry is not None and entry.expire_at:
            entry = self._overwrite_expiring(key, entry, keep_ttl or expire_at > 0)
        if entry is None:
            entry = self.add(key, value)
        else:
            old = entry.value
            if type(old) is not bytes and type(old) is not int:
                self._drop(key, old)
            entry.value = value
            if keyspace.access_for is None:
                entry.access = keyspace.lru_clock
            else:
                entry.access = keyspace.access_for(entry.access)
        if expire_at:
            self.expire(key, entry, expire_at)
        return entry

    def set_strings(self, keys: Sequence[bytes], values: Iterable[bytes | int]) -> int:
        """Do `set` and `changed` for the first of these, up to a key that has an expiry or holds no string; how many. O(keys).

        For when the keyspace is unobserved.
        """
        keyspace, entries = self.keyspace, self.keys
        access = keyspace.lru_clock
        count = 0
        for key, value, entry in zip(keys, values, entries.get_all(keys), strict=True):
            if entry is None:  # or set a moment ago, and then it is as well made once more
                entries[key] = Entry(value, access)
            else:
                old = entry.value
                if entry.expire_at or (type(old) is not bytes and type(old) is not int):
                    break
                entry.value = value
                entry.access = access
            count += 1
        keyspace.dirty += count
        return count

    def add_to_integers(self, keys: Iterable[bytes], step: int) -> list[int]:
        """Add `step` to the integer at each of the first keys, up to one that is over, holds none, or would leave 64 bits; the sums. O(keys).

        Notes the changes as well. For when the keyspace is unobserved.
        """
        keyspace = self.keyspace
        now, access = keyspace.now, keyspace.lru_clock
        sums: list[int] = []
        for entry in self.keys.get_all(keys):
            if entry is None or type(entry.value) is not int or (entry.expire_at and entry.expire_at <= now):
                break
            value: int = entry.value + step
            if not INT64_MIN <= value <= INT64_MAX:
                break
            entry.value = value
            entry.access = access
            sums.append(value)
        keyspace.dirty += len(sums)
        return sums

    def _overwrite_expiring(self, key: bytes, entry: Entry, keep_ttl: bool) -> Entry | None:  # noqa: FBT001
        """Before a key with an expiry is set: it may be over, and unless `keep_ttl` it loses its expiry."""
        if entry.expire_at <= self.keyspace.now:
            return self._expired(key, entry)
        if not keep_ttl:
            self.persist(key, entry)
        return entry

    def _drop(self, key: bytes, value: Any) -> None:
        """A value that may be large, or hold fields that expire, makes room for another one."""
        if self.volatile_fields:
            self.volatile_fields.pop(key, None)
        self.keyspace.release(value)

    def expire(self, key: bytes, entry: Entry, at: int) -> None:
        """Let the key end at `at` (milliseconds since the epoch). O(1)."""
        entry.expire_at = at
        self.expires[key] = entry

    def persist(self, key: bytes, entry: Entry) -> None:
        """Take the key's expiry away. O(1)."""
        entry.expire_at = 0
        self.expires.pop(key, None)

    def remove(self, key: bytes) -> Entry | None:
        """Take the key out and give its entry, expiry included; the caller calls `changed`. O(1)."""
        entry = self.keys.pop(key, None)
        if entry is not None:
            if entry.expire_at:
                self.expires.pop(key, None)
            if self.volatile_fields:
                self.volatile_fields.pop(key, None)
            if entry.size:
                self.resize(entry, 0)
        return entry

    def resize(self, entry: Entry, size: int) -> None:
        """Note that a key takes `size` units of 16 bytes now; 0 for one that is gone. O(1)."""
        growth = size - entry.size
        self.counted += (size > 0) - (entry.size > 0)
        self.size += growth
        self.keyspace.size += growth
        entry.size = size

    def delete(self, key: bytes, event: str = "del") -> bool:
        """Remove a key that still lives and say so; True if there was one. O(1), the value's release aside."""
        if self.peek(key) is None:
            return False
        entry = self.remove(key)
        assert entry is not None
        self.keyspace.release(entry.value)
        self.changed(key, event)
        return True

    def delete_if_empty(self, key: bytes, value: Any) -> bool:
        """A collection that has lost its last element takes its key with it ("del" is notified); True if so."""
        if len(value):
            return False
        self.remove(key)
        self.notify(key, "del")
        return True

    def changed(self, key: bytes, event: str, count: int = 1) -> None:
        """The value at `key` was changed by `count` operations: dirty, WATCH, notifications, caches, waiters. O(1)."""
        keyspace = self.keyspace
        keyspace.dirty += count
        for listener in keyspace.on_change:
            listener(self, key, event, True)

    def notify(self, key: bytes, event: str) -> None:
        """Something happened to `key` that is an event, but no (further) change: "expire", "keymiss", "new" ..."""
        for listener in self.keyspace.on_change:
            listener(self, key, event, False)

    def clear(self) -> None:
        """Drop all keys at once; the caller sees to notifications. The values are released away from the reply."""
        keyspace = self.keyspace
        keyspace.release(self.expires)
        keyspace.release(self.keys)
        empty: Dict[bytes, Entry] = keyspace.make_dict()
        for listener in keyspace.on_replaced:
            listener(self, self.keys, empty)
        self.keys = empty
        self.expires = keyspace.make_dict()
        self.volatile_fields.clear()
        keyspace.size -= self.size
        self.average_ttl = self.size = self.counted = 0

    def _expired(self, key: bytes, entry: Entry) -> Entry | None:
        if not self.keyspace.may_expire:
            return None if self.keyspace.hides_expired else entry
        self.expire_now(key)
        return None

    def expire_now(self, key: bytes, event: str = "expired") -> None:
        """The key's time is over (or memory is short: "evicted"): remove it and propagate the deletion. O(1)."""
        entry = self.remove(key)
        if entry is None:
            return
        keyspace = self.keyspace
        keyspace.release(entry.value)
        if event == "expired":
            keyspace.expired_keys += 1
        else:
            keyspace.evicted_keys += 1
        keyspace.propagate_deletion(self.index, key, event)
        for listener in keyspace.on_change:
            listener(self, key, event, True)

    def expire_fields(self, key: bytes, entry: Entry) -> list[bytes]:
        """Remove the hash fields at `key` whose time is over, propagate that, and give their names. O(fields gone)."""
        keyspace = self.keyspace
        fields: list[bytes] = entry.value.pop_expired(keyspace.now)
        if fields:
            keyspace.expired_fields += len(fields)
            keyspace.propagate_field_deletion(self.index, key, fields)
            for listener in keyspace.on_change:
                listener(self, key, "hexpired", True)
            if not len(entry.value):
                self.remove(key)
                self.notify(key, "del")
        if not entry.value.has_expiries:
            self.volatile_fields.pop(key, None)
        return fields

    # ---- walking

    def live_keys(self) -> Iterator[bytes]:
        """All keys that have not expired, in no order; none is removed meanwhile. O(n)."""
        now = self.keyspace.now
        for key, entry in self.keys.items():
            if not entry.expire_at or entry.expire_at > now:
                yield key


def _ignore_deletion(_index: int, _key: bytes, _event: str) -> None:
    """The default while nothing is propagated."""


def _ignore_field_deletion(_index: int, _key: bytes, _fields: list[bytes]) -> None:
    """The default while nothing is propagated."""


def _release_now(_value: Any) -> None:
    """The default: the caller's reference is the last one, and memory comes back when that goes."""


class Keyspace:
    """All databases, with what they share: the moment, the random source, the limits, the listeners and counters."""

    __slots__ = (
        "access_for", "databases", "dirty", "evicted_keys", "expired_fields", "expired_keys", "first_access",
        "hides_expired", "hits", "limits", "lru_clock", "make_dict", "may_expire", "misses", "now",
        "on_change", "on_flushed", "on_replaced", "on_swapped", "propagate_deletion",
        "propagate_field_deletion", "random", "release", "size",
    )  # fmt: skip

    def __init__(
        self,
        count: int = DATABASES,
        *,
        now: int = 0,
        rng: random.Random | None = None,
        limits: Limits = DEFAULT_LIMITS,
        make_dict: Callable[[], Dict[bytes, Entry]] = Dict,
    ) -> None:
        self.now = now
        """The present moment in milliseconds since the epoch: fixed while a command (or a script) runs."""
        self.random: Final = rng if rng is not None else random.Random()
        self.limits: Final = limits
        self.make_dict: Final = make_dict
        self.dirty = 0
        """Changes so far; a difference over a command says that it wrote."""
        self.hits = self.misses = 0
        self.expired_keys = self.evicted_keys = self.expired_fields = 0
        self.size = 0
        """The sum of all databases' `size`: what the keys take, in units of 16 bytes, as far as they are counted."""
        self.on_change: tuple[ChangeListener, ...] = ()
        """Called with (database, key, event, modified); installed on first need, so that an unused one costs nothing."""
        self.on_replaced: tuple[ReplacedListener, ...] = ()
        """Called with (database, old keys, new keys) before all of them change at once: FLUSHDB, SWAPDB, a reload."""
        self.on_flushed: tuple[Callable[[Sequence[int]], None], ...] = ()
        """Called with the databases' numbers once all of their keys are gone: FLUSHDB, FLUSHALL."""
        self.on_swapped: tuple[Callable[[int, int], None], ...] = ()
        """Called with their numbers when two databases have exchanged their contents."""
        self.lru_clock = lru_clock(now)
        self.access_for: Callable[[int], int] | None = None
        """Under an LFU policy: the next access stamp from the last one."""
        self.first_access = 0
        self.may_expire = True
        """False on a replica, while loading, and while clients are paused: nothing is removed by time."""
        self.hides_expired = False
        """With `may_expire` false: whether an expired key looks gone all the same."""
        self.propagate_deletion: Callable[[int, bytes, str], None] = _ignore_deletion
        self.propagate_field_deletion: Callable[[int, bytes, list[bytes]], None] = _ignore_field_deletion
        self.release: Callable[[Any], None] = _release_now
        """Gets every value that is dropped; the server frees big ones a bit at a time."""
        self.databases: Final = [Database(self, index) for index in range(count)]

    @property
    def is_unobserved(self) -> bool:
        """Whether nobody listens to changes, and an access is noted by the clock alone."""
        return not self.on_change and self.access_for is None

    def listen(self, listener: ChangeListener) -> None:
        """Add a change listener, at the end, once."""
        if listener not in self.on_change:
            self.on_change = (*self.on_change, listener)

    def unlisten(self, listener: ChangeListener) -> None:
        """Remove a change listener."""
        self.on_change = tuple(each for each in self.on_change if each != listener)

    def flush(self, databases: Iterable[Database]) -> None:
        """Empty databases. O(1) each; their memory comes back bit by bit."""
        flushed = []
        for database in databases:
            flushed.append(database.index)
            self.dirty += len(database)
            database.clear()
        for listener in self.on_flushed:
            listener(flushed)

    def swap(self, first: int, second: int) -> None:
        """SWAPDB: two databases exchange their contents; clients stay with the number. O(1)."""
        one, other = self.databases[first], self.databases[second]
        if one is other:
            return
        for listener in self.on_replaced:
            listener(one, one.keys, other.keys)
            listener(other, other.keys, one.keys)
        one.keys, other.keys = other.keys, one.keys
        one.expires, other.expires = other.expires, one.expires
        one.average_ttl, other.average_ttl = other.average_ttl, one.average_ttl
        one.size, other.size = other.size, one.size
        one.counted, other.counted = other.counted, one.counted
        fields = dict(one.volatile_fields)
        one.volatile_fields.clear()
        one.volatile_fields.update(other.volatile_fields)
        other.volatile_fields.clear()
        other.volatile_fields.update(fields)
        for told in self.on_swapped:
            told(first, second)
