"""``forecast.csv``: what was forecast, for whom, for when, in the format of recordings."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import IO

from services.alerts.forecast.outlook import Outlook, Spread

HEADER = "issued_at,target_time,sensor,value,low,high\n"
_DIGITS = 4
_CM = {"mm": 0.1, "cm": 1.0, "m": 100.0}


def centimetres_of(unit: str) -> float:
    """How many centimetres one of a unit of depth is.

    Raises:
        ValueError: it is no unit of depth that is known.
    """
    if unit not in _CM:
        raise ValueError(f"depths in {unit!r} are not known: {', '.join(_CM)}")
    return _CM[unit]


def write_forecast(file: IO[str], outlooks: Iterable[Outlook], unit: str = "cm") -> int:
    """Write the depth in 15, 30 and 60 minutes and the peak at its likeliest time; returns the number of rows.

    ``low`` and ``high`` are passed with 90 and 10 %. Rows keep the order of the outlooks.

    Raises:
        ValueError: the unit is no unit of depth that is known.
    """
    a_cm, rows = centimetres_of(unit), 0
    file.write(HEADER)
    for outlook in outlooks:
        issued = datetime.fromtimestamp(outlook.issued_s, UTC)
        targets = [(issued + timedelta(minutes=minutes), spread) for minutes, spread in outlook.ahead.items()]
        targets.append((datetime.fromtimestamp(outlook.peak_s, UTC), outlook.peak))
        for target, spread in sorted(targets):
            file.write(f"{_time(issued)},{_time(target)},{outlook.point},{_depths(spread, a_cm)}\n")
            rows += 1
    return rows


def _time(moment: datetime) -> str:
    return moment.replace(microsecond=0).isoformat().replace("+00:00", "Z")


def _depths(spread: Spread, a_cm: float) -> str:
    return ",".join(f"{depth / a_cm:.{_DIGITS}g}" for depth in (spread.likely, spread.low, spread.high))
