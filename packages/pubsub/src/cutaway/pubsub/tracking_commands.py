"""CLIENT TRACKING and its kin: the commands of client-side caching. What they switch on is in `tracking`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cutaway.commands import Client, CommandError, CommandTable, arguments, errors
from cutaway.pubsub.tracking import ROOM, Tracked, Tracking
from cutaway.resp import MapReply, Reply, SetReply

tracking_commands: Final = CommandTable("connection")

FLAGS: Final = "noscript loading stale"
SWITCH_BCAST: Final = (
    "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling "
    "it with a different mode."
)
SWITCH_OPT: Final = (
    "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling "
    "it with a different mode."
)
CACHING_ALONE: Final = (
    "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode "
    "enabled"
)


def tracking_of(client: Client) -> Tracking:
    """The engine's tracking table."""
    tracking: Tracking = client.engine.extras[ROOM]
    return tracking


def mode_of(client: Client) -> Tracked | None:
    """How the client wants to hear of changes, if it does."""
    mode: Tracked | None = client.extras.get(ROOM)
    return mode


@tracking_commands.command(
    "CLIENT TRACKING", arity=-3, flags=FLAGS, since="6.0.0",
    syntax="<ON | OFF> [REDIRECT client-id] [PREFIX prefix [PREFIX prefix ...]] [BCAST] [OPTIN] [OPTOUT] "
    "[NOLOOP]",
)  # fmt: skip
def client_tracking(client: Client, status: bytes, *words: bytes) -> Reply:
    """Lets the client hear when keys that it has read are changed. O(1), O(n²) for n prefixes."""
    mode, prefixes = _parse(client, words)
    word = status.lower()
    if word == b"off":
        tracking_of(client).stop(client)
    elif word == b"on":
        _check(client, mode, prefixes)
        tracking_of(client).start(client, mode, prefixes or [b""])
    else:
        raise errors.SYNTAX
    return "OK"


def _parse(client: Client, words: Sequence[bytes]) -> tuple[Tracked, list[bytes]]:
    options: set[bytes] = set()
    prefixes: list[bytes] = []
    redirect = position = 0
    while position < len(words):
        option, has_more = words[position].lower(), position + 1 < len(words)
        if option == b"redirect" and has_more:
            if redirect:
                raise CommandError("ERR A client can only redirect to a single other client")
            position += 1
            redirect = arguments.integer(words[position])
            if redirect not in client.engine.clients:
                raise CommandError("ERR The client ID you want redirect to does not exist")
        elif option == b"prefix" and has_more:
            position += 1
            prefixes.append(words[position])
        elif option in (b"bcast", b"optin", b"optout", b"noloop"):
            options.add(option)
        else:
            raise errors.SYNTAX
        position += 1
    mode = Tracked(
        broadcast=b"bcast" in options, optin=b"optin" in options, optout=b"optout" in options,
        noloop=b"noloop" in options, redirect=redirect,
    )  # fmt: skip
    return mode, prefixes


def _check(client: Client, mode: Tracked, prefixes: Sequence[bytes]) -> None:
    """Refuse options that contradict one another, or the mode that the client is in."""
    if prefixes and not mode.broadcast:
        raise CommandError("ERR PREFIX option requires BCAST mode to be enabled")
    old = mode_of(client)
    if old is not None and old.broadcast != mode.broadcast:
        raise CommandError(SWITCH_BCAST)
    if mode.broadcast and (mode.optin or mode.optout):
        raise CommandError("ERR OPTIN and OPTOUT are not compatible with BCAST")
    if mode.optin and mode.optout:
        raise CommandError("ERR You can't specify both OPTIN mode and OPTOUT mode")
    if old is not None and ((mode.optin and old.optout) or (mode.optout and old.optin)):
        raise CommandError(SWITCH_OPT)
    if mode.broadcast:
        _check_prefixes(prefixes, sorted(old.prefixes) if old is not None else [])


def _overlapping(names: Sequence[bytes]) -> set[bytes]:
    """Those that another one begins with, or that begin with another one: sorted, they stand together. O(n log n)."""
    found: set[bytes] = set()
    beginnings: list[bytes] = []
    for name in sorted(names):
        while beginnings and not name.startswith(beginnings[-1]):
            beginnings.pop()
        if beginnings:
            found.update((beginnings[-1], name))
        beginnings.append(name)
    return found


def _check_prefixes(prefixes: Sequence[bytes], existing: Sequence[bytes]) -> None:
    """No key may fall under two prefixes of one client, or it would be told of it twice. O(n log n)."""
    overlapping = _overlapping([*existing, *prefixes])
    for place, prefix in enumerate(prefixes):
        if prefix not in overlapping:
            continue
        for other, kind in (
            *((each, "an existing") for each in existing),
            *((each, "another provided") for each in prefixes[place + 1 :]),
        ):
            if prefix.startswith(other) or other.startswith(prefix):
                ours, theirs = errors.printable(prefix), errors.printable(other)
                raise CommandError(
                    f"ERR Prefix '{ours}' overlaps with {kind} prefix '{theirs}'. "
                    "Prefixes for a single client must not overlap."
                )


@tracking_commands.command(
    "CLIENT CACHING", arity=3, flags=f"{FLAGS} allow_busy", syntax="<YES | NO>", since="6.0.0"
)
def client_caching(client: Client, choice: bytes) -> Reply:
    """Says whether the keys of the next command, or transaction, are to be tracked. O(1)."""
    mode = mode_of(client)
    if mode is None:
        raise CommandError(CACHING_ALONE)
    word = choice.lower()
    if word == b"yes":
        if not mode.optin:
            raise CommandError("ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.")
    elif word == b"no":
        if not mode.optout:
            raise CommandError("ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.")
    else:
        raise errors.SYNTAX
    mode.caching = True
    return "OK"


@tracking_commands.command("CLIENT GETREDIR", arity=2, flags=f"{FLAGS} allow_busy", since="6.0.0")
def client_getredir(client: Client) -> Reply:
    """Returns the client that gets the messages instead; 0 for none, -1 without tracking. O(1)."""
    mode = mode_of(client)
    return -1 if mode is None else mode.redirect


@tracking_commands.command("CLIENT TRACKINGINFO", arity=2, flags=FLAGS, since="6.2.0")
def client_trackinginfo(client: Client) -> Reply:
    """Describes how the client wants to hear of changes. O(n) for n prefixes."""
    mode = mode_of(client)
    flags: list[Reply] = [b"off"] if mode is None else _flags(mode)
    return MapReply(
        [
            (b"flags", SetReply(flags)),
            (b"redirect", -1 if mode is None else mode.redirect),
            (b"prefixes", [] if mode is None else sorted(mode.prefixes)),
        ]
    )


def _flags(mode: Tracked) -> list[Reply]:
    said = {
        b"bcast": mode.broadcast,
        b"optin": mode.optin, b"caching-yes": mode.optin and mode.caching,
        b"optout": mode.optout, b"caching-no": mode.optout and mode.caching,
        b"noloop": mode.noloop,
        b"broken_redirect": mode.is_broken,
    }  # fmt: skip
    return [b"on", *(flag for flag, holds in said.items() if holds)]
