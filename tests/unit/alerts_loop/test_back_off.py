"""How long is waited between two attempts, and when it is given up."""

import random
from datetime import UTC, datetime
from typing import Any

import pytest
from procrastinate.jobs import Job

from services.alerts.notify.back_off import BackOff, NotDeliveredError


def _job(attempts: int) -> Job:
    arguments: dict[str, Any] = {"queue": "alerts", "lock": None, "queueing_lock": None, "task_name": "deliver"}
    return Job(id=1, attempts=attempts, **arguments)


def _wait_s(error: BaseException, job_attempts: int = 0) -> float:
    decision = BackOff(random.Random(1)).get_retry_decision(exception=error, job=_job(job_attempts))  # noqa: S311 - jitter
    assert decision is not None
    assert decision.retry_at is not None
    return (decision.retry_at - datetime.now(UTC)).total_seconds()


@pytest.mark.parametrize(("attempt", "longest_s"), [(1, 1), (2, 2), (3, 4), (4, 8), (9, 256), (10, 300), (1000, 300)])
def test_waits_double_up_to_five_minutes_with_at_most_half_of_them_taken_off(attempt: int, longest_s: float) -> None:
    waited = _wait_s(NotDeliveredError("500", attempt=attempt, final=False))
    assert longest_s / 2 - 0.1 <= waited <= longest_s


def test_the_last_attempt_is_the_last() -> None:
    error = NotDeliveredError("500", attempt=12, final=True)
    assert BackOff(random.Random(1)).get_retry_decision(exception=error, job=_job(11)) is None  # noqa: S311 - jitter


def test_trouble_of_our_own_is_repeated_without_end_and_without_using_up_attempts() -> None:
    assert _wait_s(OSError("the database is away"), job_attempts=1000) <= 300
    # Put back a thousand times, yet it is the receiver's first answer that counts.
    assert _wait_s(NotDeliveredError("500", attempt=1, final=False), job_attempts=1000) <= 1
