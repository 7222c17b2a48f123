"""Exercise transactions.watch: has anybody touched what I have just read?

A client names keys (WATCH), reads them, thinks, and then asks to run a transaction only if none of them has changed since. Nobody waits for anybody;
whoever comes second is told, and tries again.

The engine tells you what happens; you keep the record. A key is a `Place`: the number of its database, and its name.

The contract
  * `prepare()` is called once. `watch_key(client, place)`: this client watches that key from now on. Clients are numbers.
  * `changed(place)`: a key was written, deleted, flushed, or removed because it had expired. Also called for keys that nobody watches.
  * `is_touched_for(client)`: EXEC asks whether anything that the client watches was changed since it began to watch it.
  * `forget(client)`: it watches nothing any more, and nothing counts as touched. Called for clients that never watched anything, too.
  * Expiry. A key whose time runs out after it was watched has been touched, even if nobody has looked at it and it still lies in memory. A key whose
    time was over *before* it was watched was gone from the start: when its remains are removed, nothing has changed for this client.
    `self.is_over(place)` says whether the remains of an expired key lie there; `self.exists(place)` whether anything is stored under the name.

Check yourself:   python -m cutaway.learn check transactions.watch
Stuck?            python -m cutaway.learn hint transactions.watch
"""

from __future__ import annotations

from cutaway.learn.rest import Place, WatchesRest


class Watches(WatchesRest):
    """Who watches what, and who must be told that it was touched."""

    def prepare(self) -> None:
        """Make the record, empty."""

    def watch_key(self, client: int, place: Place) -> None:
        """A client watches a key from now on."""

    def forget(self, client: int) -> None:
        """A client watches nothing any more."""

    def changed(self, place: Place) -> None:
        """A key was changed, by whatever means."""

    def is_touched_for(self, client: int) -> bool:
        """Whether anything that the client watches was changed, or is over by now."""
        raise NotImplementedError


def test_a_change_is_noticed() -> None:
    """The first step. An engine with no commands is enough to talk to your record by hand."""
    from cutaway.commands import Engine  # noqa: PLC0415 - only this test needs it

    watches = Watches(Engine())
    watches.watch_key(1, (0, b"k"))
    watches.changed((0, b"k"))
    got = watches.is_touched_for(1)
    assert got is True
