"""Percentiles against the exact answer, and rates of a counter."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutaway.observability.histograms import LatencyHistogram, upper_end
from cutaway.observability.rates import SAMPLES, Rate

LATENCIES = st.lists(st.integers(1, 2_000_000_000), min_size=1, max_size=200)


@given(st.integers(1, 1_000_000_000))
def test_a_bucket_is_never_wider_than_one_in_128_of_its_values(value):
    assert value <= upper_end(value) < value + max(value / 128, 1)
    assert upper_end(upper_end(value)) == upper_end(value)


@given(LATENCIES, st.sampled_from([50.0, 99.0, 99.9, 100.0]))
def test_a_percentile_is_the_exact_one_to_the_end_of_its_bucket(values, percent):
    histogram = LatencyHistogram()
    histogram.record(values)
    histogram.check()
    rank = max(int(percent / 100 * len(values) + 0.5), 1)
    exact = sorted(min(value, 1_000_000_000) for value in values)[rank - 1]
    assert histogram.percentile(percent) == upper_end(exact)


@given(LATENCIES)
def test_the_cumulative_steps_grow_to_the_number_of_all_calls(values):
    histogram = LatencyHistogram()
    histogram.record(values)
    steps = list(histogram.cumulative())
    bounds, counts = [bound for bound, _ in steps], [count for _, count in steps]
    assert bounds == sorted(set(bounds))
    assert counts == sorted(set(counts))
    assert counts[-1] == len(values)
    for bound, count in steps:
        assert sum(min(value, 1_000_000_000) <= bound for value in values) == count


def test_a_rate_is_the_mean_over_the_last_samples():
    rate = Rate()
    assert rate.value == 0
    for tenth in range(1, SAMPLES + 10):
        rate.sample(tenth * 5, tenth * 100)
    assert math.isclose(rate.value, 50)
    rate.reset()
    assert rate.value == 0


def test_a_counter_that_was_reset_gives_no_negative_rate():
    rate = Rate()
    rate.sample(1000, 100)
    rate.sample(0, 200)
    assert rate.value == 0


@pytest.mark.parametrize(("value", "shown"), [(2000, 2007), (28000, 28031), (4000, 4015), (21000, 21119)])
def test_the_ends_of_buckets_are_those_that_redis_shows(value, shown):
    assert upper_end(value) == shown
