"""SHUTDOWN, SIGINT and SIGTERM: the ways to stop, and what is saved on each.

By default a snapshot is made on the way out if there are save points, and the append-only file is brought to the disk in any
case. If that fails the server goes on: whoever wants it stopped all the same says so (NOSAVE, FORCE). While data is being loaded
there is nothing to save, and the server stops at once.

A snapshot on the way out keeps the loop, and so the asyncio handlers of signals, from running. Whoever presses Ctrl-C a second
time does not want to wait for it: until it is done SIGINT has a handler of the plain kind, which ends the process.
"""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cutaway.commands import Client, CommandError, CommandTable
from cutaway.resp import NO_REPLY

if TYPE_CHECKING:
    from cutaway.resp import Reply
    from cutaway.server.persisting import Persistence
    from cutaway.server.servers import Server

log: Final = logging.getLogger("cutaway.server")

shutdowns: Final = CommandTable("server")

POSTPONED: Final = "postponed_shutdown"
"""In `engine.extras`, while a signal waits to be obeyed: a function that forgets it."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How to stop: save or not (None: if there are save points), and whether to stop even if saving fails."""

    save: bool | None = None
    force: bool = False

    @classmethod
    def of(cls, words: Iterable[str]) -> Manner:
        """The manner that a list of words, of SHUTDOWN or `shutdown-on-sigterm`, asks for."""
        chosen = {word.lower() for word in words}
        save = True if "save" in chosen else False if "nosave" in chosen else None
        return cls(save, "force" in chosen)


def stop(server: Server, manner: Manner) -> bool:
    """Save what is to be saved and let the server end; False, and it goes on, if that failed."""
    persistence: Persistence | None = server.engine.extras.get("persistence")
    if persistence is not None:
        problem = _leave(server, persistence, manner)
        if problem and not manner.force:
            log.warning(problem)
            return False
    log.info("Cutaway is now ready to exit, bye bye...")
    server.stopping.set()
    return True


def _leave(server: Server, persistence: Persistence, manner: Manner) -> str:
    """Bring the data to the disk; what went wrong, or nothing."""
    if persistence.loader.active:
        persistence.loader.abandon()
        return ""
    if persistence.appender.beginning:
        if not manner.force:
            return "Writing initial AOF, can't exit."
        log.warning("Writing initial AOF. Exit anyway.")
    save = manner.save if manner.save is not None else bool(server.engine.config["save"])
    try:
        persistence.shut_down(save=save)
    except CommandError:
        return "Error trying to save the DB, can't exit. Use SHUTDOWN NOSAVE or FORCE to exit all the same."
    return ""


def on_signal(server: Server, name: str) -> None:
    """SIGINT or SIGTERM came. To obey is regular work: while that is paused (DEBUG PAUSE-CRON), SHUTDOWN ABORT may prevent it."""
    log.info("Received %s, shutting down", name)
    if server.cron_paused:
        _obey_later(server, name)
    else:
        _obey(server, name)


def _obey_later(server: Server, name: str) -> None:
    engine = server.engine

    def obey(_now: int) -> None:
        forget()
        _obey(server, name)

    def forget() -> None:
        engine.on_cron = tuple(each for each in engine.on_cron if each is not obey)
        del engine.extras[POSTPONED]

    if POSTPONED not in engine.extras:
        engine.on_cron = (*engine.on_cron, obey)
        engine.extras[POSTPONED] = forget


def _obey(server: Server, name: str) -> None:
    words: Any = server.engine.config[f"shutdown-on-{name.lower()}"]
    server.loop.remove_signal_handler(signal.SIGINT)
    signal.signal(signal.SIGINT, lambda _number, _frame: _insist(server))
    if not stop(server, Manner.of(words)):
        server.loop.add_signal_handler(signal.SIGINT, on_signal, server, "SIGINT")


def _insist(server: Server) -> None:
    log.warning("You insist... exiting now.")
    persistence: Persistence | None = server.engine.extras.get("persistence")
    if persistence is not None:
        persistence.saver.remove_temporary()
    logging.shutdown()
    os._exit(1)


@shutdowns.command("SHUTDOWN", arity=-1, flags="admin noscript loading stale no_multi allow_busy",
                   syntax="[[NOSAVE | SAVE] [NOW] [FORCE] [SAFE] [FAILOVER] | ABORT]")  # fmt: skip
def shutdown(client: Client, *words: bytes) -> Reply:
    """Saves, if it should, and stops the server; the connection closes without a reply. O(n) when saving."""
    manner = _manner(words)
    if any(word.upper() == b"FAILOVER" for word in words):
        raise CommandError("ERR SHUTDOWN FAILOVER is only supported in cluster mode.")
    if manner is None:
        return _abort(client)
    if not stop(client.engine.extras["server"], manner):
        raise CommandError("ERR Errors trying to SHUTDOWN. Check logs.")
    client.close_after_reply = True
    return NO_REPLY


def _abort(client: Client) -> Reply:
    forget: Callable[[], None] | None = client.engine.extras.get(POSTPONED)
    if forget is None:
        raise CommandError("ERR No shutdown in progress.")
    forget()
    log.info("Shutdown manually aborted.")
    return "OK"


def _manner(words: Sequence[bytes]) -> Manner | None:
    """What SHUTDOWN's words ask for; None for ABORT."""
    chosen = [word.decode("latin-1").lower() for word in words]
    if any(word not in ("nosave", "save", "now", "force", "safe", "failover", "abort") for word in chosen):
        raise CommandError("ERR syntax error")
    if ("abort" in chosen and len(chosen) > 1) or {"save", "nosave"} <= set(chosen):
        raise CommandError("ERR syntax error")
    return None if "abort" in chosen else Manner.of(chosen)
