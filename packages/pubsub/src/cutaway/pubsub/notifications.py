"""Keyspace notifications: what happens to keys, told over publish/subscribe.

Whoever wants to know that a key was changed, has expired or was evicted subscribes to one of two channels.
For `DEL cart:7` in database 0 both are published:

    __keyspace@0__:cart:7   del          what happened to this key?
    __keyevent@0__:del      cart:7       to which keys did this happen?

As anything in publish/subscribe they are not stored; and `expired` tells of the moment in which the key was
*removed*, by a lookup or by the background cycle, not of the moment in which its time was over.

They cost something with each write, so `notify-keyspace-events` says which are wanted, a letter for each
class: `K` and `E` for the two channels, `g` for commands of any type, `$` strings, `l` lists, `s` sets, `h`
hashes, `z` sorted sets, `t` streams, `x` expired, `e` evicted, `d` events of modules; `A` is all of these.
`m` (a read missed) and `n` (a key is new) come only if asked for by name. Without a channel or without a
class nothing is told, and the keyspace has no listener.

A command says what happened in one word, the event (`Database.changed(key, "lpush")`). A word belongs to one
class, so the table below is all we need.

Source: https://valkey.io/topics/notifications/, and the calls of `notifyKeyspaceEvent` in Redis 7.2 and
Valkey 8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cutaway.config.special import ALL_EVENTS

if TYPE_CHECKING:
    from cutaway.commands import Database, Engine
    from cutaway.config.values import Value
    from cutaway.pubsub.channels import Hub

EVENTS: Final[dict[str, str]] = {
    "g": "del rename_from rename_to copy_to move_from move_to expire persist restore",
    "$": "set append setrange setbit incrby incrbyfloat pfadd",
    "l": "lpush rpush lpop rpop linsert lset lrem ltrim sortstore",
    "s": "sadd srem spop sinterstore sunionstore sdiffstore",
    "h": "hset hdel hincrby hincrbyfloat hexpire hexpired hpersist",
    "z": "zadd zincr zrem zremrangebyscore zremrangebyrank zremrangebylex zpopmin zpopmax zunionstore "
    "zinterstore zdiffstore zrangestore geosearchstore georadiusstore",
    "t": "xadd xdel xtrim xsetid xgroup-create xgroup-createconsumer xgroup-delconsumer xgroup-destroy "
    "xgroup-setid",
    "x": "expired",
    "e": "evicted",
    "m": "keymiss",
    "n": "new",
}
"""The events of each class."""
CLASS_OF: Final[dict[str, str]] = {
    event: letter for letter, events in EVENTS.items() for event in events.split()
}
MODULES: Final = "d"
"""The class of every event that the table does not know: only modules make up their own."""


class Notifications:
    """Publishes the events of one engine's keyspace, as far as its configuration asks for them."""

    __slots__ = ("_by_event", "_by_key", "_classes", "_hub", "_keyspace")

    def __init__(self, engine: Engine, hub: Hub) -> None:
        self._keyspace: Final = engine.keyspace
        self._hub: Final = hub
        self._classes: frozenset[str] = frozenset()
        self._by_key = self._by_event = False
        engine.config.subscribe("notify-keyspace-events", self._configure)

    def _configure(self, value: Value) -> None:
        letters = set(str(value))
        if "A" in letters:
            letters |= set(ALL_EVENTS)
        self._by_key = "K" in letters
        self._by_event = "E" in letters
        self._classes = frozenset(letters - set("AKE"))
        if self._classes and (self._by_key or self._by_event):
            self._keyspace.listen(self._on_change)
        else:
            self._keyspace.unlisten(self._on_change)

    def _on_change(self, database: Database, key: bytes, event: str, _modified: bool) -> None:  # noqa: FBT001
        hub = self._hub
        if not hub or not event or CLASS_OF.get(event, MODULES) not in self._classes:
            return
        name = event.encode()
        if self._by_key:
            hub.publish(b"__keyspace@%d__:%b" % (database.index, key), name)
        if self._by_event:
            hub.publish(b"__keyevent@%d__:%b" % (database.index, name), key)
