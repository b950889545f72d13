"""An outage is waited out and reported once."""

import random
from collections.abc import Iterator
from itertools import islice

import pytest
from structlog.testing import capture_logs

from services.ingest import outage
from services.ingest.outage import LONGEST_WAIT_S, Outage, waits

SEEDED = random.Random(1)  # noqa: S311 - a test wants the same waits each time


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outage, "FIRST_WAIT_S", 0.0)


def test_waits_grow_to_the_longest_and_are_spread() -> None:
    series = list(islice(waits(SEEDED), 20))
    assert all(0 < wait <= LONGEST_WAIT_S for wait in series)
    assert series[0] <= 0.1
    assert all(wait >= LONGEST_WAIT_S / 2 for wait in series[10:])
    assert len(set(series)) == len(series)


async def test_many_failures_are_one_line_and_the_return_another(quick: None) -> None:
    def results() -> Iterator[Exception | str]:
        yield from [ConnectionError("refused")] * 3
        yield from ["stored"] * 2

    script = results()

    async def action() -> str:
        result = next(script)
        if isinstance(result, Exception):
            raise result
        return result

    with capture_logs() as logs:
        database = Outage("the database", (OSError,), SEEDED)
        assert await database.keep_trying(action) == "stored"
        assert await database.keep_trying(action) == "stored"
    assert [line["log_level"] for line in logs] == ["warning", "info"]
    assert logs[0]["reason"] == "refused"


async def test_other_errors_are_not_waited_out() -> None:
    async def action() -> None:
        raise KeyError("a mistake")

    with pytest.raises(KeyError):
        await Outage("the database", (OSError,), SEEDED).keep_trying(action)
