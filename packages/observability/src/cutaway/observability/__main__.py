"""`python -m cutaway.observability top --port 6379`: a live view of any Redis-compatible server.

This room opens no socket. The connection comes from the client's room, which is an extra of this package
(`pip install cutaway-observability[top]`) and is looked up by its name only when it is needed: nothing else here knows it.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import time
from typing import Any, Final

CLIENT_ROOM: Final = "cutaway.client"
NO_CLIENT: Final = "top needs rich and the client: pip install 'cutaway-observability[top]'"
EPILOG: Final = "A password is taken from REDISCLI_AUTH too. Ctrl-C ends it."


def parser() -> argparse.ArgumentParser:
    """What can be asked for."""
    program = argparse.ArgumentParser(prog="python -m cutaway.observability", description=__doc__)
    modes = program.add_subparsers(required=True, metavar="top")
    top = modes.add_parser("top", help="a live view of a server", epilog=EPILOG, add_help=False)
    top.add_argument("--help", action="help", help="show this and exit")
    top.add_argument("-h", "--host", default="127.0.0.1", help="where the server is (127.0.0.1)")
    top.add_argument("-p", "--port", type=int, default=6379, help="its port (6379)")
    top.add_argument("-s", "--socket", help="the path of its unix socket")
    top.add_argument("-u", "--url", help="all of that as redis://user:password@host:port")
    top.add_argument("--user", help="who we are")
    top.add_argument("-a", "--password", default=os.environ.get("REDISCLI_AUTH"), help="and the password")
    top.add_argument("-i", "--interval", type=float, default=1.0, help="seconds between two looks (1)")
    top.add_argument("-n", "--count", type=int, help="how many looks; until Ctrl-C if not given")
    return program


def main() -> None:
    """Run it; exits with 1 and a line that says why if there is no server."""
    options = parser().parse_args()
    try:
        client_room: Any = importlib.import_module(CLIENT_ROOM)
        from rich.console import Console  # noqa: PLC0415 - optional, as the client is

        from cutaway.observability.top import watch  # noqa: PLC0415 - needs rich
    except ImportError:
        sys.exit(NO_CLIENT)
    address = options.url or client_room.Address(
        host=options.host, port=options.port, path=options.socket, username=options.user, password=options.password
    )  # fmt: skip
    where = (
        options.url.rpartition("@")[2] if options.url else options.socket or f"{options.host}:{options.port}"
    )
    try:
        with client_room.Client(address, timeout=10) as client:
            watch(client.call, where, Console(), clock=time.perf_counter, wait=time.sleep,  # noqa: TID251 - a program
                  interval=options.interval, count=options.count)  # fmt: skip
    except KeyboardInterrupt:
        return
    except (OSError, ValueError, client_room.ReplyError) as error:
        sys.exit(str(error) if where in str(error) else f"{where}: {error}")


if __name__ == "__main__":
    main()
