"""A running server seen from outside: INFO, slow logs, latency, MONITOR, pauses, the metrics page; beside real servers."""

from __future__ import annotations

import contextlib
import re
import threading
import time
import urllib.error
import urllib.request

import pytest

from cutaway.observability.info_texts import details, parse
from cutaway.resp import ReplyError
from cutaway.testing import until

NAMED = re.compile(r"(cmdstat|errorstat|latency_percentiles_usec)_|db\d+$|db\d+_distrib|listener\d|engine_\d")
"""Fields whose name depends on what was done."""
LEFT_OUT = {
    "valkey_version": "clients that find it expect Valkey; cutaway_version says what this is",
    "valkey_release_stage": "belongs to valkey_version",
    "module": "a line for each module that is loaded, and Valkey has Lua as one",
}


def info(peer, *sections):
    return parse(bytes(peer.ask("INFO", *sections)).decode())


# ---- INFO


def test_every_field_of_a_real_server_is_there_or_is_left_out_for_a_reason(real, start):
    ours = info(start("--appendonly", "yes", "--save", "").connect(), "everything")
    theirs = info(real.connect(), "everything")
    missing = {name for name in theirs.keys() - ours.keys() if not NAMED.match(name)}
    assert missing <= LEFT_OUT.keys()


def test_sections_have_the_real_servers_titles_and_order(real, peer):
    def titles(text):
        return [line for line in bytes(text).decode().splitlines() if line.startswith("#")]

    theirs = real.connect()
    for asked in ((), ("all",), ("server", "keyspace", "CPU"), ("default", "commandstats"), ("nosuch",)):
        ours = [title for title in titles(peer.ask("INFO", *asked)) if title != "# Keysizes"]
        expected = [title for title in titles(theirs.ask("INFO", *asked)) if title != "# Cluster Info"]
        common = [title for title in ours if title in expected]
        assert common == expected


def test_counts_are_of_what_happened_and_go_back_to_zero(peer):
    peer.ask("CONFIG", "RESETSTAT")
    peer.ask("SET", "k", "v")
    peer.ask("GET", "k")
    peer.ask("GET", "absent")
    peer.ask("LPUSH", "k", "x")
    peer.ask("NOSUCH")
    seen = info(peer, "everything")
    assert (seen["keyspace_hits"], seen["keyspace_misses"]) == ("1", "1")
    assert details(seen["cmdstat_get"])["calls"] == "2"
    assert details(seen["cmdstat_lpush"])["failed_calls"] == "1"
    assert seen["errorstat_WRONGTYPE"] == "count=1"
    assert seen["errorstat_ERR"] == "count=1"
    assert seen["total_error_replies"] == "2"
    assert set(details(seen["latency_percentiles_usec_get"])) == {"p50", "p99", "p99.9"}
    peer.ask("CONFIG", "RESETSTAT")
    seen = info(peer, "everything")
    assert seen["keyspace_hits"] == seen["total_error_replies"] == "0"
    assert "cmdstat_get" not in seen
    assert "latency_percentiles_usec_get" not in seen


def test_forks_and_freed_values_go_back_to_zero_too(real, peer):
    for side in (real.connect(), peer):
        side.ask("SADD", "large", *range(1000))
        side.ask("UNLINK", "large")
        side.ask("BGSAVE")
        until(lambda side=side: info(side)["rdb_bgsave_in_progress"] == "0")
        until(lambda side=side: int(info(side)["lazyfreed_objects"]) > 0)
        seen = info(side)
        assert int(seen["total_forks"]) > 0
        assert int(seen["latest_fork_usec"]) > 0
        side.ask("CONFIG", "RESETSTAT")
        seen = info(side)
        names = (
            "lazyfreed_objects",
            "total_forks",
            "latest_fork_usec",
            "expired_stale_perc",
            "expire_cycle_cpu_milliseconds",
        )
        assert [float(seen[name]) for name in names] == [0.0] * len(names)


