"""Transactions: MULTI opens one, commands queue up, EXEC runs them, DISCARD drops them.

What a transaction promises
---------------------------

*Isolation.* From EXEC's first command to its last no other client's command runs in between. In a server with
one thread that costs nothing: EXEC is one command that happens to run others. For the same reason nothing in
it can wait. BLPOP in a transaction could only be served by somebody who is not allowed to run, so it gives up
at once.

*All or nothing, in the log.* What the commands wrote reaches the append-only file and the replicas as one
piece, between MULTI and EXEC. A server that dies half way through writing it replays none of it.

*Nothing runs if something was wrong with the queue.* A command that does not exist, has the wrong number of
arguments, or is refused spoils the transaction while it is being queued, and EXEC answers EXECABORT.

What it does not promise is that one command can use another's reply: all of them are sent before any of them
runs. Whoever has to read first and then decide either watches what was read (`watches`) or sends a script.

Why there is no rollback
------------------------

A command may still fail when its turn comes: LPUSH on a key that holds a string. The others run all the same,
before and after it, and EXEC's reply holds the error in its place. Databases with rollback undo everything
then. Redis does not, and there is a case for it, which is worth thinking through rather than believing.

What can fail at run time? Not a full disk, not a lock, not a constraint: there are none of these. Memory that
has run out is noticed when the command is queued. What is left is a command used on the wrong type of value,
or on a value it cannot work with. That is a mistake in the program, the same one on every run, of the kind
that is found in development. A rollback would not mend it; the program would only fail more tidily.

And what would it cost? To undo a command one must know what was there before: keep the old value of
everything that is touched, a copy of a list of a million elements before one is pushed, or an undo log that
each of two hundred commands must write correctly. All writes would be slower, all of the time, to soften the
consequences of bugs. What a rollback cannot do in any case is to undo a *logical* mistake, an increment by
two instead of one, and those are the ones that reach production.

The argument has its limit, and it is only fair to name it. It holds as long as the one kind of error is the
programmer's. A bank that wants "either both accounts or neither" gets it here only by checking first, under
WATCH or within a script, and then writing what cannot fail.

The conflict that does belong to production, two clients that both read and then both write, is what WATCH is
for. It is caught before anything has run, when there is nothing to undo.

How it is built
---------------

On three hooks of the engine, and no line of the engine knows the word MULTI. `client.intercept` takes the
client's commands away and queues them; `client.on_refusal` hears that one was refused; and `engine.unit()`
makes what EXEC runs one unit, whose effects go out together and which serves nobody in between.

Source: https://valkey.io/topics/transactions/
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from cutaway.commands import PASS, Block, Client, Command, CommandError, CommandTable, Engine
from cutaway.commands.blocking import WORD_BYTES
from cutaway.commands.key_specs import RO
from cutaway.resp import NULL_ARRAY, Encoder, Raw, Reply
from cutaway.transactions.watches import Watches

ROOM: Final = "transactions"
RUN_AT_ONCE: Final = frozenset({"exec", "discard", "multi", "watch", "quit", "reset"})

NESTED: Final = "ERR MULTI calls can not be nested"
EXEC_ALONE: Final = "ERR EXEC without MULTI"
DISCARD_ALONE: Final = "ERR DISCARD without MULTI"
WATCH_INSIDE: Final = "ERR WATCH inside MULTI is not allowed"
NOT_ALLOWED: Final = "ERR Command not allowed inside a transaction"
ABORTED: Final = "EXECABORT Transaction discarded because of previous errors."

BeforeRunning = Callable[[Client, Command, Sequence[bytes]], CommandError | None]
"""Asked before EXEC runs a queued command; an error takes the place of the command's reply."""
BEFORE_RUNNING: Final = ("may_still_run", "show_script")
"""Names in `engine.extras` under which a `BeforeRunning` may stand: users have permissions, or somebody monitors."""

COMMAND_BYTES: Final = 120
"""What a queued command takes besides its words. Measured."""

