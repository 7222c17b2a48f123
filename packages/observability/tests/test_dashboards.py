"""The dashboard's arithmetic, and a screen drawn from canned answers."""

import io

import pytest

pytest.importorskip("rich", reason="the extra `top` is not installed")

from rich.console import Console

from cutaway.observability.dashboards import Dashboard, Sample, bars
from cutaway.observability.top import look, watch


def info(commands=0, gets=0, hits=0, misses=0, **more):
    fields = {
        "redis_version": "7.2.4", "role": "master", "uptime_in_seconds": "61", "process_id": "7",
        "total_commands_processed": commands, "keyspace_hits": hits, "keyspace_misses": misses, "used_memory": 2048,
        "cmdstat_get": f"calls={gets},usec={gets * 3},usec_per_call=3.00",
        "cmdstat_set": "calls=5,usec=5,usec_per_call=1.00",
        "latency_percentiles_usec_get": "p50=2.007,p99=4.015", "db0": "keys=1234,expires=1,avg_ttl=0", **more,
    }  # fmt: skip
    return "# Server\r\n" + "".join(f"{name}:{value}\r\n" for name, value in fields.items())


def drawn(dashboard, width=100):
    console = Console(file=io.StringIO(), width=width, no_color=True)
    console.print(dashboard.render("here:6379", width))
    return console.file.getvalue()


def test_rates_are_differences_over_time():
    dashboard = Dashboard()
    dashboard.add(Sample(10.0, info(commands=100, hits=10)))
    assert dashboard.rate("total_commands_processed") == 0
    dashboard.add(Sample(12.0, info(commands=300, hits=40, misses=10)))
    assert dashboard.rate("total_commands_processed") == 100
    assert dashboard.hit_share() == 0.75


def test_a_counter_that_was_reset_does_not_go_backwards():
    dashboard = Dashboard()
    dashboard.add(Sample(0.0, info(commands=1000)))
    dashboard.add(Sample(1.0, info(commands=20)))
    assert dashboard.rate("total_commands_processed") == 20


def test_hot_commands_are_those_of_now_not_of_all_time():
    dashboard = Dashboard()
    dashboard.add(Sample(0.0, info(gets=10)))
    dashboard.add(Sample(2.0, info(gets=30)))
    (busy,) = dashboard.hot_commands()
    assert (busy.name, busy.calls_per_second, busy.share, busy.microseconds_per_call) == ("get", 10, 1.0, 3.0)


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_the_screen_fits_its_width_and_shows_what_matters(width):
    dashboard = Dashboard()
    dashboard.add(Sample(0.0, info(commands=0, gets=1)))
    slow = [[1, 1_700_000_000, 12_500, [b"KEYS", b"\x1b[31m*"], b"", b""]]
    dashboard.add(Sample(1.0, info(commands=1500, gets=9), 0.0005, slow))
    screen = drawn(dashboard, width)
    assert max(map(len, screen.splitlines())) <= width
    for text in ("here:6379", "0:01:01", "1,500", "2.00K", "1,234 keys", "get", "12.5 ms", "KEYS"):
        assert text in screen
    assert "\x1b" not in screen


def test_bars_show_the_last_values_the_highest_of_them_full():
    assert bars([0, 4, 8], 5) == "   ▄█"
    assert bars([9, 1, 1], 2) == "██"
    assert bars([], 3) == "   "


def test_look_takes_verbatim_strings_and_refuses_errors():
    class Verbatim:
        text = b"# Server\r\nrole:master\r\n"

    replies = {"PING": "PONG", "INFO": Verbatim(), "SLOWLOG": []}
    sample = look(lambda name, *_: replies[name], iter([1.0, 1.5]).__next__)
    assert sample.fields == {"role": "master"}
    assert (sample.time, sample.ping_seconds) == (1.5, 0.5)
    with pytest.raises(ValueError, match="INFO answered 7"):
        look(lambda *_: 7, iter([1.0, 1.5]).__next__)


def test_watch_draws_as_often_as_it_is_told_and_waits_in_between():
    waits, moments = [], iter(range(100))
    replies = {"PING": "PONG", "INFO": info().encode(), "SLOWLOG": []}
    console = Console(file=io.StringIO(), width=90)
    watch(lambda name, *_: replies[name], "here:1", console, clock=lambda: float(next(moments)), wait=waits.append,
          interval=2.5, count=3)  # fmt: skip
    assert waits == [2.5, 2.5]
    assert "here:1" in console.file.getvalue()
