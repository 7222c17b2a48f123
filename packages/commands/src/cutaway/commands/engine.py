"""The engine: from a request to its reply, and what has to happen around that.

Four steps lead from the bytes of a socket to a handler: the parser makes requests, `Engine.execute` finds the command and asks
whether it may run, `Engine.call` runs it, the encoder turns the reply to bytes. This module is the middle two, and `Engine.run`
is both of them at once, for as many requests as are plain work on data. It knows no socket, no file, no time but what its clock
says, and no other room: those hook in here.

==================  ===========================================================================================
`filters`           may put another request in the place of one, before it is looked up: modules
`gates`             may refuse a command before it runs: ACL, memory, loading, a read-only replica, a pause
`client.intercept`  may take a command away before it runs: MULTI queues it
`on_slow`           hears of the commands that ran for longer than `slow_after`: slow log, latency
`on_call`           hear of every command that ran: MONITOR
`on_propagate`      get what was written, as commands: the append-only file, replicas
`on_connect`        get to know each new client: users and their permissions
`keyspace.on_change`  hear of every changed key: WATCH, notifications, client-side caching
`on_cron`           get their turn ten times a second
==================  ===========================================================================================

A gate that is not needed is not in the tuple, and a hook without listeners costs one truth test.

What was written goes out as effects: see `effects.py`, whose class the engine grew from.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from functools import partial
from itertools import repeat
from typing import Any, Final

from cutaway.commands import errors
from cutaway.commands.blocking import Block, BlockedClients
from cutaway.commands.clients import PASS, Client
from cutaway.commands.clocks import Clock, Stopwatch, stopwatch, system_clock
from cutaway.commands.effects import Effects
from cutaway.commands.expiry import ActiveExpiry
from cutaway.commands.keyspaces import DATABASES, Entry, Keyspace
from cutaway.commands.reclaiming import Reclaimer
from cutaway.commands.tables import Command, compose
from cutaway.config import Config
from cutaway.datastructures import Dict
from cutaway.datastructures.eviction_clocks import lru_clock
from cutaway.datastructures.limits import Limits
from cutaway.resp import NO_REPLY, Reply

Gate = Callable[[Client, Command, Sequence[bytes]], "Reply | Block"]
Filter = Callable[[Client, Sequence[bytes]], Sequence[bytes]]
CallListener = Callable[[Client, Command, Sequence[bytes], int], None]

MAX_SPELLINGS: Final = 2048
MANY_SAMPLES: Final = 4096
"""A script makes more calls than that while nobody gets round to counting them."""
LONG: Final = 100_000
"""Nanoseconds; a command that took longer may have made a large reply, which is better written before there are more."""
SLOW_ENOUGH_TO_TICK: Final = 1_000_000
"""Nanoseconds; after a command that took longer, the batch's moment is taken anew."""
NEVER: Final = 2**63
NO_COMMANDS: Final[dict[bytes, Command]] = {}
_LIMIT_FIELDS: Final = tuple(field.name for field in fields(Limits))
log: Final = logging.getLogger("cutaway.engine")


