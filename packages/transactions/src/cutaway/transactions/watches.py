"""WATCH: has anybody touched what I have read?

A client names keys, reads them, thinks, and then asks to run a transaction *only if none of them has changed since*. That
is optimistic locking, or check-and-set: nobody waits for anybody, and whoever comes second tries again.

The bookkeeping is a map from each watched key to the clients that watch it. A listener of the keyspace, there only while
somebody watches, marks those clients when the key is changed, by whatever means: written, deleted, expired, renamed
onto, or gone with a FLUSHALL or a SWAPDB. It marks, it does not compare: a key that is deleted and set again to the same
value has been touched.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from cutaway.commands import Client, Database, Engine, Entry

if TYPE_CHECKING:
    from cutaway.datastructures import Dict

Place = tuple[int, bytes]


class Watches:
    """Who watches which key. One for each engine."""

    __slots__ = ("_keyspace", "_places", "_touched", "_watchers")

    def __init__(self, engine: Engine) -> None:
        self._keyspace: Final = engine.keyspace
        self._watchers: Final[dict[Place, dict[int, Client]]] = {}
        self._places: Final[dict[int, dict[Place, None]]] = {}
        self._touched: Final[set[int]] = set()

    def watch(self, client: Client, keys: Iterable[bytes]) -> None:
        """Watch `keys` in the client's current database, on behalf of `client`. O(keys)."""
        if not self._watchers:
            self._keyspace.listen(self._on_change)
            self._keyspace.on_replaced = (*self._keyspace.on_replaced, self._on_replaced)
        places = self._places.setdefault(client.id, {})
        for key in keys:
            client.db.peek(key)  # what has expired by now is gone by now, and cannot go later
            place = (client.db.index, key)
            places[place] = None
            self._watchers.setdefault(place, {})[client.id] = client

    def unwatch(self, client: Client) -> None:
        """Forget all that `client` watches. O(keys)."""
        self._touched.discard(client.id)
        places = self._places.pop(client.id, None)
        if places is None:
            return
        for place in places:
            watchers = self._watchers[place]
            del watchers[client.id]
            if not watchers:
                del self._watchers[place]
        if not self._watchers:
            self._keyspace.unlisten(self._on_change)
            self._keyspace.on_replaced = tuple(
                each for each in self._keyspace.on_replaced if each != self._on_replaced
            )

    def is_touched(self, client: Client) -> bool:
        """Whether anything that `client` watches was changed, or has expired by now. O(keys)."""
        for index, key in list(self._places.get(client.id, ())):
            self._keyspace.databases[index].peek(key)
        return client.id in self._touched

    def count(self, client: Client) -> int:
        """How many keys `client` watches (CLIENT LIST's `watch`)."""
        return len(self._places.get(client.id, ()))

    @property
    def clients(self) -> int:
        """How many clients watch something."""
        return len(self._places)

    @property
    def keys(self) -> int:
        """How many keys somebody watches."""
        return len(self._watchers)

    def _on_change(self, database: Database, key: bytes, _event: str, modified: bool) -> None:  # noqa: FBT001
        if modified:
            watchers = self._watchers.get((database.index, key))
            if watchers is not None:
                self._touched.update(watchers)

    def _on_replaced(self, database: Database, old: Dict[bytes, Entry], new: Dict[bytes, Entry]) -> None:
        for (index, key), watchers in self._watchers.items():
            if index == database.index and (key in old or key in new):
                self._touched.update(watchers)
