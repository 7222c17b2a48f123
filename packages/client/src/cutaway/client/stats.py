"""``--stat``: one line of a server's vital signs every second, from INFO.

A server that goes away is waited for, so that a restart shows as a gap and not as an end.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

from cutaway.client.clients import Client
from cutaway.client.options import Options
from cutaway.client.printing import complain
from cutaway.resp import Reply, ReplyError, Verbatim

HEADING: Final = (
    "------- data ------ --------------------- load -------------------- - child -\n"
    "keys       mem      clients blocked requests            connections          "
)
_HEADING_EVERY: Final = 20
_CHILDREN: Final[dict[tuple[int, ...], str]] = {
    (1, 0, 0): "SAVE",
    (0, 1, 0): "AOF",
    (1, 1, 0): "SAVE+AOF",
    (0, 0, 1): "LOAD",
}


def roll(client: Client, options: Options) -> int:
    """Print a line every `interval` seconds, until interrupted."""
    previous: int | None = None
    number = 0
    while True:
        try:
            reply = client.call("INFO")
        except ReplyError as error:
            complain(f"ERROR: {error}")
            return 1
        except OSError:
            if number == 0:
                raise
            print("not connected, trying again ...", flush=True)
        else:
            if number % _HEADING_EVERY == 0:
                print(HEADING)
            fields = parse_info(reply)
            line, previous = render(fields, previous)
            print(line, flush=True)
            number += 1
        time.sleep(options.interval or 1)


def parse_info(reply: Reply) -> dict[str, str]:
    """The fields of INFO."""
    text = reply.text if isinstance(reply, Verbatim) else reply
    assert isinstance(text, bytes)
    pairs = (line.partition(":") for line in text.decode("utf-8", "replace").splitlines())
    return {name: value for name, colon, value in pairs if colon}


def render(fields: Mapping[str, str], previous: int | None) -> tuple[str, int]:
    """One line, and the number of requests so far, for the difference in the next line."""
    keys = sum(_keys(value) for name, value in fields.items() if name[:2] == "db" and name[2:].isdigit())
    requests = _number(fields, "total_commands_processed")
    change = 0 if previous is None else requests - previous
    state = tuple(
        _number(fields, name) for name in ("rdb_bgsave_in_progress", "aof_rewrite_in_progress", "loading")
    )
    line = (
        f"{keys:<11}{human(_number(fields, 'used_memory')):<8} {_number(fields, 'connected_clients'):<8}"
        f"{_number(fields, 'blocked_clients'):<8}{f'{requests} (+{change})':<19}"
        f" {_number(fields, 'total_connections_received'):<12}{_CHILDREN.get(state, '')}"
    )
    return line, requests


def human(size: int) -> str:
    """Bytes in the largest unit that leaves a number above one: ``512B``, ``1.50K``, ``2.00G``."""
    if size < 1024:
        return f"{size}B"
    unit, bits = next(
        ((unit, bits) for unit, bits in (("K", 10), ("M", 20)) if size < 1 << (bits + 10)), ("G", 30)
    )
    return f"{size / (1 << bits):.2f}{unit}"


def _number(fields: Mapping[str, str], name: str) -> int:
    value = fields.get(name, "0")
    return int(value) if value.isdigit() else 0


def _keys(value: str) -> int:
    """Of ``keys=3,expires=0,...``."""
    return int(value.partition(",")[0].partition("=")[2])
