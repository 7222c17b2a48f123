"""A client for Redis-compatible servers: a terminal, and the library underneath."""

from cutaway.client.addresses import Address, Tls
from cutaway.client.async_clients import AsyncClient
from cutaway.client.clients import Client, ConnectionLostError, GreetingError
from cutaway.client.conversations import Argument, Conversation, Request
from cutaway.client.engines import EngineLike, EngineLink
from cutaway.client.links import Link, SocketLink, Tap
from cutaway.resp import Push, Reply, ReplyError

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