def test_a_refused_password_and_a_client_that_was_unblocked_count_as_errors(shared_server, peer):
    peer.ask("CONFIG", "RESETSTAT")
    peer.ask("AUTH", "nobody", "x")
    peer.ask("HELLO", "3", "AUTH", "nobody", "x")
    waiting = shared_server.connect()
    number = waiting.ask("CLIENT", "ID")
    waiting.send("BLPOP", "nothing", 0)
    until(lambda: peer.ask("CLIENT", "UNBLOCK", number, "ERROR") == 1)
    waiting.read()
    seen = info(peer, "everything")
    assert (seen["errorstat_WRONGPASS"], seen["errorstat_UNBLOCKED"]) == ("count=2", "count=1")
    assert details(seen["cmdstat_auth"])["failed_calls"] == "1"
    assert details(seen["cmdstat_blpop"])["failed_calls"] == "1"
    waiting.close()


def test_where_the_loops_time_went_is_told_only_to_who_asks(real, peer):
    name = "eventloop_duration_cron_sum"
    assert name not in info(peer, "everything")
    theirs = info(real.connect(), "debug")
    until(lambda: int(info(peer, "debug")[name]) > 0)
    assert theirs.keys() <= info(peer, "debug").keys()


def test_percentiles_are_those_that_are_asked_for(peer):
    peer.ask("CONFIG", "SET", "latency-tracking-info-percentiles", "50 90 100")
    peer.ask("PING")
    assert set(details(info(peer, "latencystats")["latency_percentiles_usec_ping"])) == {"p50", "p90", "p100"}
    peer.ask("CONFIG", "SET", "latency-tracking", "no")
    assert not info(peer, "latencystats")
    peer.ask("CONFIG", "SET", "latency-tracking", "yes", "latency-tracking-info-percentiles", "50 99 99.9")


def test_the_keyspace_counts_keys_expiries_and_fields_that_expire(peer):
    peer.ask("SET", "a", "v", "EX", 100)
    peer.ask("SET", "b", "v")
    peer.ask("HSET", "h", "f", "v")
    peer.ask("HEXPIRE", "h", 100, "FIELDS", 1, "f")
    fields = details(info(peer, "keyspace")["db0"])
    assert (fields["keys"], fields["expires"], fields["subexpiry"]) == ("3", "1", "1")
    assert 90_000 < int(fields["avg_ttl"]) <= 100_000
    assert info(peer, "keysizes") == {"db0_distrib_strings_sizes": "1=2", "db0_distrib_hashes_items": "1=1"}


def test_clients_that_wait_watch_and_listen_are_counted(shared_server, peer):
    waiting, listening, watching = (shared_server.connect() for _ in range(3))
    waiting.send("BLPOP", "nothing", 0)
    listening.ask("SUBSCRIBE", "news")
    watching.ask("WATCH", "w")
    until(lambda: info(peer, "clients")["blocked_clients"] == "1")
    seen = info(peer, "everything")
    assert (seen["pubsub_clients"], seen["watching_clients"], seen["total_blocking_keys"]) == ("1", "1", "1")
    assert (seen["pubsub_channels"], seen["total_watched_keys"]) == ("1", "1")
    for client in (waiting, listening, watching):
        client.close()


def test_a_snapshot_is_told_of(start, tmp_path):
    peer = start("--save", "").connect()
    peer.ask("SET", "k", "v")
    assert info(peer, "persistence")["rdb_changes_since_last_save"] == "1"
    peer.ask("BGSAVE")
    until(lambda: info(peer, "persistence")["rdb_bgsave_in_progress"] == "0")
    seen = info(peer, "everything")
    assert (seen["rdb_changes_since_last_save"], seen["rdb_saves"], seen["total_forks"]) == ("0", "1", "1")
    assert int(seen["latest_fork_usec"]) > 0


# ---- slow logs


