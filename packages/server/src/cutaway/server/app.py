"""The composition root: which tables, which rooms, which parts make the server. Nothing else in the house knows them all.

`compose` builds the engine from its tables and hangs the rooms into its hooks, in the order in which they act. `run` puts it on
the network and keeps it there until it is told to stop.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from cutaway.acl import acl
from cutaway.acl import install as install_acl
from cutaway.commands import Command, Engine
from cutaway.commands.all_tables import TABLES as DATA
from cutaway.commands.dumping import dumping
from cutaway.commands.eviction import install as install_eviction
from cutaway.config import Config, ConfigError
from cutaway.config.parser import ConfigFileError, Line
from cutaway.datastructures import DEFAULT_INDEX
from cutaway.modules import install as install_modules
from cutaway.modules import module_commands
from cutaway.persistence.exchanged import exchange
from cutaway.pubsub import install as install_pubsub
from cutaway.pubsub import pubsub, tracking_commands
from cutaway.scripting import functions, scripting
from cutaway.scripting import install as install_scripting
from cutaway.server import collector, descriptors
from cutaway.server.busy import answer_while_busy
from cutaway.server.crash_reports import CrashReports
from cutaway.server.extensions import ExtensionError, load_modules, rename_commands, tell_modules
from cutaway.server.loading import LoadError, working_directory
from cutaway.server.logs import Logs, announce
from cutaway.server.metrics import Metrics
from cutaway.server.migrating import migrating
from cutaway.server.module_hosts import LoopHost
from cutaway.server.observing import OBSERVING, Observation
from cutaway.server.oom_scores import OomScore
from cutaway.server.outside import give
from cutaway.server.parts import Parts, default_parts
from cutaway.server.persisting import Persistence, persisting
from cutaway.server.process_titles import ProcessTitle
from cutaway.server.servers import Server
from cutaway.server.shutdowns import on_signal, shutdowns
from cutaway.server.supervision import Supervisor
from cutaway.server.tls import TLSError
from cutaway.server.users import UsersError, take_users
from cutaway.transactions import install as install_transactions
from cutaway.transactions import transactions

TABLES: Final[tuple[Iterable[Command], ...]] = (
    *DATA, pubsub, tracking_commands, transactions, scripting, functions, acl, dumping, persisting, shutdowns, migrating,
    module_commands, OBSERVING,
)  # fmt: skip

CAUSES: Final = {UsersError: ", because of the users", TLSError: ", because of TLS"}

log: Final = logging.getLogger("cutaway.server")


def compose(config: Config, parts: Parts) -> Engine:
    """An engine with every room in place, not yet on the network."""
    DEFAULT_INDEX.factory = parts.sorted_set_index
    exchange(parts.read_string, parts.replay)
    engine = Engine(*TABLES, config=config, databases=config.integer("databases"), make_dict=parts.dict)
    install_eviction(engine, parts.eviction_pool())
    install_transactions(engine, parts.watches)
    install_pubsub(engine, parts.matcher)
    install_scripting(engine)
    install_acl(engine)
    install_modules(engine)
    return engine


@dataclass(slots=True)
class Application:
    """One run of the server, from its settings to its end."""

    config: Config
    parts: Parts = field(default_factory=default_parts)
    on_ready: Callable[[Server], None] | None = None
    config_file: str | None = None
    """The file that CONFIG REWRITE writes."""
    logs: Logs | None = None
    """Where the log goes; None where the embedding program has seen to that."""
    users: Sequence[Line] = ()
    """The `user` lines of the configuration."""
    modules: Sequence[tuple[str, Sequence[str]]] = ()
    """The `loadmodule` lines: where each module is, and its arguments."""
    module_directives: Mapping[str, str] = field(default_factory=dict)
    """Settings of modules, by full name."""
    renamed: Sequence[tuple[str, str]] = ()
    """The `rename-command` lines."""
    supervisor: Supervisor = field(default_factory=lambda: Supervisor(Config()))
    """Whoever started the process, and wants to hear how it goes."""

    def run(self) -> int:
        """Serve until SIGINT, SIGTERM or SHUTDOWN; the process's exit status."""
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(self.serve())

    async def serve(self) -> int:
        """As `run`, in a loop that is already there."""
        config = self.config
        engine = compose(config, self.parts)
        give(engine, self.config_file)
        collector.start()
        loop = asyncio.get_running_loop()
        server = Server(engine, self.parts, loop)
        self._mind_the_process(engine)
        observation = Observation(engine, server)
        metrics = Metrics(engine, observation)
        persistence = Persistence(engine, loop, self.parts.files())
        host = LoopHost(server, engine.extras["modules"])
        try:
            load_modules(engine, self.modules, self.module_directives)
            rename_commands(engine, self.renamed)
            config.assign("dir", working_directory(config.text("dir")))
            take_users(engine, self.users)
            descriptors.watch(engine)
            persistence.loader.close_the_gate()
            await self._listen(server)
            await metrics.listen()
        except OSError as error:
            log.error("Could not start: %s", error.strerror or error)  # noqa: TRY400 - the text says it all
            return 1
        except (ExtensionError, UsersError, TLSError) as error:
            log.critical("Could not start%s: %s", CAUSES.get(type(error), ""), error)
            return 1
        except ConfigFileError as error:
            print(error.report("Cutaway"), file=sys.stderr)
            return 1
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, on_signal, server, number.name)
        self.supervisor.attend()
        announce(engine, self.logs)
        server.start()
        tell_modules(engine, "loading")
        if not await self._load(persistence):
            return 1
        if server.stopping.is_set():
            await server.stop()
            return 0
        server.before_flush = (
            engine.extras["tracking"].broadcast,
            persistence.appender.before_flush,
        )
        engine.on_cron = (*engine.on_cron, persistence.poll)
        tell_modules(engine, "loaded")
        log.info("Ready to accept connections")
        if self.on_ready is not None:
            self.on_ready(server)
        self.supervisor.ready()
        await server.stopping.wait()
        self.supervisor.stopping()
        tell_modules(engine, "shutdown")
        host.close()
        metrics.close()
        await server.stop()
        persistence.close()
        return 0

    def _mind_the_process(self, engine: Engine) -> None:
        OomScore(engine)
        engine.extras["supervised"] = self.supervisor.kind
        if self.logs is not None:
            CrashReports(engine, self.logs.open_for_crashes())
            ProcessTitle(self.config, self.config_file)

    async def _load(self, persistence: Persistence) -> bool:
        """Bring the data back, and begin to log; False, with a line that says why, if it cannot be."""
        try:
            if not await persistence.loader.load():
                return True
            persistence.configure()
        except (LoadError, ConfigError) as error:
            log.critical("%s", error)
            return False
        persistence.saver.forget_changes()
        return True

    async def _listen(self, server: Server) -> None:
        config = self.config
        answer_while_busy(server)
        await server.ports.open()
        if path := config.text("unixsocket"):
            await server.listen_unix(
                path,
                config.integer("unixsocketperm"),
                config.integer("tcp-backlog"),
                config.text("unixsocketgroup"),
            )
            log.info("Listening on %s", path)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if os.environ.get("CUTAWAY_EVENT_LOOP") == "asyncio" or sys.platform == "win32":
        return None
    try:
        import uvloop  # noqa: PLC0415 - optional: not every platform has it
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory
