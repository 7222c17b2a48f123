"""The latency monitor's history, and what is said of it."""

from hypothesis import given
from hypothesis import strategies as st

from cutaway.observability import doctor
from cutaway.observability.latencies import HISTORY, LatencyMonitor, LatencySeries

SPIKES = st.lists(st.tuples(st.integers(1, 5000), st.integers(0, 3)), min_size=1, max_size=400)


@given(SPIKES)
def test_a_second_has_one_sample_its_worst_and_the_oldest_go_first(spikes):
    series, now, worst = LatencySeries(), 1000, {}
    for latency, later in spikes:
        now += later
        series.add(latency, now)
        worst[now] = max(worst.get(now, 0), latency)
    assert series.samples == list(worst.items())[-HISTORY:]
    assert series.highest == max(worst.values())
    seen = series.statistics(now)
    assert seen.least <= seen.mean <= seen.most
    assert 0 <= seen.deviation <= seen.most - seen.least
    assert seen.samples == len(series.samples)
    assert seen.period >= 1


def test_only_what_reaches_the_threshold_counts_and_zero_switches_the_monitor_off():
    monitor = LatencyMonitor(threshold=10)
    monitor.record("command", 9, 1)
    assert not monitor.events
    monitor.record("command", 10, 1)
    assert monitor.events["command"].samples == [(1, 10)]
    monitor.threshold = 0
    monitor.record("fork", 10_000, 2)
    assert list(monitor.events) == ["command"]


def test_reset_finds_events_in_any_case_and_says_how_many_there_were():
    monitor = LatencyMonitor(threshold=1)
    for event in ("command", "fork", "aof-write"):
        monitor.record(event, 5, 1)
    assert monitor.reset("FORK", "nosuch") == 1
    assert monitor.reset() == 2
    assert not monitor.events


def test_the_doctor_has_nothing_to_say_while_the_monitor_is_off():
    assert doctor.report(LatencyMonitor(), doctor.Patient(), 1) == doctor.OFF
    assert doctor.report(LatencyMonitor(threshold=5), doctor.Patient(), 1) == doctor.HEALTHY


def test_the_doctor_names_each_event_and_gives_advice_once():
    monitor = LatencyMonitor(threshold=10)
    for second, event in enumerate(("command", "command", "expire-cycle", "fork", "aof-write")):
        monitor.record(event, 100 + second, second)
    text = doctor.report(monitor, doctor.Patient(fork_rate=5.0, appendfsync="always"), 10)
    assert "1. command: 2 latency spikes (average 100ms, mean deviation 0ms, period 5.00 sec)." in text
    assert "Worst all time event 101ms." in text
    assert "Fork rate is 5.00 GB/sec (terrible)." in text
    assert text.count("UNLINK") == 1
    assert "everysec" in text
    assert "CONFIG SET hz 100" in text


def test_the_doctor_finds_a_slow_log_that_misses_the_spikes():
    monitor = LatencyMonitor(threshold=5)
    monitor.record("command", 7, 1)
    advice = doctor.report(monitor, doctor.Patient(slow_log_microseconds=10_000), 2)
    assert "CONFIG SET slowlog-log-slower-than 5000" in advice
    assert "5000" not in doctor.report(monitor, doctor.Patient(slow_log_microseconds=5_000), 2)


def test_of_an_event_without_a_cure_the_doctor_does_not_pretend():
    monitor = LatencyMonitor(threshold=5)
    monitor.record("something-else", 7, 1)
    assert doctor.report(monitor, doctor.Patient(), 2).endswith(doctor.PUZZLED)
