"""Clients that wait: BLPOP, BZPOPMIN, XREAD BLOCK and their like.

A handler that finds nothing to give returns `Block(keys, deadline, …)` instead of a reply. What happens then is here,
and nowhere else:

* The client joins the queue of each of the keys, in order of arrival. Its connection runs no further request meanwhile.
* A listener of the keyspace notes which awaited keys were changed. It is installed only while somebody waits.
* After the command that changed them is done (after the whole of a transaction or a script), `serve` goes through
  those keys, and through each key's queue from the front: where the key is of the kind the client waits for, the client's
  command *runs again*, from the start. If it finds something this time, its reply is delivered and the client leaves all
  its queues; if it finds nothing (someone before it took the last element), it keeps its place.
* A deadline that passes delivers the timeout reply; CLIENT UNBLOCK and a closed connection end the waiting too.

Inside MULTI/EXEC and scripts nobody can wait: the client has `deny_blocking` set, and gets the timeout reply at once.

To make a command blocking: give it the flag "blocking" and return a `Block`. Nothing else.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from cutaway.commands.clients import Client
from cutaway.commands.keyspaces import Database
from cutaway.resp import NULL_ARRAY, Reply, ReplyValue

if TYPE_CHECKING:
    from cutaway.commands.engine import Engine
    from cutaway.commands.keyspaces import Entry
    from cutaway.commands.tables import Command
    from cutaway.datastructures import Dict

WORD_BYTES: Final = 45
"""What a word of a waiting command takes besides its bytes. Measured, as is the next."""
PLACE_BYTES: Final = 360
"""What a place in the queue of a key takes besides the key's name."""

Wakes = Callable[[Database, bytes], bool]


def holds(*kinds: type) -> Wakes:
    """A condition for waking: the key exists and its value is of one of `kinds`."""

    def condition(database: Database, key: bytes) -> bool:
        entry = database.peek(key)
        return entry is not None and isinstance(entry.value, kinds)

    return condition


class Block(ReplyValue):
    """A handler's way to say: not yet. A reply to the engine, which is never sent.

    `deadline` is in milliseconds since the epoch, 0 to wait for ever.
    """

    __slots__ = (
        "argv", "deadline", "ends_without_key", "keys", "on_timeout", "runs_at_deadline", "timeout_reply",
        "wakes",
    )  # fmt: skip

    def __init__(
        self,
        keys: Sequence[bytes],
        deadline: int,
        wakes: Wakes,
        *,
        timeout_reply: Reply = NULL_ARRAY,
        argv: Sequence[bytes] | None = None,
        runs_at_deadline: bool = False,
        on_timeout: Callable[[], Reply] | None = None,
        ends_without_key: bool = False,
    ) -> None:
        self.keys: Final = keys
        self.deadline: Final = deadline
        self.wakes: Final = wakes
        self.timeout_reply: Final = timeout_reply
        self.on_timeout: Final = on_timeout
        """Makes the reply to a client whose time is over, where `timeout_reply` cannot be known before."""
        self.argv: Final = argv
        """What to run when woken, if not the command as it came (XREAD turns its `$` into an id)."""
        self.runs_at_deadline: Final = runs_at_deadline
        """At the deadline the command runs (a client held up by CLIENT PAUSE) instead of giving up."""
        self.ends_without_key: Final = ends_without_key
        """The waiting is over too when the key goes away: XREADGROUP's, whose group goes with it."""

    def give_up(self) -> Reply:
        """What a client is told that waits no longer."""
        return self.timeout_reply if self.on_timeout is None else self.on_timeout()


class Waiting:
    """A client that waits, with the command it will run again."""

    __slots__ = ("_argv_bytes", "argv", "block", "client", "command", "places")

    def __init__(self, client: Client, command: Command, argv: Sequence[bytes], block: Block) -> None:
        self.client: Final = client
        self.command: Final = command
        self.argv: Final = argv if block.argv is None else block.argv
        self.block: Final = block
        self.places: Final = [(client.db.index, key) for key in dict.fromkeys(block.keys)]
        self._argv_bytes = -1

    @property
    def argv_bytes(self) -> int:
        """The length of the command's words, together. O(words), the first time."""
        if self._argv_bytes < 0:
            self._argv_bytes = sum(map(len, self.argv))
        return self._argv_bytes

    def memory_usage(self) -> int:
        """What the command and its places in the queues take, in bytes. O(words), the first time."""
        return self.argv_bytes + WORD_BYTES * len(self.argv) + PLACE_BYTES * len(self.places)


