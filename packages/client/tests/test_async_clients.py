"""The asynchronous client against real servers."""

from __future__ import annotations

import asyncio

import pytest

from cutaway.client import Address, AsyncClient, ConnectionLostError, Push, ReplyError
from cutaway.client.clients import ConnectError
from cutaway.testing import RealServer


def test_many_tasks_share_one_connection_and_each_gets_its_own_reply(server: RealServer) -> None:
    async def scenario() -> None:
        async with AsyncClient(Address(path=server.path), timeout=10) as client:
            numbers = range(200)
            replies = await asyncio.gather(*[client.call("ECHO", number) for number in numbers])
            assert replies == [b"%d" % number for number in numbers]
            clients = await client.call("CLIENT", "LIST")
            assert bytes(clients).count(b"\n") == 1  # type: ignore[arg-type]

    asyncio.run(scenario())


def test_a_cancelled_call_does_not_shift_the_replies_of_the_others(server: RealServer) -> None:
    async def scenario() -> None:
        async with AsyncClient(Address(path=server.path), timeout=10) as client:
            waiting = asyncio.create_task(client.call("BLPOP", "nothing", 0.2))
            await asyncio.sleep(0.05)
            behind = asyncio.create_task(client.call("ECHO", "mine"))
            await asyncio.sleep(0)
            waiting.cancel()
            assert await behind == b"mine"

    asyncio.run(scenario())


def test_messages_and_calls_go_on_side_by_side_in_resp3(server: RealServer) -> None:
    async def scenario() -> None:
        async with AsyncClient(Address(path=server.path, protocol=3), timeout=10) as client:
            await client.call("SUBSCRIBE", "news")
            heard: list[object] = []

            async def listen() -> None:
                async for message in client.messages():
                    heard.append(message)
                    if len(heard) == 3:
                        return

            listening = asyncio.create_task(listen())
            for number in range(3):
                assert await client.call("PUBLISH", "news", number) == 1
            await asyncio.wait_for(listening, 10)
            assert heard == [Push([b"message", b"news", b"%d" % number]) for number in range(3)]

    asyncio.run(scenario())


def test_a_lost_connection_fails_who_waits_and_the_next_call_opens_another(server: RealServer) -> None:
    async def scenario() -> None:
        address = Address(path=server.path)
        async with AsyncClient(address, timeout=10) as client, AsyncClient(address, timeout=10) as other:
            identity = await client.call("CLIENT", "ID")
            waiting = asyncio.create_task(client.call("BLPOP", "nothing", 0))
            await asyncio.sleep(0.05)
            await other.call("CLIENT", "KILL", "ID", str(identity))
            with pytest.raises(ConnectionError):
                await waiting
            replies = await asyncio.gather(*[client.call("CLIENT", "ID") for _ in range(5)])
            assert len(set(map(str, replies))) == 1
            assert replies[0] != identity

    asyncio.run(scenario())


def test_a_large_pipeline_and_a_timeout(server: RealServer) -> None:
    async def scenario() -> None:
        async with AsyncClient(Address(path=server.path), timeout=30) as client:
            replies = await client.pipeline([("ECHO", b"x" * 1000)] * 10_000)
            assert len(replies) == 10_000
            with pytest.raises(ReplyError, match="unknown command"):
                await client.call("NOSUCH")
            client.timeout = 0.05
            with pytest.raises(TimeoutError):
                await client.call("BLPOP", "nothing", 0)

    asyncio.run(scenario())


def test_closing_wakes_who_waits(server: RealServer) -> None:
    async def scenario() -> None:
        client = AsyncClient(Address(path=server.path))
        waiting = asyncio.create_task(client.call("BLPOP", "nothing", 0))
        await asyncio.sleep(0.1)
        client.close()
        with pytest.raises(ConnectionLostError):
            await waiting

    asyncio.run(scenario())


def test_a_server_that_is_not_there_is_named_as_plainly_as_by_the_blocking_client() -> None:
    async def scenario() -> None:
        with pytest.raises(
            ConnectError, match=r"^Could not connect to Redis at localhost:1: Connection refused$"
        ):
            await AsyncClient(Address("localhost", 1)).call("PING")

    asyncio.run(scenario())
