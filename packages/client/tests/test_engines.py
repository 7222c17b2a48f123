"""An engine in the same process: the same bytes, no socket. The engine here is a stand-in of a few lines."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest

from cutaway.client import AsyncClient, Client, EngineLink, Push, ReplyError
from cutaway.resp import NO_REPLY, Reply


class Caller:
    """A client as the engine sees it."""

    def __init__(self, deliver: Callable[[Reply], None]) -> None:
        self.deliver = deliver
        self.protocol = 2
        self.blocked: object | None = None
        self.reply_mode = "on"
        self.close_after_reply = False
        self.on_resume: Callable[[], None] = lambda: None


class ToyEngine:
    """Knows HELLO, ECHO, MAP, WAIT (blocks), WAKE (ends all waiting) and TELL (a message to everybody)."""

    def __init__(self) -> None:
        self.callers: list[Caller] = []

    def connect(self, deliver: Callable[[Reply], None] | None = None) -> Caller:
        assert deliver is not None
        self.callers.append(Caller(deliver))
        return self.callers[-1]

    def forget(self, client: Caller) -> None:
        self.callers.remove(client)

    def tick(self) -> None:
        pass

    def execute(self, client: Caller, argv: Sequence[bytes]) -> Reply:
        match argv:
            case [b"HELLO", version]:
                client.protocol = int(version)
                return {b"proto": client.protocol}
            case [b"ECHO", text]:
                return text
            case [b"MAP"]:
                return {b"a": 1.5}
            case [b"WAIT"]:
                client.blocked = object()
                return NO_REPLY
            case [b"WAKE"]:
                for each in self.callers:
                    if each.blocked is not None:
                        each.blocked = None
                        each.deliver(b"woken")
                        each.on_resume()
                return "OK"
            case [b"TELL", text]:
                for each in self.callers:
                    each.deliver(Push([b"message", b"all", text]))
                return "OK"
            case _:
                return ReplyError("ERR unknown command")


def test_values_have_gone_through_the_protocol() -> None:
    with Client(engine=ToyEngine()) as client:
        assert client.call("MAP") == [b"a", b"1.5"]
        client.call("HELLO", 3)
        assert client.call("MAP") == {b"a": 1.5}
        with pytest.raises(ReplyError, match="unknown command"):
            client.call("NOSUCH")


def test_a_blocked_client_times_out_at_once_and_is_answered_when_another_wakes_it() -> None:
    engine = ToyEngine()
    with Client(engine=engine) as sleeper, Client(engine=engine) as other:
        with pytest.raises(TimeoutError):
            sleeper.pipeline([("WAIT",), ("ECHO", "next")])
        assert other.call("WAKE") == "OK"
        assert sleeper.call("ECHO", "last") == b"last"


def test_a_message_that_ones_own_command_brought_about_follows_its_reply() -> None:
    link = EngineLink(ToyEngine())
    link.send(b"*2\r\n$4\r\nTELL\r\n$2\r\nhi\r\n")
    assert link.receive() == b"+OK\r\n*3\r\n$7\r\nmessage\r\n$3\r\nall\r\n$2\r\nhi\r\n"


def test_closing_the_client_forgets_it() -> None:
    engine = ToyEngine()
    with Client(engine=engine) as client:
        client.call("ECHO", "x")
        assert len(engine.callers) == 1
    assert engine.callers == []


def test_an_asynchronous_client_waits_for_what_another_does() -> None:
    async def scenario() -> None:
        engine = ToyEngine()
        async with AsyncClient(engine=engine) as sleeper, AsyncClient(engine=engine) as other:
            waiting = asyncio.create_task(sleeper.call("WAIT"))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            await other.call("WAKE")
            assert await waiting == b"woken"

    asyncio.run(scenario())