class Engine(Effects):
    """A keyspace and the commands that work on it."""

    __slots__ = (
        "_spelled", "active_expiry", "blocking", "caller", "clients", "clock", "commands",
        "errors_by_code", "extras", "filters", "gates", "info_sections", "is_out_of_memory",
        "keyspace", "limits", "local", "max_string_length", "nesting", "next_client_id", "on_call",
        "on_commands", "on_connect", "on_cron", "on_slow", "plain", "reclaimer", "slow_after", "stopwatch",
    )  # fmt: skip

    def __init__(
        self,
        *tables: Iterable[Command],
        clock: Clock = system_clock,
        stopwatch: Stopwatch = stopwatch,
        rng: random.Random | None = None,
        config: Config | None = None,
        limits: Limits | None = None,
        databases: int = DATABASES,
        make_dict: Callable[[], Dict[bytes, Entry]] = Dict,
    ) -> None:
        self.clock: Final = clock
        self.stopwatch: Final = stopwatch
        super().__init__(config if config is not None else Config())
        self.limits: Final = limits if limits is not None else Limits()
        self.keyspace: Final = Keyspace(
            databases, now=clock(), rng=rng, limits=self.limits, make_dict=make_dict
        )
        self.keyspace.propagate_deletion = self._propagate_deletion
        self.keyspace.propagate_field_deletion = self._propagate_field_deletion
        self.reclaimer: Final = Reclaimer(stopwatch)
        self.keyspace.release = self.reclaimer.release
        self.commands: Final = compose(tables)
        self._spelled: Final[dict[bytes, Command]] = {}
        """The commands by name, as clients have written it so far."""
        self.plain: Final[dict[bytes, Command]] = {}
        """Those of them that are plain: they work on data, and leave client and engine as they were."""
        self.clients: Final[dict[int, Client]] = {}
        self.next_client_id = 1
        self.caller: Client | None = None
        """Whose command runs, or ran last; None while the server does its regular work. EXEC's and a script's is the client."""
        self.blocking: Final = BlockedClients(self)
        self.active_expiry: Final = ActiveExpiry(self.keyspace, stopwatch)
        self.filters: tuple[Filter, ...] = ()
        self.gates: tuple[Gate, ...] = ()
        self.is_out_of_memory = False
        """Whether memory was short, and nothing could be evicted, when the outermost command began: what scripts go by."""
        self.on_call: tuple[CallListener, ...] = ()
        self.slow_after = NEVER
        """From how many nanoseconds on a call is told to `on_slow`."""
        self.on_slow: CallListener = _ignore_call
        self.on_commands: tuple[Callable[[], None], ...] = ()
        """Called when commands have come or gone."""
        self.on_cron: tuple[Callable[[int], None], ...] = ()
        self.on_connect: tuple[Callable[[Client], None], ...] = ()
        self.nesting = 0
        self.errors_by_code: Final[dict[str, int]] = {}
        self.info_sections: Final[dict[str, Callable[[], dict[str, Any]]]] = {}
        """What INFO shows, by section; each room adds its own."""
        self.extras: Final[dict[str, Any]] = {}
        """The state that other rooms keep with the engine, under their own name."""
        self.local: Client | None = None
        self.max_string_length = 512 * 1024 * 1024
        self._follow_config()

    def _follow_config(self) -> None:
        """Keep the settings that are looked at often where they are needed."""
        for name in _LIMIT_FIELDS:
            if name.replace("_", "-") in self.config:
                self.config.subscribe(name.replace("_", "-"), partial(setattr, self.limits, name))
        self.config.subscribe("proto-max-bulk-len", partial(setattr, self, "max_string_length"))
        self.config.subscribe("active-expire-effort", partial(setattr, self.active_expiry, "effort"))

    # ---- clients

    def connect(self, deliver: Callable[[Reply], None] | None = None) -> Client:
        """A new client. `deliver` gets what it is told outside of replies (messages, the end of a waiting)."""
        client = (
            Client(self, self.next_client_id)
            if deliver is None
            else Client(self, self.next_client_id, deliver)
        )
        self.next_client_id += 1
        self.clients[client.id] = client
        for hook in self.on_connect:
            hook(client)
        return client

    def forget(self, client: Client) -> None:
        """The client is gone. Safe to call twice."""
        if self.clients.pop(client.id, None) is not None:
            self.blocking.forget(client)
            for hook in client.on_close[:]:
                hook(client)

    # ---- commands that come and go

    def extend(self, commands: Sequence[Command]) -> None:
        """Add commands, as a module brings them. Raises ValueError, and adds none, if a name is taken. O(all commands)."""
        names = [command.container or command.name for command in commands]
        for name in names:
            if name.encode() in self.commands:
                raise ValueError(f"command {name} is declared twice")
        self.commands.update(compose([commands]))
        self._commands_changed()

    def withdraw(self, commands: Iterable[Command]) -> None:
        """Take commands out again that `extend` has added. O(commands)."""
        for command in commands:
            self.commands.pop((command.container or command.name).encode(), None)
        self._commands_changed()

    def rename(self, name: str, new_name: str) -> None:
        """Let a command be called by another name only, or by none if that is empty. Raises KeyError or ValueError."""
        if new_name.lower().encode() in self.commands:
            raise ValueError(new_name)
        command = self.commands.pop(name.lower().encode())
        if new_name:
            self.commands[new_name.lower().encode()] = command
        self._commands_changed()

    def _commands_changed(self) -> None:
        self._forget_spellings()
        for hook in self.on_commands:
            hook()

    def _forget_spellings(self) -> None:
        self._spelled.clear()
        self.plain.clear()

    # ---- executing

    def do(self, *argv: bytes | str | float) -> Reply:
        """Run a command for a client in this process, with arguments of any plain type. For notebooks and tests."""
        if self.local is None:
            self.local = self.connect()
        self.tick()
        return self.execute(self.local, [_as_bytes(argument) for argument in argv])

    def tick(self) -> None:
        """Take the time. The server does it once for each batch of requests, so that a batch shares one moment."""
        keyspace, clock = self.keyspace, self.clock
        now = clock()
        if now != keyspace.now:
            keyspace.now = now
            second = lru_clock(now)
            if second != keyspace.lru_clock:  # all keys used within the same second share one integer
                keyspace.lru_clock = second

    def lookup(self, argv: Sequence[bytes]) -> Command | errors.CommandError:
        """The command, or subcommand, that `argv` calls for, or the error that says there is none. O(1)."""
        name = argv[0]
        command = self._spelled.get(name) or self.commands.get(name.lower())
        if command is None:
            return errors.unknown_command(name, list(argv[1:]))
        if not command.subcommands:
            if len(self._spelled) >= MAX_SPELLINGS:
                self._forget_spellings()
            self._spelled[name] = command
            if command.is_plain:
                self.plain[name] = command
        elif len(argv) > 1:
            child = command.subcommands.get(argv[1].lower())
            if child is not None:
                return child
            return errors.unknown_subcommand(argv[1], command.name)
        return command

    def run(self, client: Client, requests: Sequence[Sequence[bytes]], replies: list[Reply]) -> None:
        """Run the first requests of a client, as many as are plain, and append their replies; or the first alone if it is not.

        After a plain command that took `LONG` the rest is left as well. Whoever calls has to look what became of the client, and
        come again for what is left. A request that has to wait is answered with `NO_REPLY`.
        """
        self.caller = client
        if client.intercept is not None:
            replies.append(self.execute(client, requests[0]))
            return
        if len(requests) > 1 and requests[0][0] == requests[-1][0]:
            requests = self._run_many(client, requests, replies)
            if not requests:
                return
        self.run_each(repeat(client), requests, replies)

    def run_each(
        self, clients: Iterable[Client], requests: Sequence[Sequence[bytes]], replies: list[Reply]
    ) -> None:
        """As `run`, but each request is the client's that stands beside it. None of the clients is intercepted.

        The innermost loop of a server. What cannot change while plain commands run (who listens, what has to be asked before
        a command) is found out once, and neither `execute` nor `call` is called: two calls in Python take a tenth of the time
        of a GET.
        """
        keyspace, stopwatch, gates = self.keyspace, self.stopwatch, self.gates
        find = self._plain_commands().get
        is_followed = self._is_followed()
        dirty = keyspace.dirty
        started = stopwatch()  # where one command ends, the next one begins
        for client, argv in zip(clients, requests):  # noqa: B905 - one client may be repeated for ever, and saying so takes time
            self.caller = client
            command = find(argv[0])
            argc = len(argv)
            if command is None or (
                argc != command.min_argc and not command.min_argc < argc <= command.max_argc
            ):
                if not replies:
                    replies.append(self.execute(client, argv))
                return
            client.command = command
            if gates:
                refusal = self._ask_gates(client, command, argv)
                if refusal is not None:
                    replies.append(refusal)
                    return
                if self._has_evicted(client):
                    replies.append(self.call(client, command, argv))
                    return
                started = stopwatch()
            handler = command.wire or command.handler
            try:  # to spread the arguments takes as long as a lookup in a dict, so the short commands do without
                if argc == 2:
                    reply = handler(client, argv[1])
                elif argc == 3:
                    reply = handler(client, argv[1], argv[2])
                else:
                    reply = handler(client, *argv[1:])
            except Exception as error:  # noqa: BLE001 - it says what became of it
                reply = self._failed(command, error)
            ended = stopwatch()
            elapsed = ended - started
            started = ended
            command.samples.append(elapsed)
            if is_followed or elapsed >= LONG:
                is_last = elapsed >= LONG or bool(self.blocking.ready)
                self._ran(client, command, argv, reply, elapsed, dirty)
                dirty = keyspace.dirty
                replies.append(reply)
                if is_last:
                    return
                started = stopwatch()
            else:
                replies.append(reply)

    def _run_many(
        self,
        client: Client,
        requests: Sequence[Sequence[bytes]],
        replies: list[Reply],
    ) -> Sequence[Sequence[bytes]]:
        """Let a command run several requests at once, if they are all its own and of its shortest form; return the rest.

        Only while nobody has to hear of each. Each is taken to have lasted as long as the others. If all together took `LONG`,
        nothing is left for now.
        """
        command = self._plain_commands().get(requests[0][0])
        if command is None or command.many is None or self.gates or self._is_followed():
            return requests
        try:
            names, *columns = zip(*requests, strict=True)
        except ValueError:  # they are not equally long
            return requests
        if (
            len(columns) + 1 != command.min_argc
            or not self.keyspace.is_unobserved
            or names.count(names[0]) < len(names)
        ):
            return requests
        client.command = command
        dirty = self.keyspace.dirty
        started = self.stopwatch()
        try:
            replies += command.many(client, *columns)
        except Exception as error:  # noqa: BLE001 - nobody knows how far it came
            replies += [self._failed(command, error)] * len(requests)
        elapsed = self.stopwatch() - started
        count = len(replies)
        if count:
            command.samples += [elapsed // count] * count
            if elapsed >= LONG:
                self._ran(client, command, requests[count - 1], replies[-1], elapsed, dirty)
                return ()
        return requests[count:]

    def _plain_commands(self) -> Mapping[bytes, Command]:
        """The commands that may run without `execute`, by their names as clients spell them."""
        return self.plain if not self.filters and not self.nesting else NO_COMMANDS

    def _is_followed(self) -> bool:
        """Whether somebody has to hear of each command."""
        return bool(self.on_propagate or self.on_call or self.blocking.waiting or self.slow_after < LONG)

    def execute(self, client: Client, argv: Sequence[bytes]) -> Reply:
        """Run one request of a client, if it may run. What it answers is a reply, never an exception."""
        if self.filters:
            for rewrite in self.filters:
                argv = rewrite(client, argv)
        command = self._spelled.get(argv[0])
        if command is None:
            found = self.lookup(argv)
            if isinstance(found, errors.CommandError):
                return self.refuse(client, None, found)
            command = found
        client.command = command
        if not command.min_argc <= len(argv) <= command.max_argc:
            return self.refuse(client, command, errors.wrong_arity(command.full_name))
        if self.gates:
            refusal = self._ask_gates(client, command, argv)
            if refusal is not None:
                return refusal
        if client.intercept is not None:
            reply = client.intercept(client, command, argv)
            if reply is not PASS:
                return reply
        reply = self.call(client, command, argv)
        return reply if type(reply) is not Block else self._wait(client, command, argv, reply)

    def _wait(self, client: Client, command: Command, argv: Sequence[bytes], block: Block) -> Reply:
        """A command has found nothing yet: let its client wait, where it may."""
        if client.deny_blocking:
            return block.give_up()
        if command.samples:  # counted when the waiting ends
            command.samples.pop()
        else:
            command.calls -= 1
        self.blocking.add(client, command, argv, block)
        return NO_REPLY

    def _ask_gates(self, client: Client, command: Command, argv: Sequence[bytes]) -> Reply:
        for gate in self.gates:
            refusal = gate(client, command, argv)
            if type(refusal) is Block:
                self.blocking.add(client, command, argv, refusal)
                return NO_REPLY
            if refusal is not None:
                return self.refuse(client, command, refusal)
        return None

    def _has_evicted(self, client: Client) -> bool:
        """Whether the gates have evicted keys, and so let others run who waited for that."""
        return self.caller is not client  # not within `run`, which a compiler has seen set it, and believes

    def refuse(self, client: Client, command: Command | None, reply: Reply) -> Reply:
        """A command is not run at all: count that, and spoil the transaction it should have been part of.

        Who has not logged in does not even learn whether there is such a command.
        """
        is_stranger: Callable[[Client], bool] | None = self.extras.get("is_stranger")
        if (
            is_stranger is not None
            and is_stranger(client)
            and (command is None or "no_auth" not in command.flags)
        ):
            reply = errors.NO_AUTH
        if command is not None:
            command.rejected_calls += 1
        if isinstance(reply, errors.CommandError):
            self.count_error(reply)
        if client.on_refusal is not None:
            return client.on_refusal(command, reply)
        return reply

    def call(self, client: Client, command: Command, argv: Sequence[bytes]) -> Reply:
        """Run a command that may run; time it, queue its effect, and end the unit if it is the outermost one."""
        if not self.nesting:
            self.caller = client
        dirty = self.keyspace.dirty
        stopwatch = self.stopwatch
        started = stopwatch()
        try:
            reply = command.handler(client, *argv[1:])
        except Exception as error:  # noqa: BLE001 - it says what became of it
            reply = self._failed(command, error)
        elapsed = stopwatch() - started
        command.samples.append(elapsed)
        if len(command.samples) >= MANY_SAMPLES:
            command.tally()
        self._ran(client, command, argv, reply, elapsed, dirty)
        return reply

    def _failed(self, command: Command, error: Exception) -> Reply:
        """What a command that raised is answered with: its error, or the confession of a bug."""
        command.failed_calls += 1
        if isinstance(error, errors.CommandError):
            # A constant error would otherwise keep, and lengthen, the traceback of every raise.
            error.__traceback__ = error.__context__ = None
            self.count_error(error)
            return error
        log.error("command %s failed; this is a bug", command.full_name, exc_info=error)
        return errors.CommandError("ERR internal error, see the server's log")

    def _ran(
        self, client: Client, command: Command, argv: Sequence[bytes], reply: Reply, elapsed: int, dirty: int
    ) -> None:
        """A command has run, and `keyspace.dirty` was so much before: tell all who follow that."""
        if self.on_propagate and (self.keyspace.dirty != dirty or self.effects):
            self._wrote(client, command, argv)
        if elapsed >= self.slow_after and type(reply) is not Block:
            self.on_slow(client, command, argv, elapsed)
        for listener in self.on_call:
            listener(client, command, argv, elapsed)
        if not self.nesting:
            self.end_unit(together=command.is_write or command.is_transparent or bool(command.key_specs))
            if elapsed > SLOW_ENOUGH_TO_TICK:
                self.tick()

    def end_unit(self, *, together: bool) -> None:
        """Hand on what was written, `together` if it is to happen as one, and serve the clients for whom something is ready."""
        if self.pending:
            self.flush_effects(together=together)
        if self.blocking.ready:
            self.blocking.serve()

    @property
    def total_commands(self) -> int:
        """How many commands ran since the start, or since CONFIG RESETSTAT. O(commands + calls since the last time)."""
        calls = 0
        for command in self.commands.values():
            calls += command.calls
            if command.subcommands:
                calls += sum(child.calls for child in command.subcommands.values())
        return calls

    def count_error(self, error: errors.CommandError) -> None:
        """Count an error reply under its code (INFO errorstats)."""
        counts = self.errors_by_code
        code = error.code
        if code in counts or len(counts) < 128:
            counts[code] = counts.get(code, 0) + 1

    @contextmanager
    def unit(self) -> Iterator[None]:
        """Several commands as one: their effects go out together, and nobody is served in between."""
        self.nesting += 1
        try:
            yield
        finally:
            self.nesting -= 1
            if not self.nesting:
                self.end_unit(together=True)

    # ---- the passing of time

    def cron(self) -> None:
        """What is done about ten times a second: expiry, steps of rehashing, and what the rooms hung in here."""
        self.tick()
        self.caller = None
        self.active_expiry.cycle()
        self.end_unit(together=False)
        if self.config["activerehashing"]:
            for database in self.keyspace.databases:
                database.keys.rehash_step(100)
                database.expires.rehash_step(100)
        self.expire_blocked()
        for task in self.on_cron:
            task(self.keyspace.now)

    def expire_blocked(self) -> None:
        """Let the clients go whose time to wait is over; the server calls it at `blocking.next_deadline()`."""
        self.tick()
        self.blocking.expire(self.keyspace.now)


def _ignore_call(_client: Client, _command: Command, _argv: Sequence[bytes], _elapsed: int) -> None:
    """The default for `on_slow`."""


def _as_bytes(argument: bytes | str | float) -> bytes:
    return argument if isinstance(argument, bytes) else str(argument).encode()
