"""Making room: what goes when the memory that `maxmemory` grants is used up.

Before each command a gate compares two numbers, the memory in use (`accounting.py`) and the limit. If there is too much, keys
are evicted until there is not; if none may be, commands that would take more memory (those with the flag `denyoom`)
are refused with an OOM error. Without a limit the gate is not there at all.

===========  =======================================  ==========================================================
policy       of which keys                            the first to go
===========  =======================================  ==========================================================
lru          `allkeys-` all                           the one not used for longest
lfu          `volatile-` those with an expiry         the one used least often of late
random                                                whichever comes
ttl                                                   the one that expires first (`volatile-` only)
noeviction                                            none: writes fail
===========  =======================================  ==========================================================

Exact order would cost every read a change of some list (`caches.py` in datastructures shows it). Redis guesses instead: it looks
at `maxmemory-samples` random keys of each database, keeps the best sixteen it has ever met in a pool, and evicts the best of
the pool. Clocks, counters and pool are in `eviction_clocks.py`, where it also says how good the guess is.

Eviction may take long, when the limit has just been lowered, say. It goes on for as long as `maxmemory-eviction-tenacity`
allows, about half a millisecond, and then lets the waiting commands run; the rest is done between the turns of the loop.

An evicted key leaves the traces of a deleted one: UNLINK in the append-only file, an `evicted` event, a touched WATCH.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, Final

from cutaway.commands import errors
from cutaway.commands.accounting import UNIT, Ledger
from cutaway.commands.clients import Client
from cutaway.commands.engine import Engine
from cutaway.commands.keyspaces import Database, Entry
from cutaway.commands.tables import Command
from cutaway.datastructures import Dict
from cutaway.datastructures.eviction_clocks import (
    LFU_COUNTER_MAX,
    LFU_INIT_VAL,
    EvictionPool,
    idle_time,
    lfu_counter,
    lfu_minutes,
    lfu_new,
    lfu_touch,
)
from cutaway.resp import Reply

log: Final = logging.getLogger("cutaway.engine")

ROOM: Final = "memory"
MILLISECONDS_BETWEEN_WARNINGS: Final = 60_000
KEYS_BETWEEN_LOOKS: Final = 16
"""As many keys are evicted between two looks at the stopwatch."""
SLICE_NANOSECONDS: Final = 500_000
"""How long one `step` works, between two turns of the loop."""
UNLIMITED: Final = 2**63
END_OF_TRANSACTION: Final = frozenset({"exec", "discard", "quit", "reset"})


class State(Enum):
    """What came of an attempt to keep to the limit."""

    OK = "ok"
    RUNNING = "running"
    """There is still too much, but more can be evicted."""
    FAIL = "fail"
    """There is too much, and nothing that may be evicted."""


class Evictor:
    """Keeps an engine's memory within `maxmemory`."""

    __slots__ = (
        "_engine", "_exceeded_since", "_keyspace", "_minutes", "_next_database", "_pool", "_random",
        "_warn_at", "client_bytes", "decay_time", "exceeded_nanoseconds", "is_volatile", "kind", "ledger",
        "limit", "log_factor", "on_cycle", "on_work", "other_bytes", "samples", "tenacity", "unbooked",
    )  # fmt: skip

    def __init__(self, engine: Engine, pool: EvictionPool | None = None) -> None:
        self._engine: Final = engine
        self._keyspace: Final = engine.keyspace
        self._pool: Final = EvictionPool() if pool is None else pool
        self._next_database = 0
        self._exceeded_since = 0
        self._minutes = 0
        self._warn_at = 0
        self._random: Final = engine.keyspace.random.random
        self.ledger: Final = Ledger(engine.keyspace, engine.stopwatch)
        self.ledger.on_work = self._work
        self.on_work: Callable[[], None] | None = None
        """Called when there is something for `step` to do."""
        self.on_cycle: Callable[[int], None] = _ignore
        """Called after each round of evicting, with the nanoseconds that it took."""
        self.limit = 0
        self.kind = "noeviction"
        """"lru", "lfu", "random", "ttl" or "noeviction"."""
        self.is_volatile = False
        self.samples = 5
        self.log_factor = 10
        self.decay_time = 1
        self.tenacity = 10
        self.exceeded_nanoseconds = 0
        """For how long in all the limit was exceeded (INFO's total_eviction_exceeded_time)."""
        self.client_bytes = 0
        """What the clients have in flight; the server says so."""
        self.other_bytes: Callable[[], int] = int
        """What the other rooms hold: scripts, the tracking table. Asked for ten times a second."""
        self.unbooked = 0
        """An estimate of what is in use beside the keys that are counted."""
        engine.extras[ROOM] = self
        engine.extras.setdefault("on_resetstat", []).append(self._reset)
        engine.on_cron = (*engine.on_cron, self._cron)
        for name, attribute in (
            ("maxmemory-samples", "samples"), ("lfu-log-factor", "log_factor"), ("lfu-decay-time", "decay_time"),
            ("maxmemory-eviction-tenacity", "tenacity"),
        ):  # fmt: skip
            engine.config.subscribe(name, self._follow(attribute))
        engine.config.subscribe("maxmemory-policy", self._set_policy)
        engine.config.subscribe("maxmemory", self._set_limit)

    # ---- settings

    def _follow(self, attribute: str) -> Callable[[Any], None]:
        return lambda value: setattr(self, attribute, value)

    def _set_policy(self, policy: Any) -> None:
        scope, _, kind = str(policy).rpartition("-")
        if kind != self.kind:
            self._pool.clear()  # scores of different kinds do not compare
        self.kind, self.is_volatile = kind, scope == "volatile"
        self._keyspace.access_for = self._touch if kind == "lfu" else None
        self._see_minutes()

    def _set_limit(self, limit: Any) -> None:
        self.limit = limit
        engine = self._engine
        others = tuple(gate for gate in engine.gates if gate != self.gate)
        if limit:
            self.ledger.open()
            self.ledger.step(SLICE_NANOSECONDS)
            self._estimate_the_rest()
            engine.gates = (*others, self.gate)
            self._work()
        else:
            self.ledger.close()
            engine.gates = others
            engine.is_out_of_memory = False
            self._note(State.OK)

    def _see_minutes(self) -> None:
        """Keep the LFU clock where each access looks at it; it moves once a minute."""
        self._minutes = lfu_minutes(self._keyspace.now)
        self._keyspace.first_access = lfu_new(self._minutes)

    def _touch(self, access: int) -> int:
        """The access stamp of a key that is used once more, under an LFU policy: `lfu_touch`, with the usual case unrolled."""
        if access >> 8 != self._minutes:
            return lfu_touch(access, self._minutes, self.log_factor, self.decay_time, self._keyspace.random)
        above = (access & LFU_COUNTER_MAX) - LFU_INIT_VAL
        if above <= 0:
            return access + 1
        if access & LFU_COUNTER_MAX < LFU_COUNTER_MAX and self._random() * (above * self.log_factor + 1) < 1:
            return access + 1
        return access

    # ---- how much is in use

    def used_memory(self) -> int:
        """The bytes in use: keys and values, clients' buffers, scripts; not the interpreter. O(1) with a limit, else O(sample)."""
        return self.ledger.total() + self.client_bytes + self.other_bytes()

    def _estimate_the_rest(self) -> None:
        self.ledger.look_for_uncounted()
        self.unbooked = self.ledger.uncounted_bytes() + self.client_bytes + self.other_bytes()

    def is_over(self) -> bool:
        """Whether more is in use than the limit allows. O(1)."""
        return self._keyspace.size * UNIT + self.unbooked > self.limit > 0

    # ---- the gate

    def gate(self, client: Client, command: Command, _argv: Sequence[bytes]) -> Reply:
        """Make room before a command runs, or refuse it if it needs more and there is none."""
        engine = self._engine
        if engine.nesting:  # a script's command: what counts is how things were when the script began
            is_short = engine.is_out_of_memory and command.is_denyoom and not client.may_exceed_memory
            return errors.OUT_OF_MEMORY if is_short else None
        ledger = self.ledger
        if ledger.stale and ledger.settled_at != self._keyspace.now:
            ledger.settle()
        if self._keyspace.size * UNIT + self.unbooked <= self.limit:
            engine.is_out_of_memory = False
            return None
        engine.caller = None  # nobody's doing: whoever is told of it is told before the command runs
        is_short = engine.is_out_of_memory = self.make_room() is State.FAIL
        if is_short and (command.is_denyoom or self._would_queue(client, command)):
            return errors.OUT_OF_MEMORY
        return None

    def _would_queue(self, client: Client, command: Command) -> bool:
        """In MULTI every command takes memory, for it is kept; and EXEC takes what its queue does."""
        if "x" not in client.flags:
            return False
        if command.full_name == "exec":
            return "denyoom" in client.queued_flags
        return command.full_name not in END_OF_TRANSACTION

    # ---- evicting

    def make_room(self) -> State:
        """Evict until the limit is kept, or the time is up, or nothing is left to evict."""
        state = self._note(self._evict() if self.is_over() else State.OK)
        if state is State.FAIL and self._keyspace.now >= self._warn_at:
            self._warn_at = self._keyspace.now + MILLISECONDS_BETWEEN_WARNINGS
            log.warning(
                "maxmemory of %d bytes is used up, and maxmemory-policy leaves nothing to evict: writes are refused. "
                "Raise maxmemory, delete something, or choose another policy.", self.limit,
            )  # fmt: skip
        if state is State.RUNNING:
            self._work()
        return state

    def _evict(self) -> State:
        if self.kind == "noeviction":
            return State.FAIL
        engine = self._engine
        started = engine.stopwatch()
        end = started + self.time_limit()
        evicted = 0
        state = State.OK
        while self.is_over():
            victim = self._choose()
            if victim is None:
                state = State.FAIL
                break
            database, key = victim
            database.expire_now(key, "evicted")
            evicted += 1
            if evicted % KEYS_BETWEEN_LOOKS == 0 and engine.stopwatch() > end:
                state = State.RUNNING
                break
        if not engine.nesting:
            engine.end_unit(together=False)
        self.on_cycle(engine.stopwatch() - started)
        return state

    def time_limit(self) -> int:
        """Nanoseconds that evicting may take before a command: in steps of 50 µs up to 10, then 15 % more for each."""
        tenacity = self.tenacity
        if tenacity <= 10:
            return 50_000 * tenacity
        return UNLIMITED if tenacity == 100 else int(500_000 * 1.15 ** (tenacity - 10))

    def _note(self, state: State) -> State:
        """Keep the time for which the limit is exceeded."""
        if state is not State.OK:
            self._exceeded_since = self._exceeded_since or self._engine.stopwatch()
        elif self._exceeded_since:
            self.exceeded_nanoseconds += self._engine.stopwatch() - self._exceeded_since
            self._exceeded_since = 0
        return state

    def current_exceeded_nanoseconds(self) -> int:
        """For how long the limit has been exceeded by now (INFO's current_eviction_exceeded_time)."""
        return self._engine.stopwatch() - self._exceeded_since if self._exceeded_since else 0

    # ---- choosing

    def _candidates(self, database: Database) -> Dict[bytes, Entry]:
        return database.expires if self.is_volatile else database.keys

    def _choose(self) -> tuple[Database, bytes] | None:
        """The next key to go; None if there is none that may."""
        return self._choose_at_random() if self.kind == "random" else self._choose_the_best()

    def _choose_at_random(self) -> tuple[Database, bytes] | None:
        databases = self._keyspace.databases
        for _ in databases:
            database = databases[self._next_database % len(databases)]
            self._next_database += 1
            candidates = self._candidates(database)
            if len(candidates):
                return database, candidates.random_item(self._keyspace.random)[0]
        return None

    def _choose_the_best(self) -> tuple[Database, bytes] | None:
        databases = self._keyspace.databases
        while self._fill_the_pool():
            found = self._pool.take(lambda index, key: key in self._candidates(databases[index]))
            if found is not None:
                return databases[found[0]], found[1]
        return None

    def _fill_the_pool(self) -> bool:
        """Offer a sample of each database to the pool; False if there is nothing to sample."""
        found = False
        is_volatile, score, offer = self.is_volatile, self.score, self._pool.offer
        for database in self._keyspace.databases:
            candidates = database.expires if is_volatile else database.keys
            if len(candidates):
                found = True
                for key, entry in candidates.sample(self.samples, self._keyspace.random):
                    offer(score(entry), database.index, key)
        return found

    def score(self, entry: Entry) -> int:
        """How well a key can be done without, under the present policy: the higher, the sooner it goes."""
        if self.kind == "lru":
            return idle_time(entry.access, self._keyspace.lru_clock)
        if self.kind == "lfu":
            return LFU_COUNTER_MAX - lfu_counter(entry.access, self._minutes, self.decay_time)
        return -entry.expire_at

    # ---- between the commands

    def _work(self) -> None:
        if self.on_work is not None:
            self.on_work()

    def step(self) -> bool:
        """Go on sizing and evicting for a moment; True while there is more to do. The server calls it between two turns."""
        sizing = self.ledger.step(SLICE_NANOSECONDS)
        if sizing:
            self._estimate_the_rest()
        return self.make_room() is State.RUNNING or sizing

    def _cron(self, _now: int) -> None:
        if self.kind == "lfu":
            self._see_minutes()
        if self.limit:
            self._estimate_the_rest()
            self.step()

    def _reset(self) -> None:
        """CONFIG RESETSTAT."""
        self.exceeded_nanoseconds = 0
        if self._exceeded_since:
            self._exceeded_since = self._engine.stopwatch()


def _ignore(_nanoseconds: int) -> None:
    """The default where nobody watches."""


def install(engine: Engine, pool: EvictionPool | None = None) -> None:
    """Give `engine` its keeper of `maxmemory`, who keeps candidates in `pool`."""
    Evictor(engine, pool)