ERRORS = [
    ("SLOWLOG", "GET", "x"), ("SLOWLOG", "GET", "-2"), ("SLOWLOG", "get", "1", "2"), ("SLOWLOG", "NOSUCH"),
    ("COMMANDLOG", "GET", "1", "nosuch"), ("COMMANDLOG", "GET", "x", "slow"), ("COMMANDLOG", "LEN", "nosuch"),
    ("COMMANDLOG", "RESET", "nosuch"), ("COMMANDLOG", "GET", "1"), ("LATENCY", "GRAPH", "nosuch"), ("LATENCY", "HISTORY"),
    ("LATENCY", "HISTORY", "nosuch"), ("LATENCY", "RESET", "nosuch"), ("LATENCY", "LATEST"), ("LATENCY", "HISTOGRAM", "nosuch"),
    ("CLIENT", "PAUSE"), ("CLIENT", "PAUSE", "x"), ("CLIENT", "PAUSE", "-1"), ("CLIENT", "PAUSE", "1x", "no"),
    ("CLIENT", "PAUSE", "1", "no"), ("CLIENT", "UNPAUSE"), ("CLIENT", "NO-TOUCH", "x"), ("CLIENT", "NO-TOUCH", "on"),
    ("CLIENT", "UNBLOCK", "x"), ("CLIENT", "UNBLOCK", "1", "x"), ("CLIENT", "UNBLOCK", "100000"),
    *(("CLIENT", word, *rest) for word in ("LIST", "KILL") for rest in (
        ("ID", "0"), ("ID", "-1"), ("ID", "1", "x"), ("TYPE", "x"), ("USER", "x"), ("SKIPME", "x"), ("MAXAGE", "x"), ("MAXAGE", "0"),
        ("IDLE", "-1"), ("FLAGS", "Z"), ("NOT-FLAGS", "Z"), ("DB", "100"), ("DB", "x"), ("NOT-DB", "-1"), ("CAPA", "x"),
        ("NOT-CAPA", "x"), ("NAME", "none"), ("LIB-NAME", "none"), ("LIB-VER", "none"), ("IP", "1.1.1.1"), ("NOT-ID", "0"),
        ("NOT-TYPE", "x"), ("NOT-IDLE", "3"), ("NOT-MAXAGE", "3"), ("NOT-USER", "x"), ("ADDR", "x"), ("FOO", "bar"),
        ("TYPE", "normal", "NAME"),
    )),
]  # fmt: skip


@pytest.mark.parametrize("words", ERRORS, ids=" ".join)
def test_replies_are_valkeys(words, valkey, peer):
    ours, theirs = peer.ask(*words), valkey.ask(*words)
    assert type(ours) is type(theirs)
    assert ours == theirs if not isinstance(ours, ReplyError) else str(ours) == str(theirs)


SECRETS = [
    ("SET", "k", "v" * 200), ("MSET", *map(str, range(80))), ("AUTH", "secret"), ("AUTH", "joe", "secret"),
    ("HELLO", "2", "AUTH", "joe", "secret"), ("ACL", "SETUSER", "joe", ">secret"), ("CONFIG", "SET", "requirepass", ""),
    ("ACL", "DELUSER", "joe"), ("ACL", "GETUSER", "joe"), ("CONFIG", "SET", "masterauth", ""), ("MULTI",), ("GET", "k"), ("EXEC",),
    ("EVAL", "return redis.call('get', KEYS[1])", "1", "k"), ("LPUSH", "k", "x"), ("NOSUCH",), ("GET",),
]  # fmt: skip


def logged(peer):
    peer.ask("CONFIG", "SET", "slowlog-log-slower-than", "0", "slowlog-max-len", "100")
    peer.ask("SLOWLOG", "RESET")
    for words in SECRETS:
        peer.ask(*words)
    peer.ask("CONFIG", "SET", "slowlog-log-slower-than", "-1")
    entries = peer.ask("SLOWLOG", "GET", "-1")
    return [entry[3] for entry in reversed(entries)]


def test_the_slow_log_keeps_and_hides_what_valkey_keeps_and_hides(valkey, peer):
    assert logged(peer) == logged(valkey)


def test_large_requests_and_replies_are_logged_with_their_bytes(valkey, peer):
    for client in (valkey, peer):
        client.ask(
            "CONFIG", "SET", "commandlog-request-larger-than", "5000", "commandlog-reply-larger-than", "5000"
        )
        client.ask("COMMANDLOG", "RESET", "large-request")
        client.ask("COMMANDLOG", "RESET", "large-reply")
        client.ask("SET", "k", "v" * 6000)
        client.ask("GET", "k")
        client.ask("SET", "k", "v")

    def entries(client, kind):
        return [(entry[2], entry[3]) for entry in client.ask("COMMANDLOG", "GET", "-1", kind)]

    for kind in ("large-request", "large-reply"):
        assert entries(peer, kind) == entries(valkey, kind)
        assert len(entries(peer, kind)) == 1


