"""Metrics for Prometheus, under the names that redis_exporter gave them.

Prometheus fetches a page of numbers every few seconds and keeps their history; Grafana draws it. For Redis a separate program, redis_exporter,
turns INFO into such a page. Here the server serves it itself, and since the names are the same, dashboards made for the one
fit the other.

A metric is a *counter*, which only grows and of which the slope is of interest (`redis_commands_processed_total`), or a *gauge*, which goes up
and down (`redis_connected_clients`). Most come from a field of INFO, by the two tables below; what INFO tells of each command, database,
error and latency event gets a label.

Only `Snapshot` is taken from the server. Making the page from it touches nothing else, and so can be done in another thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from cutaway.observability.info_texts import details, parse

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

GAUGES: Final = {
    "uptime_in_seconds": "uptime_in_seconds", "process_id": "process_id",
    "connected_clients": "connected_clients", "blocked_clients": "blocked_clients",
    "tracking_clients": "tracking_clients", "pubsub_clients": "pubsub_clients", "watching_clients": "watching_clients",
    "maxclients": "max_clients", "clients_in_timeout_table": "clients_in_timeout_table",
    "total_watched_keys": "total_watched_keys", "total_blocking_keys": "total_blocking_keys",
    "client_recent_max_output_buffer": "client_recent_max_output_buffer_bytes",
    "client_recent_max_input_buffer": "client_recent_max_input_buffer_bytes",
    "allocator_active": "allocator_active_bytes", "allocator_allocated": "allocator_allocated_bytes",
    "allocator_resident": "allocator_resident_bytes", "allocator_frag_ratio": "allocator_frag_ratio",
    "allocator_frag_bytes": "allocator_frag_bytes", "allocator_rss_ratio": "allocator_rss_ratio",
    "allocator_rss_bytes": "allocator_rss_bytes",
    "used_memory": "memory_used_bytes", "used_memory_rss": "memory_used_rss_bytes",
    "used_memory_peak": "memory_used_peak_bytes", "used_memory_lua": "memory_used_lua_bytes",
    "used_memory_vm_eval": "memory_used_vm_eval_bytes", "used_memory_scripts_eval": "memory_used_scripts_eval_bytes",
    "used_memory_overhead": "memory_used_overhead_bytes", "used_memory_startup": "memory_used_startup_bytes",
    "used_memory_dataset": "memory_used_dataset_bytes", "used_memory_functions": "memory_used_functions_bytes",
    "used_memory_scripts": "memory_used_scripts_bytes", "used_memory_vm_functions": "memory_used_vm_functions_bytes",
    "used_memory_vm_total": "memory_used_vm_total", "maxmemory": "memory_max_bytes",
    "total_system_memory": "total_system_memory_bytes",
    "number_of_cached_scripts": "number_of_cached_scripts", "number_of_functions": "number_of_functions",
    "number_of_libraries": "number_of_libraries",
    "mem_fragmentation_ratio": "mem_fragmentation_ratio", "mem_fragmentation_bytes": "mem_fragmentation_bytes",
    "mem_clients_slaves": "mem_clients_slaves", "mem_clients_normal": "mem_clients_normal",
    "mem_aof_buffer": "mem_aof_buffer_bytes", "mem_not_counted_for_evict": "mem_not_counted_for_eviction_bytes",
    "expired_stale_perc": "expired_stale_percentage", "lazyfree_pending_objects": "lazyfree_pending_objects",
    "active_defrag_running": "active_defrag_running", "migrate_cached_sockets": "migrate_cached_sockets_total",
    "loading": "loading_dump_file", "async_loading": "async_loading",
    "rdb_changes_since_last_save": "rdb_changes_since_last_save", "rdb_bgsave_in_progress": "rdb_bgsave_in_progress",
    "rdb_last_save_time": "rdb_last_save_timestamp_seconds", "rdb_last_bgsave_status": "rdb_last_bgsave_status",
    "rdb_last_bgsave_time_sec": "rdb_last_bgsave_duration_sec",
    "rdb_current_bgsave_time_sec": "rdb_current_bgsave_duration_sec", "rdb_last_cow_size": "rdb_last_cow_size_bytes",
    "aof_enabled": "aof_enabled", "aof_rewrite_in_progress": "aof_rewrite_in_progress",
    "aof_rewrite_scheduled": "aof_rewrite_scheduled", "aof_last_rewrite_time_sec": "aof_last_rewrite_duration_sec",
    "aof_current_rewrite_time_sec": "aof_current_rewrite_duration_sec", "aof_last_cow_size": "aof_last_cow_size_bytes",
    "aof_current_size": "aof_current_size_bytes", "aof_base_size": "aof_base_size_bytes",
    "aof_pending_rewrite": "aof_pending_rewrite", "aof_buffer_length": "aof_buffer_length",
    "aof_pending_bio_fsync": "aof_pending_bio_fsync", "aof_delayed_fsync": "aof_delayed_fsync",
    "aof_last_bgrewrite_status": "aof_last_bgrewrite_status", "aof_last_write_status": "aof_last_write_status",
    "module_fork_in_progress": "module_fork_in_progress", "module_fork_last_cow_size": "module_fork_last_cow_size",
    "pubsub_channels": "pubsub_channels", "pubsub_patterns": "pubsub_patterns",
    "pubsubshard_channels": "pubsubshard_channels", "latest_fork_usec": "latest_fork_usec",
    "tracking_total_keys": "tracking_total_keys", "tracking_total_items": "tracking_total_items",
    "tracking_total_prefixes": "tracking_total_prefixes",
    "connected_slaves": "connected_slaves", "repl_backlog_size": "replication_backlog_bytes",
    "repl_backlog_active": "repl_backlog_is_active",
    "repl_backlog_first_byte_offset": "repl_backlog_first_byte_offset",
    "repl_backlog_histlen": "repl_backlog_history_bytes", "master_repl_offset": "master_repl_offset",
    "second_repl_offset": "second_repl_offset", "slave_expires_tracked_keys": "slave_expires_tracked_keys",
    "sync_full": "replica_resyncs_full", "sync_partial_ok": "replica_partial_resync_accepted",
    "sync_partial_err": "replica_partial_resync_denied", "cluster_enabled": "cluster_enabled",
    "instantaneous_ops_per_sec": "instantaneous_ops_per_sec",
}  # fmt: skip
"""INFO's field, and the gauge made of it."""

