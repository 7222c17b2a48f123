"""What others have built on scripts, transactions and publish/subscribe: locks, rate limiters, queues of jobs.

The libraries are not part of the development environment: `nox -s clients` installs them into its own.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SECONDS = 60


@contextlib.contextmanager
def worker(url: str, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker's process, ended with the block."""
    environment = {**os.environ, "REDIS_URL": url, "PYTHONPATH": str(HERE)}
    program = str(Path(sys.executable).with_name(command[0]))
    with subprocess.Popen([program, *command[1:]], cwd=HERE, env=environment) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()


def test_rq_does_its_jobs(url: str) -> None:
    rq = pytest.importorskip("rq", reason="rq is installed by `nox -s clients`")
    redis = pytest.importorskip("redis")
    jobs = _import_jobs()
    connection = redis.Redis.from_url(url)
    queue = rq.Queue(connection=connection)
    done = [queue.enqueue(jobs.multiply, number, number) for number in range(5)]
    broken = queue.enqueue(jobs.fail)
    after = queue.enqueue(jobs.multiply, 6, 7, depends_on=done[0])
    with worker(url, "rq", "worker", "--burst", "--url", url) as process:
        assert process.wait(SECONDS) == 0
    assert [job.return_value() for job in done] == [number * number for number in range(5)]
    assert after.return_value() == 42
    assert broken.get_status(refresh=True).value == "failed"
    assert broken.id in queue.failed_job_registry.get_job_ids()
    assert queue.count == 0


def test_celery_does_its_jobs(url: str) -> None:
    celery = pytest.importorskip("celery", reason="celery is installed by `nox -s clients`")
    jobs = _import_jobs()
    jobs.app.conf.update(broker_url=url, result_backend=url)
    arguments = ["-A", "jobs", "worker", "--pool", "solo", "--loglevel", "WARNING", "--without-mingle"]
    with worker(url, "celery", *arguments):
        assert jobs.times.delay(6, 7).get(timeout=SECONDS) == 42
        group = celery.group(jobs.times.s(number, 2) for number in range(10)).apply_async()
        assert group.get(timeout=SECONDS) == [number * 2 for number in range(10)]
        chord = celery.chord([jobs.times.s(number, number) for number in range(4)], jobs.total.s())
        assert chord.apply_async().get(timeout=SECONDS) == 0 + 1 + 4 + 9
        with pytest.raises(ValueError, match="on purpose"):
            jobs.breaks.delay().get(timeout=SECONDS)


@pytest.mark.parametrize("strategy", ["FixedWindow", "MovingWindow", "SlidingWindowCounter"])
def test_a_rate_limiter_lets_through_as_many_as_it_should(url: str, strategy: str) -> None:
    limits = pytest.importorskip("limits", reason="limits is installed by `nox -s clients`")
    storage = limits.storage.storage_from_string(url)
    limiter = getattr(limits.strategies, f"{strategy}RateLimiter")(storage)
    hourly = limits.parse("5/hour")
    assert [limiter.hit(hourly, "me") for _ in range(8)] == [True] * 5 + [False] * 3
    assert limiter.hit(hourly, "somebody else")
    assert limiter.get_window_stats(hourly, "me").remaining == 0
    limiter.clear(hourly, "me")
    assert limiter.test(hourly, "me")


def test_redlock_lets_one_in_at_a_time(url: str) -> None:
    redlock = pytest.importorskip("redlock", reason="redlock-py is installed by `nox -s clients`")
    manager = redlock.Redlock([url], retry_count=1)
    first = manager.lock("door", 10_000)
    assert first
    assert manager.lock("door", 10_000) is False
    manager.unlock(first)
    second = manager.lock("door", 10_000)
    assert second
    manager.unlock(first)  # no longer the holder: opens nothing
    assert manager.lock("door", 10_000) is False
    manager.unlock(second)


def test_redlock_among_threads(url: str) -> None:
    redlock = pytest.importorskip("redlock", reason="redlock-py is installed by `nox -s clients`")
    redis = pytest.importorskip("redis")
    counter = redis.Redis.from_url(url)

    def visit() -> None:
        manager = redlock.Redlock([url], retry_count=1000, retry_delay=0.01)
        for _ in range(5):
            lock = manager.lock("door", 10_000)
            seen = int(counter.get("visits") or 0)
            counter.set("visits", seen + 1)
            manager.unlock(lock)

    threads = [threading.Thread(target=visit) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(SECONDS)
    assert counter.get("visits") == b"20"


def _import_jobs():  # type: ignore[no-untyped-def]
    """The module of jobs, under the name by which the workers know it."""
    sys.path.insert(0, str(HERE))
    try:
        import jobs
    finally:
        sys.path.remove(str(HERE))
    return jobs