def test_a_command_that_waits_is_logged_once_it_is_served(shared_server, peer):
    peer.ask("CONFIG", "SET", "slowlog-log-slower-than", "0")
    waiting = shared_server.connect()
    peer.ask("SLOWLOG", "RESET")
    waiting.send("BLPOP", "l", 0)
    until(lambda: info(peer, "clients")["blocked_clients"] == "1")
    assert all(entry[3][0] != b"BLPOP" for entry in peer.ask("SLOWLOG", "GET", -1))
    peer.ask("LPUSH", "l", "x")
    waiting.read()
    assert sum(entry[3][0] == b"BLPOP" for entry in peer.ask("SLOWLOG", "GET", -1)) == 1
    peer.ask("CONFIG", "SET", "slowlog-log-slower-than", "10000")
    waiting.close()


# ---- latency


def test_a_slow_command_is_a_spike_with_a_graph(start):
    peer = start("--latency-monitor-threshold", "20", "--enable-debug-command", "yes").connect()
    assert peer.ask("LATENCY", "RESET") >= 0
    peer.ask("DEBUG", "SLEEP", "0.05")
    ((event, moment, last, worst),) = peer.ask("LATENCY", "LATEST")
    assert event == b"command"
    assert abs(time.time() - moment) < 30
    assert worst >= last >= 50
    assert peer.ask("LATENCY", "HISTORY", "command") == [[moment, last]]
    assert bytes(peer.ask("LATENCY", "GRAPH", "command")).startswith(b"command - high ")
    assert b"1. command: 1 latency spikes" in bytes(peer.ask("LATENCY", "DOCTOR"))
    assert peer.ask("LATENCY", "RESET", "command") == 1
    assert peer.ask("LATENCY", "LATEST") == []


def test_a_slow_disk_eviction_and_a_waiting_client_are_spikes_of_their_own(start):
    server = start("--save", "", "--enable-debug-command", "yes", "--appendonly", "yes", "--maxmemory-policy", "allkeys-random",
                   "--maxmemory-eviction-tenacity", "100", "--latency-monitor-threshold", "1",
                   "--client-output-buffer-limit", "normal 0 0 0")  # fmt: skip
    peer, waiting = server.connect(), server.connect()

    def events():
        return {bytes(series[0]) for series in peer.ask("LATENCY", "LATEST")}

    peer.ask("DEBUG", "AOF-FLUSH-SLEEP", "5000")
    peer.ask("SET", "k", "v")
    peer.ask("DEBUG", "AOF-FLUSH-SLEEP", "0")
    assert {b"aof-write", b"aof-write-alone"} <= events()
    waiting.send("BLMPOP", 0, 1, "list", "LEFT", "COUNT", 100_000)
    until(lambda: info(peer, "clients")["blocked_clients"] == "1")
    peer.ask("RPUSH", "list", *["x"] * 100_000)
    assert len(waiting.read()[1]) == 100_000
    assert b"command-unblocking" in events()
    peer.ask("DEBUG", "POPULATE", 20_000)
    peer.ask("CONFIG", "SET", "maxmemory", "100kb")
    peer.ask("GET", "k")
    until(lambda: b"eviction-cycle" in events())
    waiting.close()


def test_the_histogram_of_a_container_is_that_of_its_subcommands(peer):
    peer.ask("CONFIG", "RESETSTAT")
    for _ in range(3):
        peer.ask("CLIENT", "ID")
    peer.ask("CLIENT", "INFO")
    found = peer.ask("LATENCY", "HISTOGRAM", "client", "nosuch")
    assert found[::2] == [b"client|id", b"client|info"]
    assert found[1][:2] == [b"calls", 3]
    steps = found[1][3]
    assert steps[-1] == 3
    assert steps[::2] == sorted(steps[::2])


# ---- MONITOR


WATCHED = [
    ("SET", "k", 'a "b"\n\\'), ("MULTI",), ("GET", "k"), ("EXEC",), ("EVAL", "return redis.call('get', KEYS[1])", "1", "k"),
    ("MULTI",), ("EVAL", "return redis.call('get', KEYS[1])", "1", "k"), ("EVALSHA", "0" * 40, "0"), ("GET", "k"), ("EXEC",),
    ("AUTH", "x"), ("HELLO", "2", "AUTH", "a", "b"), ("CONFIG", "GET", "port"), ("CLIENT", "LIST"), ("ACL", "SETUSER", "joe", ">x"),
    ("LPUSH", "k", "x"), ("NOSUCH",), ("GET",), ("BLPOP", "nothing", "0.01"), ("SELECT", "3"), ("PING",), ("SELECT", "0"), ("ECHO", "end"),
]  # fmt: skip