COUNTERS: Final = {
    "total_connections_received": "connections_received", "total_commands_processed": "commands_processed",
    "rejected_connections": "rejected_connections", "total_net_input_bytes": "net_input_bytes",
    "total_net_output_bytes": "net_output_bytes", "total_net_repl_input_bytes": "net_repl_input_bytes",
    "total_net_repl_output_bytes": "net_repl_output_bytes", "expired_keys": "expired_keys",
    "expired_time_cap_reached_count": "expired_time_cap_reached", "evicted_keys": "evicted_keys",
    "evicted_clients": "evicted_clients", "evicted_scripts": "evicted_scripts", "keyspace_hits": "keyspace_hits",
    "keyspace_misses": "keyspace_misses", "total_error_replies": "total_error_replies",
    "total_reads_processed": "total_reads_processed", "total_writes_processed": "total_writes_processed",
    "lazyfreed_objects": "lazyfreed_objects", "total_forks": "forks",
    "acl_access_denied_auth": "acl_access_denied_auth", "acl_access_denied_cmd": "acl_access_denied_cmd",
    "acl_access_denied_key": "acl_access_denied_key", "acl_access_denied_channel": "acl_access_denied_channel",
    "used_cpu_sys": "cpu_sys_seconds", "used_cpu_user": "cpu_user_seconds",
    "used_cpu_sys_children": "cpu_sys_children_seconds", "used_cpu_user_children": "cpu_user_children_seconds",
    "used_cpu_sys_main_thread": "cpu_sys_main_thread_seconds",
    "used_cpu_user_main_thread": "cpu_user_main_thread_seconds",
}  # fmt: skip
"""INFO's field, and the counter made of it; the page adds `_total`."""

