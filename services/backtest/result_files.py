"""``alerts.jsonl`` and ``summary.json``: what a backtest leaves behind. The formats are in docs/backtest.md."""

import json
import platform
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from services.backtest.alert_book import KnownAlert
from services.backtest.score_file import rfc3339

if TYPE_CHECKING:
    from services.backtest.backtest import Result

ALERTS = "alerts.jsonl"
SCORES = "scores.csv"
FORECAST = "forecast.csv"
SUMMARY = "summary.json"


def write_alerts(path: Path, alerts: Iterable[KnownAlert]) -> None:
    """One alert a line, ordered by when it was raised."""
    lines = (json.dumps(alert_line(known), ensure_ascii=False, allow_nan=False) for known in alerts)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def alert_line(known: KnownAlert) -> dict[str, Any]:
    """An alert as it was known when it was raised; only ``cleared_at`` is what became of it."""
    alert = known.raised
    candidates = (alert.trace or {}).get("candidates", [])
    return {
        "id": str(alert.id),
        "lifeline": str(alert.lifeline),
        "kind": alert.kind,
        "severity": int(alert.severity),
        "detected_at": rfc3339(alert.detected_at),
        "started_at": rfc3339(alert.started_at),
        "cleared_at": None if known.cleared_at is None else rfc3339(known.cleared_at),
        "sensors": list(alert.sensors),
        "trace": [{"asset": each["asset"], "probability": each["probability"]} for each in candidates],
        "score": known.score,
        "detector": alert.detector,
        "detector_version": alert.detector_version,
        "explanation": alert.explanation.as_json(),
    }


def write_summary(path: Path, result: "Result") -> None:
    """The cost, the counts and the versions."""
    path.write_text(json.dumps(summary(result), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def summary(result: "Result") -> dict[str, Any]:
    """What ``summary.json`` holds."""
    detectors = {known.raised.detector: known.raised.detector_version for known in result.alerts}
    moments = {"first": result.first, "last": result.last, "learn_until": result.learn_until}
    return {
        "recording": result.recording,
        "readings": result.readings,
        "late": result.late,
        "unjudged": result.unjudged,
        "failures": dict(sorted(result.failures.items())),
        **{name: None if moment is None else rfc3339(moment) for name, moment in moments.items()},
        "loading_seconds": round(result.loading_seconds, 3),
        "seconds": round(result.seconds, 3),
        "readings_per_second": round(result.readings / result.seconds) if result.seconds > 0 else None,
        "alerts": len(result.alerts),
        "by_kind": result.by_kind,
        "scores": result.scores,
        "forecasts": result.forecasts,
        "network": None if result.network is None else result.network.fingerprint,
        "versions": {
            "lifeline": version("lifeline"),
            "python": platform.python_version(),
            "numpy": version("numpy"),
            "detectors": dict(sorted(detectors.items())),
        },
    }