def monitored(monitor, worker):
    assert monitor.ask("MONITOR") == "OK"
    for words in WATCHED:
        worker.ask(*words)
    lines = []
    while not lines or not lines[-1].endswith('"end"'):
        lines.append(str(monitor.read()))
    return [re.sub(r"^\d+\.\d{6} \[(\d+) (lua)?[^\]]*\]", r"[\1 \2]", line) for line in lines]


def test_monitor_shows_what_a_real_server_shows(real, shared_server, peer):
    monitor = shared_server.connect()
    assert monitored(monitor, peer) == monitored(real.connect(), real.connect())
    monitor.close()


def test_a_monitor_may_not_touch_keys_until_it_is_reset(shared_server, peer):
    monitor = shared_server.connect()
    monitor.ask("MONITOR")
    assert str(monitor.ask("GET", "k")) == "ERR Replica can't interact with the keyspace"
    monitor.ask("RESET")
    assert monitor.ask("GET", "k") is None
    monitor.close()


# ---- pauses


def test_a_pause_for_writers_lets_readers_through_and_ends_when_told(shared_server, peer):
    writer = shared_server.connect()
    peer.ask("CLIENT", "PAUSE", 60_000, "WRITE")
    peer.ask("CLIENT", "PAUSE", 10, "WRITE")
    assert peer.ask("GET", "k") is None
    writer.send("SET", "k", "v")
    until(lambda: info(peer, "clients")["blocked_clients"] == "1")
    seen = info(peer, "clients")
    assert (seen["paused_reason"], seen["paused_actions"]) == ("client_pause", "write")
    assert int(seen["paused_timeout_milliseconds"]) > 10_000
    assert peer.ask("CLIENT", "UNPAUSE") == "OK"
    assert writer.read() == "OK"
    assert info(peer, "clients")["paused_reason"] == "none"
    writer.close()


def test_a_pause_for_all_ends_by_itself_and_nothing_is_lost(shared_server, peer):
    other = shared_server.connect()
    assert peer.ask("CLIENT", "PAUSE", 150) == "OK"
    other.send("INCR", "n")
    peer.send("INCR", "n")
    assert sorted([other.read(), peer.read()]) == [1, 2]
    other.close()


def test_a_pause_that_is_over_does_not_make_the_next_one_stricter(peer):
    peer.ask("CLIENT", "PAUSE", 1, "ALL")
    time.sleep(0.01)
    peer.ask("CLIENT", "PAUSE", 60_000, "WRITE")
    assert info(peer, "clients")["paused_actions"] == "write"
    peer.ask("CLIENT", "UNPAUSE")


def test_keys_do_not_expire_while_clients_pause_but_are_hidden(peer):
    peer.ask("SET", "k", "v", "PX", 30)
    peer.ask("CONFIG", "RESETSTAT")
    peer.ask("CLIENT", "PAUSE", 60_000, "WRITE")
    time.sleep(0.2)
    assert peer.ask("GET", "k") is None
    assert info(peer, "stats")["expired_keys"] == "0"
    peer.ask("CLIENT", "UNPAUSE")
    until(lambda: info(peer, "stats")["expired_keys"] == "1")


def test_a_script_that_promises_not_to_write_is_not_held_up(shared_server, peer):
    peer.ask("CLIENT", "PAUSE", 60_000, "WRITE")
    assert peer.ask("EVAL", "#!lua flags=no-writes\nreturn 7", 0) == 7
    other = shared_server.connect()
    other.send("EVAL", "return 8", 0)
    until(lambda: info(peer, "clients")["blocked_clients"] == "1")
    peer.ask("CLIENT", "UNPAUSE")
    assert other.read() == 8
    other.close()


# ---- clients


def test_client_list_has_valkeys_fields_in_its_order(valkey, peer):
    def names(client):
        line = bytes(client.ask("CLIENT", "INFO")).decode()
        return [pair.partition("=")[0] for pair in line.split()]

    assert names(peer) == names(valkey)


