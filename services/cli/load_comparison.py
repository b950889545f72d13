"""What a load test has sent beside what the database holds of it."""

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import psycopg
from numpy.typing import NDArray

from simulators.load.field import CHANGE_KPA
from simulators.load.tally import Tally

_STORED = """
select (extract(epoch from r.time) * 1000)::bigint, r.value
from reading r join sensor s on s.key = r.sensor_key
where s.id = %s and r.time between to_timestamp(%s / 1000.0) and to_timestamp(%s / 1000.0)
order by r.time
"""
_COUNT = """
select count(*) from reading
where sensor_key = any(select key from sensor where id = any(%s)) and time >= to_timestamp(%s / 1000.0)
"""
_REJECTED = "select reason, sum(count)::bigint from rejection where sender = any(%s) group by reason"
_SAME_KPA = 1e-6
"""Three decimals are sent."""


@dataclass(slots=True)
class Comparison:
    """Readings missing, not sent by anybody, or stored with a wrong value; rejections by reason, sent and found."""

    sent: int = 0
    stored: int = 0
    missing: int = 0
    surplus: int = 0
    wrong_value: int = 0
    changed: int = 0
    rejections_sent: dict[str, int] = field(default_factory=dict)
    rejections_found: dict[str, int] = field(default_factory=dict)

    @property
    def is_exact(self) -> bool:
        """Nothing is lost, nothing is there that was not sent, and every wrong entry was refused once."""
        odd = self.missing or self.surplus or self.wrong_value
        return not odd and self.rejections_sent == self.rejections_found

    def lines(self) -> list[str]:
        """For people to read."""
        reasons = sorted({*self.rejections_sent, *self.rejections_found})
        return [
            f"distinct valid readings: {self.sent} sent, {self.stored} stored",
            f"missing: {self.missing}, never sent: {self.surplus}, wrong value: {self.wrong_value}",
            f"with another value since: {self.changed}",
            *(
                f"refused as {reason}: {self.rejections_sent.get(reason, 0)} sent, "
                f"{self.rejections_found.get(reason, 0)} found"
                for reason in reasons
            ),
        ]


@dataclass(frozen=True, slots=True)
class Before:
    """What the database held of a plan's sensors and gateways before anything was sent."""

    readings: int = 0
    rejections: Counter[str] = field(default_factory=Counter)


def held_before(connection: psycopg.Connection, tally: Tally) -> Before:
    """Look before sending."""
    return Before(stored_of(connection, tally), rejections_of(connection, tally))


def rejections_of(connection: psycopg.Connection, tally: Tally) -> Counter[str]:
    """How much was refused of the plan's gateways and sensors so far, by reason."""
    plan = tally.plan
    nobodies = [f"{plan.prefix}-nobody-{gateway}" for gateway in range(plan.gateways)]
    senders = [*plan.gateway_names, *plan.sensor_names, *nobodies]
    return Counter({reason: int(count) for reason, count in connection.execute(_REJECTED, (senders,))})


def stored_of(connection: psycopg.Connection, tally: Tally) -> int:
    """How many readings of the plan's sensors the database holds from the plan's beginning on."""
    begin_ms = tally.plan.start_ms - tally.plan.late_ms - 1
    row = connection.execute(_COUNT, (tally.plan.sensor_names, begin_ms)).fetchone()
    return int(row[0]) if row else 0


def compare(connection: psycopg.Connection, tally: Tally, before: Before) -> Comparison:
    """Hold every reading of the plan's time against the database, sensor by sensor."""
    plan = tally.plan
    result = Comparison(rejections_sent=tally.rejections, stored=stored_of(connection, tally) - before.readings)
    result.rejections_found = dict(sorted((rejections_of(connection, tally) - before.rejections).items()))
    for gateway in range(plan.gateways):
        sent = tally.sent_by(gateway)
        if not len(sent.sensors):
            continue
        latest_ms = int(sent.times_ms.max())
        order = np.lexsort((sent.times_ms, sent.sensors))
        sensors, times_ms, values = sent.sensors[order], sent.times_ms[order], sent.values[order]
        bounds = np.flatnonzero(np.diff(sensors, prepend=-1, append=-1))
        for first, behind in pairwise(bounds):
            part = slice(int(first), int(behind))
            name = plan.sensor_names[int(sensors[first])]
            rows = connection.execute(_STORED, (name, plan.start_ms - plan.late_ms - 1, latest_ms)).fetchall()
            _compare_sensor(result, times_ms[part], values[part], np.array(rows, np.float64).reshape(-1, 2))
    result.surplus = result.stored - (result.sent - result.missing)
    return result


def _compare_sensor(
    result: Comparison, times_ms: NDArray[np.int64], values: NDArray[np.float64], stored: NDArray[np.float64]
) -> None:
    stored_ms = stored[:, 0].astype(np.int64)
    common, sent_at, stored_at = np.intersect1d(times_ms, stored_ms, assume_unique=True, return_indices=True)
    differences = stored[stored_at, 1] - values[sent_at]
    changed = np.isclose(differences, CHANGE_KPA, atol=_SAME_KPA)
    result.sent += len(times_ms)
    result.missing += len(times_ms) - len(common)
    result.wrong_value += int((~changed & (np.abs(differences) > _SAME_KPA)).sum())
    result.changed += int(changed.sum())
