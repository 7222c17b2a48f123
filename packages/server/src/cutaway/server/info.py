"""INFO: what the server knows of itself, in sections.

Here is the command, and which section comes from where; the sections themselves are in `info_process.py` (the process and its
clients), `memory_figures.py`, `info_data.py` (disk, keys) and `info_counts.py` (what was counted). Another room adds fields, or corrects some that it
knows better, with `engine.info_sections["memory:scripting"] = fields`: the section's name, then its own.

A field of the real server that can have no meaning here (there are no I/O threads, there is no defragmentation) is shown
all the same, as 0: programs look for it. `docs/packages/observability.md` lists them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from cutaway.commands import Client, CommandTable, Engine
from cutaway.observability.info_texts import Section, chosen, written
from cutaway.resp import Reply, Verbatim
from cutaway.server.info_counts import CountSections
from cutaway.server.info_data import DataSections
from cutaway.server.info_process import ProcessSections

if TYPE_CHECKING:
    from cutaway.server.measurements import Measurements
    from cutaway.server.memory_figures import MemoryReport
    from cutaway.server.servers import Server

info_commands: Final = CommandTable("server")

DEFAULT: Final = (
    "server", "clients", "memory", "persistence", "stats", "replication", "cpu", "modules", "errorstats", "cluster", "keyspace",
)  # fmt: skip
HIDDEN: Final = "debug"
"""Not even INFO everything shows it."""


class Info:
    """The sections of one server; `engine.extras["info"]`."""

    __slots__ = ("_engine", "_sections")

    def __init__(
        self, engine: Engine, server: Server, measurements: Measurements, memory: MemoryReport
    ) -> None:
        self._engine: Final = engine
        process = ProcessSections(engine, server)
        data = DataSections(engine)
        counts = CountSections(engine, server, measurements)
        self._sections: Final[dict[str, tuple[str, Section]]] = {
            "server": ("Server", process.server),
            "tls": ("TLS", process.tls),
            "clients": ("Clients", process.clients),
            "memory": ("Memory", memory.section),
            "persistence": ("Persistence", data.persistence),
            "stats": ("Stats", counts.stats),
            "replication": ("Replication", process.replication),
            "cpu": ("CPU", process.cpu),
            "modules": ("Modules", dict),
            "commandstats": ("Commandstats", counts.commandstats),
            "errorstats": ("Errorstats", counts.errorstats),
            "latencystats": ("Latencystats", counts.latencystats),
            "cluster": ("Cluster", process.cluster),
            "scriptingengines": ("Scripting Engines", process.scripting_engines),
            "keyspace": ("Keyspace", data.keyspace),
            "keysizes": ("Keysizes", data.keysizes),
            "debug": ("Debug", counts.debug),
        }
        engine.extras["info"] = self

    def text(self, names: Sequence[str] = ()) -> str:
        """INFO's answer to arguments. O(1), O(keys) for `keysizes` up to a limit."""
        rooms = self._engine.info_sections
        sections = {name: (title, dict(fields())) for name, (title, fields) in self._chosen(names)}
        for key, fields in rooms.items():
            name = key.partition(":")[0]
            if name in sections:
                sections[name][1].update(fields())
        return written(sections.values())

    def _chosen(self, names: Sequence[str]) -> list[tuple[str, tuple[str, Section]]]:
        asked = {name.lower() for name in names}
        wanted = chosen(names, self._sections, DEFAULT)
        return [(name, self._sections[name]) for name in wanted if name != HIDDEN or name in asked]


@info_commands.command("INFO", arity=-1, flags="loading stale", acl="dangerous", syntax="[section [section ...]]",
                       tips=["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
                       history=[("7.0.0", "Takes several sections at once.")])  # fmt: skip
def info(client: Client, *sections: bytes) -> Reply:
    """Returns what the server knows of itself. O(1)."""
    state: Info = client.engine.extras["info"]
    return Verbatim(
        state.text([name.decode("latin-1") for name in sections]).encode("utf-8", "surrogateescape")
    )