def test_filters_choose_clients_and_their_opposites_the_others(shared_server, peer):
    other = shared_server.connect()
    other.ask("CLIENT", "SETNAME", "other")
    other.ask("SELECT", 3)
    number = other.ask("CLIENT", "ID")

    def chosen(*filters):
        lines = bytes(peer.ask("CLIENT", "LIST", *filters)).decode().splitlines()
        return [int(line.split()[0].removeprefix("id=")) for line in lines]

    for filters in (("ID", number), ("NAME", "other"), ("DB", 3), ("SKIPME", "yes", "IP", "127.0.0.1")):
        assert chosen(*filters) == [number]
    for filters in (("NOT-ID", number), ("NOT-NAME", "other"), ("NOT-DB", 3)):
        found = chosen(*filters)
        assert found
        assert number not in found
    assert peer.ask("CLIENT", "KILL", "NAME", "other") == 1
    with pytest.raises(ConnectionError):
        other.ask("PING")


# ---- the metrics page


def test_the_metrics_page_is_there_while_clients_are_served(start, free_port):
    port = free_port
    server = start("--metrics-port", str(port), "--save", "")
    peer = server.connect()
    peer.ask("SET", "k", "v")
    pages = []

    def fetch():
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            pages.append(answer.read().decode())

    threads = [threading.Thread(target=fetch) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        assert peer.ask("PING") == "PONG"
    for thread in threads:
        thread.join()
    assert len(pages) == 4
    assert 'redis_commands_total{cmd="set"} 1.0' in pages[0]
    assert 'redis_db_keys{db="db0"} 1.0' in pages[0]
    assert peer.ask("CONFIG", "GET", "metrics-port") == [b"metrics-port", b"%d" % port]
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/nosuch", timeout=10)
    assert refused.value.code == 404


# ---- the log


def test_the_log_file_has_the_lines_a_person_can_act_on(start):
    server = start("--maxclients", "1", "--log-format", "logfmt")
    peer = server.connect()
    assert peer.ask("PING") == "PONG"
    for _ in range(3):
        extra = server.connect()
        with contextlib.suppress(ConnectionError):
            extra.ask("PING")
        extra.close()
    peer.ask("AUTH", "nobody", "guess\nforged line")
    peer.ask("SET", "k", "v")
    peer.ask("SAVE")
    assert server.stop() == 0
    text = server.log.read_text()
    assert all(line.startswith("pid=") for line in text.splitlines())
    for words in ("Ready to accept connections", "DB saved on disk", "user nobody", "shutting down"):
        assert words in text, words
    assert text.count("maxclients allows no more") == 1
    assert "forged" not in text


def test_the_metrics_page_outlives_the_commands_it_counted(start, free_port):
    port = free_port
    server = start("--metrics-port", str(port), "--save", "", "--rename-command", "GET", "FETCH")
    peer = server.connect()
    peer.ask("FETCH", "k")
    peer.ask("CONFIG", "GET", "port")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        page = answer.read().decode()
    assert 'cmd="config|get"' in page


def test_after_flushall_and_its_snapshot_there_is_nothing_to_save(start):
    peer = start("--save", "3600 1").connect()
    peer.ask("SET", "k", "v")
    peer.ask("FLUSHALL")
    assert info(peer, "persistence")["rdb_changes_since_last_save"] == "0"
    peer.ask("CONFIG", "SET", "save", "")
    peer.ask("FLUSHALL")
    assert info(peer, "persistence")["rdb_changes_since_last_save"] == "1"


@pytest.mark.parametrize("command", ["BGSAVE", "BGREWRITEAOF"])
def test_a_child_that_writes_tells_how_far_it_is(start, command):
    peer = start("--save", "", "--enable-debug-command", "yes").connect()
    peer.ask("DEBUG", "POPULATE", 5000)
    assert info(peer, "persistence")["current_save_keys_total"] == "0"
    peer.ask("CONFIG", "SET", "rdb-key-save-delay", 1000)
    peer.ask(command)
    until(lambda: int(info(peer, "persistence")["current_save_keys_processed"]) >= 2048, 60)
    seen = info(peer, "persistence")
    assert seen["current_save_keys_total"] == "5000"
    assert 40 <= float(seen["current_fork_perc"]) <= 100
    assert 0 < int(seen["current_cow_size"]) <= int(seen["current_cow_peak"])
    assert int(seen["current_cow_size_age"]) < 60
    if command == "BGSAVE":
        peer.ask("FLUSHALL")  # which ends the child
        seen = info(peer, "persistence")
        assert (seen["current_save_keys_processed"], seen["current_fork_perc"], seen["current_cow_size"]) == (
            "0",
            "0.00",
            "0",
        )
