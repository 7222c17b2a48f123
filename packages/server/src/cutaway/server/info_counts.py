"""INFO's sections of what was counted: stats, and the statistics of each command, each kind of error, each command's latencies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from cutaway.server.forks import forks
from cutaway.server.measurements import every_command

if TYPE_CHECKING:
    from cutaway.commands import Engine
    from cutaway.observability.info_texts import Fields
    from cutaway.server.measurements import Measurements
    from cutaway.server.servers import Server

_ALWAYS_NOTHING: Final = (
    "migrate_cached_sockets", "slave_expires_tracked_keys", "active_defrag_hits", "active_defrag_misses",
    "active_defrag_key_hits", "active_defrag_key_misses", "total_active_defrag_time", "current_active_defrag_time",
)  # fmt: skip
_NO_THREADS: Final = (
    "io_threaded_reads_processed", "io_threaded_writes_processed", "io_threaded_freed_objects",
    "io_threaded_accept_processed", "io_threaded_poll_processed", "io_threaded_total_prefetch_batches",
    "io_threaded_total_prefetch_entries",
)  # fmt: skip
_DENIED: Final = {
    "auth": "AUTH", "cmd": "COMMAND", "key": "KEY", "channel": "CHANNEL", "tls_cert": "CERTIFICATE", "db": "DATABASE",
}  # fmt: skip
"""INFO's word for each reason that a client was refused for, and the room's."""


class CountSections:
    """What was counted since the start, or since CONFIG RESETSTAT."""

    __slots__ = ("_engine", "_measurements", "_server")

    def __init__(self, engine: Engine, server: Server, measurements: Measurements) -> None:
        self._engine: Final = engine
        self._server: Final = server
        self._measurements: Final = measurements

    def stats(self) -> Fields:
        """The section `stats`."""
        return {
            **self._traffic(),
            **self._expiry(),
            **self._listening(),
            **dict.fromkeys(_ALWAYS_NOTHING, 0),
            **self._tracking(),
            **self._replies(),
            **self._loop(),
            **self._denied(),
        }

    def _traffic(self) -> dict[str, object]:
        server, seen = self._server, self._measurements
        return {
            "total_connections_received": server.connections_received,
            "total_commands_processed": self._engine.total_commands,
            "instantaneous_ops_per_sec": int(seen.operations_rate.value),
            "total_net_input_bytes": server.bytes_in, "total_net_output_bytes": server.bytes_out,
            "total_net_repl_input_bytes": 0, "total_net_repl_output_bytes": 0,
            "total_net_cluster_slot_import_bytes": 0, "total_net_cluster_slot_export_bytes": 0,
            "instantaneous_input_kbps": seen.in_rate.value / 1024, "instantaneous_output_kbps": seen.out_rate.value / 1024,
            "instantaneous_input_repl_kbps": 0.0, "instantaneous_output_repl_kbps": 0.0,
            "rejected_connections": server.connections_rejected,
            "sync_full": 0, "sync_partial_ok": 0, "sync_partial_err": 0,
        }  # fmt: skip

    def _expiry(self) -> dict[str, object]:
        keyspace, expiry, evictor = self._engine.keyspace, self._engine.active_expiry, self._server.evictor
        return {
            "expired_keys": keyspace.expired_keys, "expired_fields": keyspace.expired_fields,
            "expired_stale_perc": 100 * expiry.stale_share, "expired_keys_with_volatile_items_stale_perc": 0.0,
            "expired_time_cap_reached_count": expiry.time_limit_reached,
            "expire_cycle_cpu_milliseconds": expiry.nanoseconds // 1_000_000,
            "evicted_keys": keyspace.evicted_keys, "evicted_clients": self._server.client_memory.evicted, "evicted_scripts": self._evicted_scripts(),
            "total_eviction_exceeded_time": evictor.exceeded_nanoseconds // 1_000_000,
            "current_eviction_exceeded_time": evictor.current_exceeded_nanoseconds() // 1_000_000,
            "keyspace_hits": keyspace.hits, "keyspace_misses": keyspace.misses,
        }  # fmt: skip

    def _evicted_scripts(self) -> int:
        scripting: Any = self._engine.extras.get("scripting")
        return 0 if scripting is None else scripting.evicted

    def _listening(self) -> dict[str, object]:
        hub = self._engine.extras.get("pubsub")
        return {
            "pubsub_channels": 0 if hub is None else len(hub.channels.listeners),
            "pubsub_patterns": 0 if hub is None else len(hub.patterns.listeners),
            "pubsubshard_channels": 0 if hub is None else len(hub.shard_channels.listeners),
            "latest_fork_usec": forks.last_nanoseconds // 1000, "total_forks": forks.count,
        }  # fmt: skip

    def _tracking(self) -> dict[str, object]:
        table: Any = self._engine.extras.get("tracking")
        return {
            "tracking_total_keys": 0 if table is None else table.keys,
            "tracking_total_items": 0 if table is None else table.items,
            "tracking_total_prefixes": 0 if table is None else table.prefixes,
        }

    def _replies(self) -> dict[str, object]:
        server = self._server
        return {
            "unexpected_error_replies": 0, "total_error_replies": sum(self._engine.errors_by_code.values()),
            "dump_payload_sanitizations": 0, "total_reads_processed": server.reads,
            "total_writes_processed": server.writes, **dict.fromkeys(_NO_THREADS, 0),
            "client_query_buffer_limit_disconnections": server.query_limit_disconnections,
            "client_output_buffer_limit_disconnections": server.output_limit_disconnections,
            "reply_buffer_shrinks": 0, "reply_buffer_expands": 0,
        }  # fmt: skip

    def _loop(self) -> dict[str, object]:
        seen = self._measurements
        return {
            "eventloop_cycles": self._server.cycles, "eventloop_duration_sum": seen.busy_microseconds,
            "eventloop_duration_cmd_sum": sum(each.nanoseconds for each in every_command(self._engine)) // 1000,
            "instantaneous_eventloop_cycles_per_sec": int(seen.cycle_rate.value),
            "instantaneous_eventloop_duration_usec": int(seen.cycle_time_rate.value),
        }  # fmt: skip

    def debug(self) -> Fields:
        """The section `debug`, shown only to who asks for it: where the event loop's time went, in microseconds."""
        persistence: Any = self._engine.extras["persistence"]
        return {
            "eventloop_duration_aof_sum": persistence.appender.nanoseconds // 1000,
            "eventloop_duration_cron_sum": self._server.cron_nanoseconds // 1000,
            "eventloop_duration_max": self._measurements.longest_cycle,
            "eventloop_cmd_per_cycle_max": max(self._measurements.most_commands, 1),  # the turn that asks has one
            "io_threaded_reads_pending": 0, "io_threaded_writes_pending": 0,
        }  # fmt: skip

    def _denied(self) -> dict[str, object]:
        access: Any = self._engine.extras.get("acl")
        counts = (
            {} if access is None else {reason.name: count for reason, count in access.denials.counts.items()}
        )
        return {f"acl_access_denied_{word}": counts.get(name, 0) for word, name in _DENIED.items()}

    # ---- by command, by error

    def commandstats(self) -> Fields:
        """The section `commandstats`: a field for each command that was called, or that was refused."""
        return dict(self._commandstats())

    def _commandstats(self) -> Iterator[tuple[str, str]]:
        for command in every_command(self._engine):
            calls = command.calls
            if calls or command.rejected_calls or command.failed_calls:
                microseconds = command.nanoseconds // 1000
                yield (
                    f"cmdstat_{command.full_name}",
                    (
                        f"calls={calls},usec={microseconds},usec_per_call={microseconds / (calls or 1):.2f},"
                        f"rejected_calls={command.rejected_calls},failed_calls={command.failed_calls}"
                    ),
                )

    def errorstats(self) -> Fields:
        """The section `errorstats`: how often each error code was answered."""
        return {f"errorstat_{code}": f"count={count}" for code, count in self._engine.errors_by_code.items()}

    def latencystats(self) -> Fields:
        """The section `latencystats`: percentiles of each command's latencies, in microseconds."""
        self._measurements.gather_latencies()
        percents: Any = self._engine.config["latency-tracking-info-percentiles"]
        return {
            f"latency_percentiles_usec_{name}": ",".join(
                f"p{percent:g}={value / 1000:.3f}"
                for percent, value in zip(percents, histogram.percentiles(percents), strict=True)
            )
            for name, histogram in self._measurements.histograms.items()
        }
