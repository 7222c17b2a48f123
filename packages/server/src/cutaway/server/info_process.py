"""INFO's sections about the process: server, TLS, clients, replication, processor time, cluster, scripts."""

from __future__ import annotations

import os
import platform
import resource
import secrets
import ssl
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from cutaway.commands.connections import REDIS_VERSION
from cutaway.observability import VERSION
from cutaway.server.certificates import read_certificate

if TYPE_CHECKING:
    from cutaway.commands import Engine
    from cutaway.observability.info_texts import Fields
    from cutaway.server.servers import Server

MICRO: Final = 1_000_000
CERTIFICATES: Final = {"server": "tls-cert-file", "client": "tls-client-cert-file", "ca": "tls-ca-cert-file"}
"""INFO's name for each certificate, and where it is."""


class ProcessSections:
    """What can be said of the process and of who is connected."""

    __slots__ = ("_engine", "_run_id", "_server", "_system")

    def __init__(self, engine: Engine, server: Server) -> None:
        self._engine: Final = engine
        self._server: Final = server
        self._run_id: Final = secrets.token_hex(20)
        self._system: Final = f"{platform.system()} {platform.release()} {platform.machine()}"

    def server(self) -> Fields:
        """The section `server`."""
        engine, config = self._engine, self._engine.config
        microseconds = time.time_ns() // 1000
        uptime = max(engine.clock() - self._server.started_at, 0) // 1000
        return {
            "redis_version": REDIS_VERSION.decode(), "server_name": "cutaway", "cutaway_version": VERSION,
            "redis_git_sha1": "00000000", "redis_git_dirty": 0, "redis_build_id": "0", "redis_mode": "standalone",
            "server_mode": "standalone", "os": self._system, "arch_bits": 64 if sys.maxsize > 2**32 else 32,
            "monotonic_clock": time.get_clock_info("perf_counter").implementation,
            "multiplexing_api": type(self._server.loop).__module__.partition(".")[0], "atomicvar_api": "none",
            "gcc_version": platform.python_compiler().rpartition(" ")[2],
            "python_version": platform.python_version(), "process_id": os.getpid(), "process_supervised": engine.extras.get("supervised", "no"),
            "run_id": self._run_id, "tcp_port": config.integer("port"), "server_time_usec": microseconds,
            "uptime_in_seconds": uptime, "uptime_in_days": uptime // 86400, "hz": config.integer("hz"),
            "configured_hz": config.integer("hz"), "clients_hz": config.integer("hz"),
            "lru_clock": microseconds // MICRO & 0xFFFFFF, "executable": sys.executable,
            "config_file": engine.extras.get("config_file", ""), "io_threads_active": 0,
            "availability_zone": config.text("availability-zone"), **dict(self._listeners()),
        }  # fmt: skip

    def _listeners(self) -> Iterator[tuple[str, str]]:
        config = self._engine.config
        hosts: Any = config["bind"]
        number = 0
        for name in ("port", "tls-port"):
            if port := config.integer(name):
                kind = "tcp" if name == "port" else "tls"
                binds = "".join(f",bind={host}" for host in hosts)
                yield f"listener{number}", f"name={kind}{binds},port={port}"
                number += 1
        if path := config.text("unixsocket"):
            yield f"listener{number}", f"name=unix,bind={path}"

    def tls(self) -> Fields:
        """The section `tls`: the certificates that are in the configuration, and what is left of them."""
        config, now = self._engine.config, time.time()
        fields: dict[str, object] = {}
        for name, directive in CERTIFICATES.items():
            path = config.text(directive) if config.integer("tls-port") else ""
            found = read_certificate(path) if path else None
            fields[f"tls_{name}_cert_serial"] = "none" if found is None else found.serial
            fields[f"tls_{name}_cert_expires_in_seconds"] = (
                0 if found is None else int(found.expires_at - now)
            )
        return {**fields, "tls_library": ssl.OPENSSL_VERSION}

    def clients(self) -> Fields:
        """The section `clients`."""
        engine = self._engine
        most_in, most_out = self._server.client_memory.recent()
        waiting = [client for client in engine.clients.values() if client.blocked is not None]
        transactions, tracking = engine.extras.get("transactions"), engine.extras.get("tracking")
        pause = engine.extras["pause"]
        return {
            "connected_clients": len(self._server.connections), "cluster_connections": 0, "maxclients": engine.config.integer("maxclients"),
            "client_recent_max_input_buffer": most_in, "client_recent_max_output_buffer": most_out,
            "blocked_clients": len(waiting),
            "tracking_clients": 0 if tracking is None else len(tracking.clients),
            "pubsub_clients": sum("P" in client.flags for client in engine.clients.values()),
            "watching_clients": 0 if transactions is None else transactions.clients,
            "clients_in_timeout_table": sum(
                client.blocked.block.deadline > 0 for client in waiting if client.blocked is not None
            ),
            "total_watched_keys": 0 if transactions is None else transactions.keys,
            "total_blocking_keys": engine.blocking.awaited_keys,
            "total_blocking_keys_on_nokey": engine.blocking.awaited_keys_on_nokey,
            "paused_reason": pause.reason, "paused_actions": pause.actions,
            "paused_timeout_milliseconds": pause.remaining,
        }  # fmt: skip

    def replication(self) -> Fields:
        """The section `replication`: a primary without replicas."""
        return {
            "role": "master", "connected_slaves": 0, "replicas_waiting_psync": 0,
            "master_failover_state": "no-failover", "master_replid": self._run_id, "master_replid2": "0" * 40,
            "master_repl_offset": 0, "second_repl_offset": -1, "repl_backlog_active": 0,
            "repl_backlog_size": self._engine.config.integer("repl-backlog-size"),
            "repl_backlog_first_byte_offset": 0, "repl_backlog_histlen": 0,
        }  # fmt: skip

    def cpu(self) -> Fields:
        """The section `cpu`: seconds, with microseconds."""
        own = resource.getrusage(resource.RUSAGE_SELF)
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        thread = resource.getrusage(getattr(resource, "RUSAGE_THREAD", resource.RUSAGE_SELF))
        seconds = {
            "used_cpu_sys": own.ru_stime, "used_cpu_user": own.ru_utime,
            "used_cpu_sys_children": children.ru_stime, "used_cpu_user_children": children.ru_utime,
            "used_cpu_sys_main_thread": thread.ru_stime, "used_cpu_user_main_thread": thread.ru_utime,
            "used_active_time_main_thread": time.thread_time(),
        }  # fmt: skip
        return {name: f"{value:.6f}" for name, value in seconds.items()}

    def cluster(self) -> Fields:
        """The section `cluster`."""
        return {"cluster_enabled": 0}

    def scripting_engines(self) -> Fields:
        """The section `scriptingengines`: Lua, once there was a script."""
        used = sum(lua_memory(self._engine))
        fields: dict[str, object] = {
            "engines_count": 1, "engines_total_used_memory": used, "engines_total_memory_overhead": 0,
            "engine_0": f"name=LUA,module=lua,abi_version=1,used_memory={used},memory_overhead=0",
        }  # fmt: skip
        return fields if "scripting" in self._engine.extras else {"engines_count": 0}


def lua_memory(engine: Engine) -> tuple[int, int]:
    """How much memory the interpreters of scripts and of functions hold, in bytes; 0 for one that nobody needed yet."""
    scripting = engine.extras.get("scripting")
    return (0, 0) if scripting is None else (scripting.vm_memory, scripting.libraries.vm_memory)