class BlockedClients:
    """All clients of one engine that wait, by key and by deadline."""

    __slots__ = ("_deadlines", "_engine", "_queues", "_serving", "_ticket", "ready", "waiting")

    def __init__(self, engine: Engine) -> None:
        self._engine: Final = engine
        self.waiting: Final[dict[int, Waiting]] = {}
        """By client id."""
        self.ready: dict[tuple[int, bytes], None] = {}
        """Awaited keys that were changed since they were last served, in order."""
        self._queues: Final[dict[tuple[int, bytes], dict[int, Waiting]]] = {}
        self._deadlines: Final[list[tuple[int, int, Waiting]]] = []
        self._ticket = 0
        self._serving = False

    def __len__(self) -> int:
        return len(self.waiting)

    @property
    def awaited_keys(self) -> int:
        """How many keys somebody waits for (INFO's total_blocking_keys)."""
        return len(self._queues)

    @property
    def awaited_keys_on_nokey(self) -> int:
        """Of these, the keys whose end somebody has to be told (INFO's total_blocking_keys_on_nokey). O(waiting)."""
        return sum(
            any(waiting.block.ends_without_key for waiting in queue.values())
            for queue in self._queues.values()
        )

    def add(self, client: Client, command: Command, argv: Sequence[bytes], block: Block) -> None:
        """Let the client wait. O(keys), and O(log n) for the deadline."""
        waiting = Waiting(client, command, argv, block)
        client.blocked = waiting
        self.waiting[client.id] = waiting
        for place in waiting.places:
            self._queues.setdefault(place, {})[client.id] = waiting
        if block.deadline:
            self._ticket += 1
            heapq.heappush(self._deadlines, (block.deadline, self._ticket, waiting))
        if self._queues:
            keyspace = self._engine.keyspace
            keyspace.listen(self._on_change)
            if self._on_replaced not in keyspace.on_replaced:
                keyspace.on_replaced = (*keyspace.on_replaced, self._on_replaced)

    def _on_change(self, database: Database, key: bytes, _event: str, modified: bool) -> None:  # noqa: FBT001
        if modified and (database.index, key) in self._queues:
            self.ready[(database.index, key)] = None

    def _on_replaced(self, database: Database, _old: Dict[bytes, Entry], _new: Dict[bytes, Entry]) -> None:
        self.recheck(database.index)

    def signal(self, database: Database, key: bytes) -> None:
        """What is awaited at `key` has changed though its value has not (a consumer group has gone). O(1)."""
        self._on_change(database, key, "", True)

    def recheck(self, index: int) -> None:
        """Database `index` has got other contents (SWAPDB, FLUSHDB): every key that is awaited there may be ready."""
        for place in self._queues:
            if place[0] == index:
                self.ready[place] = None

    def serve(self) -> None:
        """Run the commands of clients whose keys were changed, first come, first served."""
        if self._serving:
            return
        self._serving = True
        self._engine.tick()  # what has been pushed may have expired meanwhile
        try:
            while self.ready:
                ready, self.ready = self.ready, {}
                for place in ready:
                    self._serve_key(place)
        finally:
            self._serving = False

    def _serve_key(self, place: tuple[int, bytes]) -> None:
        database = self._engine.keyspace.databases[place[0]]
        for waiting in list(self._queues.get(place, {}).values()):
            if waiting.client.blocked is waiting and waiting.block.wakes(database, place[1]):
                self._run(waiting)

    def _run(self, waiting: Waiting) -> None:
        may_run = self._engine.extras.get("may_run")
        if may_run is not None:
            refusal = may_run(waiting.client, waiting.command, waiting.argv)
            if refusal is not None:
                self._engine.count_error(refusal)
                waiting.command.rejected_calls += 1
                waiting.command.calls -= 1
                self.unblock(waiting.client, refusal)
                return
        client = waiting.client
        messages: list[Reply] = []
        deliver, client.deliver = client.deliver, messages.append  # what it brings about follows its reply
        try:
            reply = self._engine.call(client, waiting.command, waiting.argv)
        finally:
            client.deliver = deliver
        waiting.command.calls -= 1  # however often it runs, it is one call, and counted at its end
        if type(reply) is not Block:
            self.unblock(client, reply)
        for message in messages:
            deliver(message)

    def unblock(self, client: Client, reply: Reply) -> None:
        """End the client's waiting with `reply`, and let its connection go on."""
        waiting = self.waiting.get(client.id)
        if waiting is not None:
            self.forget(client)
            waiting.command.calls += 1
            client.deliver(reply)
            client.on_resume()

    def forget(self, client: Client) -> bool:
        """Take the client out of all queues without a word; False if it was not waiting. O(keys)."""
        waiting = self.waiting.pop(client.id, None)
        if waiting is None:
            return False
        client.blocked = None
        for place in waiting.places:
            queue = self._queues.get(place)
            if queue is not None:
                queue.pop(client.id, None)
                if not queue:
                    del self._queues[place]
        if not self._queues:
            keyspace = self._engine.keyspace
            keyspace.unlisten(self._on_change)
            keyspace.on_replaced = tuple(each for each in keyspace.on_replaced if each != self._on_replaced)
        return True

    def next_deadline(self) -> int | None:
        """When `expire` is next needed, in milliseconds since the epoch. Amortised O(log n)."""
        deadlines = self._deadlines
        while deadlines and deadlines[0][2].client.blocked is not deadlines[0][2]:
            heapq.heappop(deadlines)
        return deadlines[0][0] if deadlines else None

    def hurry(self) -> None:
        """Let the clients that wait only for a moment (CLIENT PAUSE) have it come now: `expire` runs them. O(waiting)."""
        for waiting in self.waiting.values():
            if waiting.block.runs_at_deadline:
                self._ticket += 1
                heapq.heappush(self._deadlines, (0, self._ticket, waiting))

    def expire(self, now: int) -> None:
        """Give up for all whose deadline has passed."""
        while (deadline := self.next_deadline()) is not None and deadline <= now:
            _, _, waiting = heapq.heappop(self._deadlines)
            client = waiting.client
            if waiting.block.runs_at_deadline:
                self.forget(client)
                reply = self._engine.execute(client, waiting.argv)
                client.deliver(reply)
                if client.blocked is None:
                    client.on_resume()
            else:
                self.unblock(client, waiting.block.give_up())
