"""A module that does what only a server makes possible: threads, timers, clients that wait. For tests; typed strictly."""

from __future__ import annotations

import threading
import time

from cutaway.modules import RW, BlockedClient, Context, Module, Reply, ServerEvent, ThreadContext

Memory = dict[str, list[str]]

module = Module("lobby", version=2, state=lambda: {"events": [], "arguments": []}, acl_categories=("lobby",))
module.setting("greeting", "hello")
module.setting("seats", 4, low=1, high=100)
module.setting("open", True)
module.setting("mode", "calm", words=("calm", "wild"))
module.setting("floor", 3, immutable=True)


@module.on_load
def keep_arguments(ctx: Context, arguments: list[bytes]) -> None:
    """The arguments of `loadmodule`; a setting that was given is in force already."""
    memory: Memory = ctx.state
    memory["arguments"] = [word.decode() for word in arguments] + [str(ctx.setting("seats"))]


@module.command("LOBBY.ARGUMENTS", flags="readonly", acl="lobby")
def arguments(ctx: Context) -> Reply:
    """Returns what the module was loaded with. O(1)."""
    memory: Memory = ctx.state
    return [word.encode() for word in memory["arguments"]]


@module.command("LOBBY.SECRET", flags="readonly", acl="lobby dangerous")
def secret(_ctx: Context) -> Reply:
    """Returns what not everybody may know. O(1)."""
    return b"rosebud"


@module.command("LOBBY.WAIT", flags="blocking", acl="lobby")
def wait(ctx: Context, milliseconds: int, timeout: int = 0) -> BlockedClient:
    """Waits for a thread that answers after so many milliseconds. O(1)."""

    def answer(inner: Context, data: str) -> Reply:
        inner.call("INCR", "answers")
        return f"{data} to client {inner.client.id}"

    waiting = ctx.block(
        timeout,
        on_reply=answer,
        on_timeout=lambda _inner: "nobody came",
        on_disconnect=lambda inner: _ignore(inner.call("INCR", "walkouts")),
    )

    def work() -> None:
        time.sleep(milliseconds / 1000)
        waiting.unblock("hello")

    threading.Thread(target=work, daemon=True).start()
    return waiting


@module.command("LOBBY.COUNT", flags="write blocking", keys=RW(1), acl="lobby")
def count(ctx: Context, key: bytes, times: int) -> BlockedClient:
    """Adds to a counter from a thread, one by one, then twice in one go. O(N)."""
    outside = ctx.for_threads()
    return ctx.in_background(_count, outside, key, times)


def _count(outside: ThreadContext, key: bytes, times: int) -> Reply:
    for _ in range(times):
        outside.call("INCR", key)

    def twice(inner: Context, by: int) -> Reply:
        inner.call("INCRBY", key, by)
        return inner.call("INCRBY", key, by)

    answer: Reply = outside.run(twice, 100)
    return answer


@module.command("LOBBY.SLEEP", flags="blocking", acl="lobby")
def sleep(ctx: Context, seconds: float) -> BlockedClient:
    """Waits in a thread. O(1)."""

    def work() -> Reply:
        time.sleep(seconds)
        return "OK"

    return ctx.in_background(work)


@module.command("LOBBY.AFTER", flags="write", keys=RW(1), acl="lobby")
def after(ctx: Context, milliseconds: int, key: bytes, times: int = 1) -> Reply:
    """Adds to a counter in so many milliseconds, and again after as many. O(log N)."""
    left = times

    def ring(inner: Context) -> None:
        nonlocal left
        inner.call("INCR", key)
        left -= 1
        if left:
            inner.after(milliseconds, ring)

    ctx.after(milliseconds, ring)
    return "OK"


@module.command("LOBBY.AS-ME", flags="write", acl="lobby")
def as_me(ctx: Context, *words: bytes) -> Reply:
    """Runs a command with the caller's own rights. O(1)."""
    return ctx.call(*words, as_caller=True)


@module.command("LOBBY.EVENTS", flags="readonly", acl="lobby")
def events(ctx: Context) -> Reply:
    """Returns, and forgets, what was heard. O(N)."""
    memory: Memory = ctx.state
    heard, memory["events"] = memory["events"], []
    return [event.encode() for event in heard]


def _hear(ctx: Context, event: ServerEvent) -> None:
    memory: Memory = ctx.state
    about = ",".join([*event.what, *map(str, event.databases)])
    memory["events"].append(f"{event.name} {about}".rstrip())


for name in (
    "flush",
    "swap",
    "config",
    "loading",
    "loaded",
    "saving",
    "saved",
    "save failed",
    "module loaded",
    "module unloaded",
):
    module.on_server_event(name)(_hear)


def _ignore(_value: object) -> None:
    """A reply that nobody needs."""