transactions: Final = CommandTable("transactions")


class Transaction:
    """One client's open transaction: the queue, and whether it is spoilt."""

    __slots__ = ("_before", "_client", "_measured", "_sizes", "_watches", "queue", "spoilt")

    def __init__(self, client: Client, watches: Watches) -> None:
        self._client: Final = client
        self._watches: Final = watches
        self._before = client.intercept
        """Who else takes commands away from this client: a subscriber's room does."""
        self.queue: Final[list[tuple[Command, Sequence[bytes]]]] = []
        self.spoilt = False
        self._measured = 0
        """For so many commands of the queue, which only grows, `_sizes` are known: their words, and the bytes of these."""
        self._sizes = (0, 0)

    def open(self) -> None:
        """Take the client's commands from here on."""
        self._client.intercept = self.queue_up
        self._client.on_refusal = self.refused
        self._client.flags.add("x")
        self._client.extras[ROOM] = self

    def _stop_queueing(self) -> None:
        self._client.intercept = self._before
        self._client.on_refusal = refused_alone
        self._client.queued_flags = frozenset()

    def close(self) -> None:
        """The client's commands run again as they come; it watches nothing. O(n) for n watched keys."""
        if self._client.intercept == self.queue_up:
            self._stop_queueing()
        self._client.flags.discard("x")
        self._client.extras.pop(ROOM, None)
        self._watches.unwatch(self._client)

    def queue_up(self, client: Client, command: Command, argv: Sequence[bytes]) -> Reply:
        """The client's `intercept` while the transaction is open."""
        flags = command.flags
        if command.full_name in RUN_AT_ONCE:
            return PASS
        if "no_multi" in flags:
            return client.engine.refuse(client, command, CommandError(NOT_ALLOWED))
        if not self.spoilt and not self._watches.is_marked(client):  # or else it will never run: why keep it?
            self.queue.append((command, argv))
            if not flags <= client.queued_flags:
                client.queued_flags |= flags
        return "QUEUED"

    def refused(self, command: Command | None, reply: Reply) -> Reply:
        """A command was refused: the transaction is spoilt; and if it was EXEC itself, this is its end."""
        self.spoilt = True
        if command is not None and command.full_name == "exec":
            self.close()
        return refused_alone(command, reply)

    def run(self) -> Reply:
        """EXEC: run the queue, and answer the replies in order."""
        client = self._client
        if self.spoilt:
            self.close()
            raise CommandError(ABORTED)
        if self._watches.is_touched(client):
            self.close()
            return NULL_ARRAY
        self._watches.unwatch(client)
        self._stop_queueing()
        before, client.deny_blocking = client.deny_blocking, True
        engine = client.engine
        call: Callable[[Client, Command, Sequence[bytes]], Reply] = engine.call
        first: list[BeforeRunning] = [engine.extras[name] for name in BEFORE_RUNNING if name in engine.extras]
        if first:
            call = partial(_call_after, first)
        replies: list[Reply] = []
        try:
            with engine.unit():
                for command, argv in self.queue:
                    protocol = client.protocol
                    reply = call(client, command, argv)
                    if client.protocol != protocol:  # HELLO: what came before it is told as it was until then
                        replies = [Raw(Encoder(protocol).encode(each)) for each in replies]
                    replies.append(reply.timeout_reply if type(reply) is Block else reply)
        finally:
            client.deny_blocking = before
            self.close()
        return replies

    def info(self) -> dict[str, int]:
        """For CLIENT LIST: how many commands wait, and the bytes of their words. O(what came since the last time)."""
        return {"multi": len(self.queue), "multi-mem": self._measure()[1]}

    def memory_usage(self) -> int:
        """What the queue takes, in bytes. O(what came since the last time)."""
        words, size = self._measure()
        return size + WORD_BYTES * words + COMMAND_BYTES * len(self.queue)

    def _measure(self) -> tuple[int, int]:
        words, size = self._sizes
        for _, argv in self.queue[self._measured :]:
            words += len(argv)
            size += sum(map(len, argv))
        self._measured = len(self.queue)
        self._sizes = words, size
        return self._sizes


