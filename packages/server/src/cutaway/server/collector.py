"""Python's cyclic garbage collector, kept away from the data set.

Nearly all memory comes back by reference counting. The collector is there for the rest, objects that refer to each other in a
circle, and to find those it goes through *all* objects of a generation, again and again: with a million keys that is a pause
of a tenth of a second, and more keys make it longer. Values hold no cycles, so all of that is for nothing.

So the automatic collection is off. Ten times a second the server collects what is young (garbage that is circular is mostly an
error's traceback, and dies young), and then freezes the survivors: they are counted as permanent, and never looked at again.
The price is that a cycle that lives for longer than a tenth of a second must be broken by hand when it is done with; there is
one, between a connection and its client, and `Connection.connection_lost` breaks it.
"""

from __future__ import annotations

import gc


def start() -> None:
    """Take over from the automatic collector."""
    gc.collect()
    gc.freeze()
    gc.disable()


def step() -> None:
    """Collect the garbage of the last moment. O(objects made since the last step that still live)."""
    gc.collect(0)
    gc.freeze()
