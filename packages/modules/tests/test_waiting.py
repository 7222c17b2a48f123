"""Clients that wait for a module: answered by a thread, by a key, by time, by CLIENT UNBLOCK, or by nobody."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cutaway.commands import CommandError, FakeClock
from cutaway.modules import RW, Block, BlockedClient, Context, Module, ModuleValue
from cutaway.resp import NO_REPLY


def message(reply: object) -> str:
    assert isinstance(reply, CommandError), reply
    return reply.message


class Pile(ModuleValue, type_name="testpile_"):
    def __init__(self, items: list[bytes]) -> None:
        self.items = items

    def save(self) -> list[bytes]:
        return self.items

    @classmethod
    def load(cls, tokens: Iterator[object], version: int) -> Pile:
        raise NotImplementedError


@pytest.fixture
def lobby() -> Module:
    """LOBBY.WAIT waits to be unblocked; PILE.TAKE waits for a key."""
    module = Module("lobby", state=list)
    module.data_type(Pile)

    @module.command("LOBBY.WAIT", flags="blocking")
    def wait(ctx: Context, timeout: int = 0, fails: int = 0) -> BlockedClient:
        def double(_ctx: Context, data: int) -> int:
            return 1 // 0 if fails else data * 2

        waiting = ctx.block(
            timeout,
            on_reply=double,
            on_timeout=lambda other: f"client {other.client.id} gave up",
            on_disconnect=lambda other: other.state.append("gone"),
        )
        ctx.state.append(waiting)
        return waiting

    @module.command("LOBBY.AT-ONCE", flags="blocking")
    def at_once(ctx: Context) -> BlockedClient:
        waiting = ctx.block()
        waiting.unblock(b"here")
        return waiting

    @module.command("PILE.PUT", flags="write", keys=RW(1))
    def put(ctx: Context, name: bytes, item: bytes) -> int:
        key = ctx.open_key(name)
        pile = key.edit(Pile, lambda: Pile([]))
        assert pile is not None
        pile.items.append(item)
        key.changed("pile.put")
        return len(pile.items)

    @module.command("PILE.TAKE", flags="write blocking", keys=RW(1))
    def take(ctx: Context, name: bytes, timeout: int = 0) -> bytes | Block:
        key = ctx.open_key(name)
        pile = key.edit(Pile)
        if pile is None:
            return ctx.block_on_keys(name, of=Pile, timeout=timeout, on_timeout=lambda _ctx: "no pile")
        item = pile.items.pop(0)
        key.changed("pile.take")
        if not pile.items:
            key.delete()
        return item

    return module


class Guest:
    """A client that keeps what it is told."""

    def __init__(self, engine) -> None:
        self.heard: list[object] = []
        self.client = engine.connect(deliver=self.heard.append)
        self.engine = engine

    def ask(self, *words: bytes):
        return self.engine.execute(self.client, list(words))


@pytest.fixture
def guest(engine) -> Guest:
    return Guest(engine)


def test_what_unblocks_a_client_goes_through_the_reply_callback(modules, lobby, guest):
    loaded = modules.add(lobby)
    assert guest.ask(b"LOBBY.WAIT") is NO_REPLY
    waiting = loaded.state[0]
    assert waiting.is_waiting
    waiting.unblock(21)
    assert guest.heard == [42]
    assert not waiting.is_waiting
    waiting.unblock(1)
    assert not waiting.reply(1)
    assert guest.heard == [42]


def test_a_reply_callback_that_raises_costs_that_client_an_error(modules, lobby, guest):
    loaded = modules.add(lobby)
    guest.ask(b"LOBBY.WAIT", b"0", b"1")
    loaded.state[0].unblock(1)
    assert message(guest.heard[0]).startswith("ERR the module 'lobby' failed with ZeroDivisionError")


def test_a_client_may_be_unblocked_before_its_function_has_returned(modules, lobby, guest):
    modules.add(lobby)
    assert guest.ask(b"LOBBY.AT-ONCE") == b"here"
    assert guest.client.blocked is None


def test_the_timeout_callback_knows_who_waited(engine, modules, lobby, guest, clock: FakeClock):
    loaded = modules.add(lobby)
    guest.ask(b"LOBBY.WAIT", b"50")
    clock.advance(51)
    engine.expire_blocked()
    assert guest.heard == [f"client {guest.client.id} gave up"]
    assert not loaded.state[0].reply(b"too late")


@pytest.mark.parametrize("mode", ["TIMEOUT", "ERROR"])
def test_client_unblock_ends_it_and_a_later_answer_is_not_heard(engine, modules, lobby, guest, mode):
    loaded = modules.add(lobby)
    guest.ask(b"LOBBY.WAIT")
    assert engine.do("CLIENT", "UNBLOCK", guest.client.id, mode) == 1
    (heard,) = guest.heard
    if mode == "ERROR":
        assert message(heard).startswith("UNBLOCKED")
    else:
        assert heard == f"client {guest.client.id} gave up"
    assert not loaded.state[0].is_waiting
    assert not loaded.state[0].reply(b"too late")
    assert len(guest.heard) == 1


def test_the_disconnect_callback_is_for_those_who_wait_and_leaves_nothing_behind(
    engine, modules, lobby, guest
):
    loaded = modules.add(lobby)
    hooks = len(guest.client.on_close)
    for _ in range(3):
        guest.ask(b"LOBBY.WAIT")
        loaded.state.pop().unblock(1)
    assert len(guest.client.on_close) == hooks
    guest.ask(b"LOBBY.WAIT")
    guest.client.close()
    assert loaded.state.pop() == "gone"
    loaded.state.pop().unblock(1)
    assert guest.heard == [2, 2, 2]


@pytest.mark.parametrize(("flags", "where"), [({"x"}, "transaction"), (set(), "Lua script")])
def test_where_nobody_may_wait_the_command_answers_with_redis_error(modules, lobby, guest, flags, where):
    modules.add(lobby)
    guest.client.deny_blocking = True
    guest.client.flags.update(flags)
    assert message(guest.ask(b"LOBBY.WAIT")) == f"ERR Blocking module command called from {where}"
    assert guest.ask(b"PILE.TAKE", b"p") == "no pile"


def test_a_key_wakes_those_who_wait_for_it_first_come_first_served(engine, modules, lobby, guest, logged):
    modules.add(lobby)
    other = Guest(engine)
    guest.ask(b"PILE.TAKE", b"p")
    other.ask(b"PILE.TAKE", b"p")
    engine.do("SET", "p", "of another type")
    engine.do("DEL", "p")
    assert engine.do("PILE.PUT", "p", "one") == 1
    assert (guest.heard, other.heard) == ([b"one"], [])
    engine.do("PILE.PUT", "p", "two")
    assert other.heard == [b"two"]
    assert logged[-2:] == [(b"PILE.PUT", b"p", b"two"), (b"PILE.TAKE", b"p")]


def test_waiting_for_a_key_ends_with_its_time(engine, modules, lobby, guest, clock: FakeClock):
    modules.add(lobby)
    guest.ask(b"PILE.TAKE", b"p", b"30")
    clock.advance(31)
    engine.expire_blocked()
    assert guest.heard == ["no pile"]


def test_an_answer_that_is_no_reply_costs_the_client_an_error(modules, guest):
    module = Module("odd", state=list)

    @module.command("ODD.WAIT", flags="blocking")
    def wait(ctx):
        ctx.state.append(ctx.block())
        return ctx.state[0]

    loaded = modules.add(module)
    guest.ask(b"ODD.WAIT")
    with pytest.raises(TypeError, match="object is not a reply"):
        loaded.state[0].reply([1, object()])
    assert loaded.state[0].is_waiting
    loaded.state[0].unblock(object())
    assert message(guest.heard[0]).startswith("ERR the module 'odd' failed with TypeError")


def test_without_a_server_a_thread_context_acts_at_once(engine, modules, logged):
    module = Module("m")

    @module.command("M.COUNT", flags="write")
    def count(ctx, key: bytes):
        outside = ctx.for_threads()

        def twice(inner, by: int):
            inner.call("INCRBY", key, by)
            return inner.call("INCRBY", key, by)

        return ctx.in_background(lambda: outside.run(twice, 5))

    modules.add(module)
    assert engine.do("M.COUNT", "n") == 10
    assert logged == [
        (b"MULTI",), (b"INCRBY", b"n", b"5"), (b"INCRBY", b"n", b"5"), (b"EXEC",),
    ]  # fmt: skip
