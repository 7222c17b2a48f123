"""A client for Redis-compatible servers: a terminal, and the library underneath."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cutaway.client.addresses import Address, Tls
from cutaway.client.clients import Client, ConnectionLostError, GreetingError
from cutaway.client.conversations import Argument, Conversation, Request
from cutaway.client.engines import EngineLike, EngineLink
from cutaway.client.links import Link, SocketLink, Tap
from cutaway.resp import Push, Reply, ReplyError

if TYPE_CHECKING:
    from cutaway.client.async_clients import AsyncClient

__all__ = [
    "Address",
    "Argument",
    "AsyncClient",
    "Client",
    "ConnectionLostError",
    "Conversation",
    "EngineLike",
    "EngineLink",
    "GreetingError",
    "Link",
    "Push",
    "Reply",
    "ReplyError",
    "Request",
    "SocketLink",
    "Tap",
    "Tls",
]


def __getattr__(name: str) -> type[AsyncClient]:
    """Load what needs asyncio when it is asked for: a command in a shell script should not wait for an event loop."""
    if name == "AsyncClient":
        from cutaway.client.async_clients import AsyncClient  # noqa: PLC0415

        return AsyncClient
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
