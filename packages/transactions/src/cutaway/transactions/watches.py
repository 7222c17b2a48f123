"""WATCH: knowing whether anybody has touched what one has read.

A client names keys, reads them, thinks, and then asks to run a transaction *only if none of them has changed
since*. That is optimistic locking, or check-and-set: nobody waits for anybody, and whoever comes second tries
again.

The bookkeeping is a map from each watched key to the clients that watch it. A listener of the keyspace, there
only while somebody watches, marks those clients when the key is changed, by whatever means: written, deleted,
renamed onto, or gone with a FLUSHALL or a SWAPDB. It marks, it does not compare: a key that is deleted and
set again to the same value has been touched. A client that is marked needs no more watching, so what it
watched is forgotten at once.

Expiry needs care, because an expired key stays in memory until somebody looks at it. A key whose time comes
after WATCH has changed, whether it was removed yet or not: EXEC looks at the clock. A key whose time was over
*before* WATCH was gone for this client from the start; when its remains are removed, nothing changes. Such a
watch is called stale.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from cutaway.commands import Client, Database, Engine, Entry

if TYPE_CHECKING:
    from cutaway.datastructures import Dict

ROOM: Final = "watches"
MARKED: Final = "d"
"""The letter of CLIENT LIST for a client whose EXEC will fail."""
Place = tuple[int, bytes]
WATCH_BYTES: Final = 430
"""What a watch takes besides the key's name: its place in the two tables. Measured."""


class Watched:
    """What one client watches."""

    __slots__ = ("is_marked", "name_bytes", "places")

    def __init__(self) -> None:
        self.places: Final[dict[Place, bool]] = {}
        """Each watched key, and whether the watch is stale."""
        self.name_bytes = 0
        """The length of the keys' names, together."""
        self.is_marked = False

    def info(self) -> dict[str, int]:
        """For CLIENT LIST."""
        return {"watch": len(self.places)}

    def memory_usage(self) -> int:
        """What the watches take, in bytes. O(1)."""
        return self.name_bytes + WATCH_BYTES * len(self.places)


class Watches:
    """Who watches which key. One for each engine."""

    __slots__ = ("_keyspace", "_watchers")

    def __init__(self, engine: Engine) -> None:
        self._keyspace: Final = engine.keyspace
        self._watchers: Final[dict[Place, dict[int, tuple[Client, Watched]]]] = {}

    def watch(self, client: Client, keys: Iterable[bytes]) -> None:
        """Watch `keys` in the client's current database, on behalf of `client`. O(keys)."""
        watched: Watched | None = client.extras.get(ROOM)
        if watched is None:
            watched = client.extras[ROOM] = Watched()
        if watched.is_marked:
            return
        if not self._watchers:
            self._keyspace.listen(self._on_change)
            self._keyspace.on_replaced = (*self._keyspace.on_replaced, self._on_replaced)
        for key in keys:
            place = (client.db.index, key)
            if place not in watched.places:
                watched.places[place] = self._is_over(client.db.keys.get(key))
                self._watchers.setdefault(place, {})[client.id] = (client, watched)
                watched.name_bytes += len(key)

    def unwatch(self, client: Client) -> None:
        """Forget all that `client` watches, and that anything of it was touched. O(keys)."""
        watched: Watched | None = client.extras.pop(ROOM, None)
        if watched is not None:
            client.flags.discard(MARKED)
            self._release(client, watched)

    def _release(self, client: Client, watched: Watched) -> None:
        for place in watched.places:
            watchers = self._watchers[place]
            del watchers[client.id]
            if not watchers:
                del self._watchers[place]
        watched.places.clear()
        watched.name_bytes = 0
        if not self._watchers:
            self._keyspace.unlisten(self._on_change)
            self._keyspace.on_replaced = tuple(
                each for each in self._keyspace.on_replaced if each != self._on_replaced
            )

    def is_marked(self, client: Client) -> bool:
        """Whether anything that `client` watches is known to have changed. O(1)."""
        return MARKED in client.flags

    def is_touched(self, client: Client) -> bool:
        """Whether anything that `client` watches was changed, or has expired by now. O(keys)."""
        watched: Watched | None = client.extras.get(ROOM)
        if watched is None:
            return False
        databases = self._keyspace.databases
        return watched.is_marked or any(
            self._is_over(databases[index].keys.get(key))
            for (index, key), stale in watched.places.items()
            if not stale
        )

    @property
    def clients(self) -> int:
        """How many clients watch something. O(watches)."""
        return len({identity for watchers in self._watchers.values() for identity in watchers})

    @property
    def keys(self) -> int:
        """How many keys somebody watches."""
        return len(self._watchers)

    def _is_over(self, entry: Entry | None) -> bool:
        """Whether there is a key, but its time has passed."""
        return entry is not None and 0 < entry.expire_at <= self._keyspace.now

    def _mark(self, client: Client, watched: Watched) -> None:
        watched.is_marked = True
        client.flags.add(MARKED)
        self._release(client, watched)

    def _on_change(self, database: Database, key: bytes, _event: str, modified: bool) -> None:  # noqa: FBT001
        place = (database.index, key)
        if modified and place in self._watchers:
            for client, watched in list(self._watchers[place].values()):
                if watched.places[place] and key not in database.keys:
                    watched.places[place] = (
                        False  # the remains of what was over before are removed: no change
                    )
                else:
                    self._mark(client, watched)

    def _on_replaced(self, database: Database, old: Dict[bytes, Entry], new: Dict[bytes, Entry]) -> None:
        for place, watchers in list(self._watchers.items()):
            index, key = place
            if index != database.index or (key not in old and key not in new):
                continue
            for client, watched in list(watchers.values()):
                was_gone = watched.places[place] or key not in old
                is_gone = key not in new or self._is_over(new[key])
                if was_gone and is_gone:
                    watched.places[place] = key in new
                else:
                    self._mark(client, watched)
