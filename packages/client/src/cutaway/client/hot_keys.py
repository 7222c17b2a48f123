"""``--hotkeys``: the keys that are asked for most often, by the server's own count.

The server keeps such a count only under an LFU policy (`maxmemory-policy allkeys-lfu` or `volatile-lfu`): eight bits that
grow with the logarithm of the accesses and fade with time. OBJECT FREQ tells it.
"""

from __future__ import annotations

import sys
import time
from bisect import insort
from typing import Final

from cutaway.client.clients import Client
from cutaway.client.formats import quote
from cutaway.client.keyspaces import batches
from cutaway.client.options import Options
from cutaway.client.printing import complain
from cutaway.resp import ReplyError

KEPT: Final = 16
_TELL_EVERY: Final = 1_000_000


class Hottest:
    """The hottest keys so far, coldest first."""

    __slots__ = ("keys",)

    def __init__(self) -> None:
        self.keys: list[tuple[int, bytes]] = []
        """Counter and quoted name."""

    def take(self, key: bytes, counter: int) -> bool:
        """Look at one more; true if it is among the hottest. O(KEPT)."""
        if not counter or (len(self.keys) == KEPT and counter <= self.keys[0][0]):
            return False
        insort(self.keys, (counter, quote(key)), key=lambda pair: pair[0])
        del self.keys[:-KEPT]
        return True


def hottest(client: Client, options: Options) -> int:
    """Find the hottest keys; an interrupt ends the search and shows what was found. Gives the exit status."""
    print("\n# Scanning the entire keyspace to find hot keys as well as")
    print("# average sizes per key type.  You can use -i 0.1 to sleep 0.1 sec")
    print("# per 100 SCAN commands (not usually needed).\n", flush=True)
    found = Hottest()
    sampled = 0
    try:
        size = client.call("DBSIZE")
        expected = size if isinstance(size, int) else 0
        for number, keys in enumerate(batches(client, options), 1):
            percent = 100 * sampled / expected if expected else 100.0
            for key, counter in zip(keys, _counters(client, keys), strict=True):
                sampled += 1
                if sampled % _TELL_EVERY == 0:
                    print(f"[{percent:05.2f}%] Sampled {sampled} keys so far")
                if found.take(key, counter):
                    shown = quote(key).decode()
                    print(f"[{percent:05.2f}%] Hot key '{shown}' found so far with counter {counter}")
            if options.interval and number % 100 == 0:
                time.sleep(options.interval)
    except ReplyError as error:
        complain(f"Error: {error}")
        return 1
    except KeyboardInterrupt:
        pass
    print("\n-------- summary -------\n")
    print(f"Sampled {sampled} keys in the keyspace!")
    for counter, name in reversed(found.keys):
        print(f"hot key found with counter: {counter}\tkeyname: {name.decode()}")
    sys.stdout.flush()
    return 0


def _counters(client: Client, keys: list[bytes]) -> list[int]:
    """The counter of each key, 0 for one that has gone meanwhile. Raises ReplyError where there are none."""
    counters = []
    for reply in client.pipeline([("OBJECT", "FREQ", key) for key in keys]):
        if isinstance(reply, ReplyError) and "no such key" not in reply.message:
            raise reply
        counters.append(reply if isinstance(reply, int) else 0)
    return counters
