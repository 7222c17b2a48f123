"""Protected mode: a server that nobody secured serves nobody from elsewhere.

Many servers were once found on the open internet because they listened everywhere and asked for no password,
as the default was. Since then a server whose default user needs no password answers connections from other
machines with an explanation, and closes them, until a password is set or `protected-mode no` says that this
is meant.
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cutaway.commands import Engine

DENIED: Final = (
    b"-DENIED Running in protected mode because protected mode is enabled and no password is set for the default user. "
    b"In this mode connections are only accepted from the loopback interface. If you want to connect from external "
    b"computers, you may adopt one of the following solutions: 1) Just disable protected mode sending the command "
    b"'CONFIG SET protected-mode no' from the loopback interface by connecting from the same host the server is running, "
    b"however MAKE SURE it's not publicly accessible from internet if you do so. Use CONFIG REWRITE to make this change "
    b"permanent. 2) Alternatively you can just disable the protected mode by editing the configuration file, and setting "
    b"the protected mode option to 'no', and then restarting the server. 3) If you started the server manually just for "
    b"testing, restart it with the '--protected-mode no' option. 4) Set up an authentication password for the default user. "
    b"NOTE: You only need to do one of the above things in order for the server to start accepting connections from the "
    b"outside.\r\n"
)


def is_local(transport: asyncio.BaseTransport) -> bool:
    """Whether the other end of a connection is on this machine."""
    sock = transport.get_extra_info("socket")
    if sock is not None and sock.family == getattr(socket, "AF_UNIX", None):
        return True
    peer = transport.get_extra_info("peername")
    host = str(peer[0]) if isinstance(peer, tuple) else ""
    return host == "::1" or host.removeprefix("::ffff:").startswith("127.")


def refusal(engine: Engine, transport: asyncio.BaseTransport) -> bytes | None:
    """What a client from elsewhere is told, in RESP, before it is closed; None if it may stay. O(1)."""
    if not engine.config.boolean("protected-mode"):
        return None
    if not engine.extras["acl"].accounts.default.needs_no_password or is_local(transport):
        return None
    return DENIED
