"""A solution of transactions.watch: for each client its keys, and whether each was stale when it was watched; and a set of those that are touched."""

from __future__ import annotations

from cutaway.learn.rest import Place, WatchesRest


class Watches(WatchesRest):
    """Who watches what, and who must be told that it was touched."""

    def prepare(self) -> None:
        """Make the record, empty."""
        self._places: dict[int, dict[Place, bool]] = {}
        self._touched: set[int] = set()

    def watch_key(self, client: int, place: Place) -> None:
        """A client watches a key from now on; a second WATCH of the same key changes nothing."""
        self._places.setdefault(client, {}).setdefault(place, self.is_over(place))

    def forget(self, client: int) -> None:
        """A client watches nothing any more."""
        self._places.pop(client, None)
        self._touched.discard(client)

    def changed(self, place: Place) -> None:
        """A key was changed, by whatever means."""
        for client, places in self._places.items():
            if place not in places:
                continue
            if places[place] and not self.exists(place):
                places[place] = False  # the remains were removed: no change, but the next one counts
            else:
                self._touched.add(client)

    def is_touched_for(self, client: int) -> bool:
        """Whether anything that the client watches was changed, or is over by now."""
        places = self._places.get(client, {})
        return client in self._touched or any(
            self.is_over(place) for place, stale in places.items() if not stale
        )