WORDS: Final = {"ok": 1.0, "err": 0.0, "fail": 0.0}
"""Fields that say how something went."""
INSTANCE_LABELS: Final = (
    "role", "redis_version", "redis_build_id", "redis_mode", "os", "maxmemory_policy", "tcp_port", "run_id",
    "process_id", "master_replid",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CommandLatency:
    """How long the calls of one command took."""

    calls: int
    microseconds: int
    """All calls together."""
    buckets: Sequence[tuple[int, int]]
    """(upper bound in microseconds, how many calls took no longer)."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the page is made of."""

    info: str
    """INFO everything."""
    slow_log_length: int = 0
    slow_log_last_id: int = 0
    slow_log_last_microseconds: int = 0
    spikes: Sequence[tuple[str, int, int]] = ()
    """The last spike of each latency event: (event, seconds since the epoch, milliseconds)."""
    latencies: Mapping[str, CommandLatency] = field(default_factory=dict)
    """By command."""


def page(snapshot: Snapshot, namespace: str = "redis") -> bytes:
    """The page that Prometheus reads. O(metrics)."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(SnapshotCollector(snapshot, namespace))
    return bytes(generate_latest(registry))


class SnapshotCollector(Collector):
    """A snapshot as prometheus_client's metrics."""

    def __init__(self, snapshot: Snapshot, namespace: str = "redis") -> None:
        """`namespace` is what all names begin with."""
        self._snapshot: Final = snapshot
        self._prefix: Final = f"{namespace}_"
        self._fields: Final = parse(snapshot.info)

    def collect(self) -> Iterable[Metric]:
        """All metrics."""
        yield self._gauge("up", "Whether the server answers.", [((), 1.0)])
        yield from self._plain()
        yield self._instance()
        yield from self._databases()
        yield from self._commands()
        yield from self._errors()
        yield from self._slow_log()
        yield from self._spikes()
        yield from self._histograms()

    # ---- one field, one metric

    def _plain(self) -> Iterator[Metric]:
        for name, metric in GAUGES.items():
            value = _number(self._fields.get(name))
            if value is not None:
                yield self._gauge(metric, f"{name} of INFO.", [((), value)])
        for name, metric in COUNTERS.items():
            value = _number(self._fields.get(name))
            if value is not None:
                yield self._counter(metric, f"{name} of INFO.", [((), value)])
        now, uptime = (
            _number(self._fields.get("server_time_usec")),
            _number(self._fields.get("uptime_in_seconds")),
        )
        if now is not None and uptime is not None:
            started = float(int(now / 1e6 - uptime))
            yield self._gauge(
                "start_time_seconds", "When the server started, since the epoch.", [((), started)]
            )

    def _instance(self) -> Metric:
        labels = [self._fields.get(name, "") for name in INSTANCE_LABELS]
        return self._gauge("instance_info", "What the server is.", [(labels, 1.0)], INSTANCE_LABELS)

    # ---- a label for each database, command, error

    def _databases(self) -> Iterator[Metric]:
        databases = {
            name: details(value)
            for name, value in self._fields.items()
            if name.startswith("db") and name[2:].isdigit()
        }
        for inner, metric, factor, text in (
            ("keys", "db_keys", 1.0, "Keys in each database."),
            ("expires", "db_keys_expiring", 1.0, "Keys with an expiry in each database."),
            ("avg_ttl", "db_avg_ttl_seconds", 0.001, "Mean time to live of those."),
        ):
            rows = [((name,), float(found.get(inner, 0)) * factor) for name, found in databases.items()]
            yield self._gauge(metric, text, rows, ("db",))

    def _commands(self) -> Iterator[Metric]:
        commands = {
            name.removeprefix("cmdstat_"): details(value)
            for name, value in self._fields.items()
            if name.startswith("cmdstat_")
        }
        for inner, metric, factor, text in (
            ("calls", "commands", 1.0, "Calls of each command."),
            ("usec", "commands_duration_seconds", 1e-6, "Time spent in each command."),
            ("rejected_calls", "commands_rejected_calls", 1.0, "Calls that were refused before they ran."),
            ("failed_calls", "commands_failed_calls", 1.0, "Calls that ended in an error."),
        ):
            rows = [((name,), float(found.get(inner, 0)) * factor) for name, found in commands.items()]
            yield self._counter(metric, text, rows, ("cmd",))

    def _errors(self) -> Iterator[Metric]:
        rows = [
            ((name.removeprefix("errorstat_"),), float(details(value).get("count", 0)))
            for name, value in self._fields.items()
            if name.startswith("errorstat_")
        ]
        yield self._counter("errors", "Error replies by their code.", rows, ("err",))

    # ---- slow log and latencies

    def _slow_log(self) -> Iterator[Metric]:
        seen = self._snapshot
        yield self._gauge("slowlog_length", "Entries in the slow log.", [((), float(seen.slow_log_length))])
        yield self._gauge(
            "slowlog_last_id", "The number of its last entry.", [((), float(seen.slow_log_last_id))]
        )
        seconds = seen.slow_log_last_microseconds / 1e6
        yield self._gauge("last_slow_execution_duration_seconds", "How long that one took.", [((), seconds)])

    def _spikes(self) -> Iterator[Metric]:
        spikes = self._snapshot.spikes
        moments = [((event,), float(moment)) for event, moment, _ in spikes]
        lengths = [((event,), milliseconds / 1000) for event, _, milliseconds in spikes]
        yield self._gauge("latency_spike_last", "When the last latency spike was.", moments, ("event_name",))
        yield self._gauge(
            "latency_spike_duration_seconds", "How long the last latency spike was.", lengths, ("event_name",)
        )

    def _histograms(self) -> Iterator[Metric]:
        name = f"{self._prefix}commands_latencies_usec"
        family = HistogramMetricFamily(name, "Latencies of each command, in microseconds.", labels=["cmd"])
        for command, seen in self._snapshot.latencies.items():
            buckets = [(f"{bound}", float(count)) for bound, count in seen.buckets]
            family.add_metric([command], [*buckets, ("+Inf", float(seen.calls))], float(seen.microseconds))
        yield family

    # ---- making one

    def _gauge(
        self, name: str, text: str, rows: Iterable[tuple[Sequence[str], float]], labels: Sequence[str] = ()
    ) -> Metric:
        family = GaugeMetricFamily(self._prefix + name, text, labels=labels)
        for values, number in rows:
            family.add_metric(values, number)
        return family

    def _counter(
        self, name: str, text: str, rows: Iterable[tuple[Sequence[str], float]], labels: Sequence[str] = ()
    ) -> Metric:
        family = CounterMetricFamily(self._prefix + name, text, labels=labels)
        for values, number in rows:
            family.add_metric(values, number)
        return family


def _number(value: str | None) -> float | None:
    """A field as a number; None if it is not there or is none."""
    if value is None:
        return None
    if value in WORDS:
        return WORDS[value]
    try:
        return float(value.removesuffix("%"))
    except ValueError:
        return None
