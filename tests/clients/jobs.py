"""The jobs that the workers of rq and celery are given: `REDIS_URL` says where from."""

from __future__ import annotations

import os

try:
    from celery import Celery
except ImportError:
    app = None
else:
    address = os.environ.get("REDIS_URL", "redis://127.0.0.1/0")
    app = Celery("jobs", broker=address, backend=address)
    app.conf.update(broker_connection_retry_on_startup=True, result_expires=60)


def multiply(left: int, right: int) -> int:
    return left * right


def fail() -> None:
    raise ValueError("on purpose")


if app is not None:
    times = app.task(name="jobs.times")(multiply)
    breaks = app.task(name="jobs.breaks")(fail)

    @app.task(name="jobs.total")
    def total(numbers: list[int]) -> int:
        return sum(numbers)