def refused_alone(command: Command | None, reply: Reply) -> Reply:
    """The client's `on_refusal` outside a transaction: whatever EXEC is refused for, that is EXECABORT, here as there."""
    if command is None or command.full_name != "exec" or not isinstance(reply, CommandError):
        return reply
    return CommandError(f"EXECABORT Transaction discarded because of: {reply.message.removeprefix('ERR ')}")


def _call_after(
    first: Sequence[BeforeRunning], client: Client, command: Command, argv: Sequence[bytes]
) -> Reply:
    """A command was let in when it was queued; what may have changed since is asked for again when it runs."""
    for before in first:
        refusal = before(client, command, argv)
        if refusal is not None:
            return refusal
    return client.engine.call(client, command, argv)


def current(client: Client) -> Transaction | None:
    """The client's open transaction, if there is one."""
    transaction: Transaction | None = client.extras.get(ROOM)
    return transaction


def _watches(client: Client) -> Watches:
    watches: Watches = client.engine.extras[ROOM]
    return watches


@transactions.command(
    "MULTI", arity=1, flags="noscript loading stale fast allow_busy no_multi", since="1.2.0"
)
def multi(client: Client) -> Reply:
    """Opens a transaction: commands queue up until EXEC. O(1)."""
    if current(client) is not None:
        raise CommandError(NESTED)
    Transaction(client, _watches(client)).open()
    if _end not in client.on_close:
        client.on_close.append(_end)
        client.on_reset.append(_end)
    return "OK"


@transactions.command(
    "EXEC", arity=1, flags="noscript loading stale skip_commandlog", since="1.2.0", transparent=True
)
def exec_(client: Client) -> Reply:
    """Runs the queued commands as one, and returns their replies. O(1) besides the commands' own cost."""
    transaction = current(client)
    if transaction is None:
        raise CommandError(EXEC_ALONE)
    return transaction.run()


@transactions.command("DISCARD", arity=1, flags="noscript loading stale fast allow_busy", since="2.0.0")
def discard(client: Client) -> Reply:
    """Drops the queued commands, and what is watched. O(n) for n watched keys."""
    transaction = current(client)
    if transaction is None:
        raise CommandError(DISCARD_ALONE)
    transaction.close()
    return "OK"


@transactions.command("WATCH", arity=-2, flags="noscript loading stale fast allow_busy no_multi",
                      keys=RO(1, "", last=-1), syntax="key [key ...]", since="2.2.0")  # fmt: skip
def watch(client: Client, *keys: bytes) -> Reply:
    """Lets the next EXEC run only if none of these keys changes until then. O(1) for each key."""
    if current(client) is not None:
        raise CommandError(WATCH_INSIDE)
    if _end not in client.on_close:
        client.on_close.append(_end)
        client.on_reset.append(_end)
    _watches(client).watch(client, keys)
    return "OK"


@transactions.command("UNWATCH", arity=1, flags="noscript loading stale fast allow_busy", since="2.2.0")
def unwatch(client: Client) -> Reply:
    """Forgets all watched keys. O(n) for n watched keys."""
    _watches(client).unwatch(client)
    return "OK"


def _end(client: Client) -> None:
    """The connection is closed or reset: nothing of the transaction remains."""
    transaction = current(client)
    if transaction is not None:
        transaction.close()
    _watches(client).unwatch(client)


def install(engine: Engine, watches: Callable[[Engine], Watches] = Watches) -> None:
    """Give `engine` its record of who watches what; `watches` makes it."""
    engine.extras[ROOM] = watches(engine)
    engine.on_connect = (*engine.on_connect, _greet)


def _greet(client: Client) -> None:
    client.on_refusal = refused_alone
