"""The page for Prometheus can be read by Prometheus, and says what redis_exporter says."""

import pytest

pytest.importorskip("prometheus_client", reason="the extra `prometheus` is not installed")

from prometheus_client.parser import text_string_to_metric_families

from cutaway.observability.prometheus import COUNTERS, GAUGES, CommandLatency, Snapshot, page

INFO = """# Server\r
redis_version:7.2.4\r
redis_mode:standalone\r
process_id:4711\r
tcp_port:6379\r
run_id:abc\r
os:Linux "6"\r
server_time_usec:1000000000\r
uptime_in_seconds:40\r
# Clients\r
connected_clients:3\r
# Memory\r
used_memory:1092856\r
maxmemory_policy:noeviction\r
# Persistence\r
rdb_last_bgsave_status:ok\r
aof_last_write_status:err\r
# Stats\r
total_commands_processed:17\r
keyspace_hits:5\r
role:master\r
cmdstat_get:calls=3,usec=30,usec_per_call=10.00,rejected_calls=1,failed_calls=2\r
cmdstat_config|get:calls=1,usec=7,usec_per_call=7.00,rejected_calls=0,failed_calls=0\r
errorstat_WRONGTYPE:count=2\r
db0:keys=2,expires=1,avg_ttl=1500\r
db0_distrib_lists_items:1=1\r
"""


def samples(snapshot):
    text = page(snapshot).decode()
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_fields_of_info_become_metrics_under_the_exporters_names():
    seen = samples(Snapshot(INFO))
    assert seen["redis_up",] == 1
    assert seen["redis_connected_clients",] == 3
    assert seen["redis_memory_used_bytes",] == 1092856
    assert seen["redis_commands_processed_total",] == 17
    assert seen["redis_keyspace_hits_total",] == 5
    assert seen["redis_rdb_last_bgsave_status",] == 1
    assert seen["redis_aof_last_write_status",] == 0
    assert seen["redis_start_time_seconds",] == 960


def test_commands_databases_and_errors_have_labels():
    seen = samples(Snapshot(INFO))
    assert seen["redis_commands_total", "get"] == 3
    assert seen["redis_commands_duration_seconds_total", "config|get"] == 7e-06
    assert seen["redis_commands_rejected_calls_total", "get"] == 1
    assert seen["redis_errors_total", "WRONGTYPE"] == 2
    assert seen["redis_db_keys", "db0"] == 2
    assert seen["redis_db_avg_ttl_seconds", "db0"] == 1.5
    assert not any(name == "redis_db_keys" and "distrib" in str(labels) for name, *labels in seen)


def test_what_is_not_in_info_is_not_invented():
    names = {name for name, *_ in samples(Snapshot(INFO))}
    assert "redis_memory_max_bytes" not in names
    assert "redis_evicted_keys_total" not in names


def test_the_slow_log_latencies_and_the_instance():
    snapshot = Snapshot(
        INFO, slow_log_length=2, slow_log_last_id=9, slow_log_last_microseconds=12_000,
        spikes=[("command", 100, 250)], latencies={"get": CommandLatency(3, 30, [(1, 1), (16, 3)])},
    )  # fmt: skip
    seen = samples(snapshot)
    assert seen["redis_slowlog_last_id",] == 9
    assert seen["redis_last_slow_execution_duration_seconds",] == 0.012
    assert seen["redis_latency_spike_duration_seconds", "command"] == 0.25
    assert seen["redis_commands_latencies_usec_bucket", "1", "get"] == 1
    assert seen["redis_commands_latencies_usec_bucket", "+Inf", "get"] == 3
    instance = next(key for key in seen if key[0] == "redis_instance_info")
    assert 'Linux "6"' in instance
    assert "noeviction" in instance


def test_no_two_fields_share_a_metric():
    names = [*GAUGES.values(), *(f"{name}_total" for name in COUNTERS.values())]
    assert len(names) == len(set(names))
