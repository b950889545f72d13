"""`lifeline backtest`: a recording through the engine of the live service."""

import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import structlog
import typer

from services.core.recording import RecordingError, read_recording

_LINE_EVERY_S = 5.0
_BAR_EVERY_S = 0.2
_BAR_WIDTH = 30


def backtest(
    recording: Annotated[Path, typer.Argument(help="folder of a recording (recording.toml)")],
    out: Annotated[Path, typer.Option(help="folder for alerts.jsonl, scores.csv and summary.json")],
    until: Annotated[datetime | None, typer.Option(help="leave out what was measured then or later; UTC")] = None,
    scores: Annotated[bool, typer.Option(help="write scores.csv, which can be large")] = True,
) -> None:
    """Run a recording through the rules of the live service and write what they would have raised."""
    from services.backtest.backtest import run_backtest  # noqa: PLC0415 - loads every detector
    from services.backtest.result_files import summary  # noqa: PLC0415 - loads every detector

    structlog.configure(logger_factory=lambda *_: structlog.WriteLogger(sys.stderr))
    moment = None if until is None else until.replace(tzinfo=until.tzinfo or UTC)
    try:
        result = run_backtest(
            read_recording(recording), out, until=moment, with_scores=scores, progress=_Progress(sys.stderr.isatty())
        )
    except (RecordingError, OSError) as error:
        typer.echo(f"lifeline: {recording}: {error}", err=True)
        raise typer.Exit(1) from None
    facts = summary(result)
    typer.echo(
        f"{facts['readings']:,} readings in {facts['seconds']:.1f} s ({facts['readings_per_second'] or 0:,}/s), "
        f"{facts['alerts']} alerts in {out}"
    )
    for kind, count in facts["by_kind"].items():
        typer.echo(f"  {count:6d}  {kind}")
    for rule, count in facts["failures"].items():
        typer.echo(f"lifeline: detectors of {rule} failed {count} times and were set aside", err=True)
    if facts["unjudged"]:
        typer.echo(f"  {facts['unjudged']:,} readings belong to lifelines that have no rules", err=True)


class _Progress:
    """Tells how far the replay is: a bar on a terminal, else a line now and then."""

    def __init__(self, is_terminal: bool) -> None:
        self._is_terminal = is_terminal
        self._began_s = self._told_s = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        now_s = time.monotonic()
        every_s = _BAR_EVERY_S if self._is_terminal else _LINE_EVERY_S
        if now_s - self._told_s < every_s and not (self._is_terminal and done == total):
            return
        self._told_s = now_s
        rate = done / max(now_s - self._began_s, 1e-9)
        words = f"{done:,} of {total:,} readings ({rate:,.0f}/s)"
        if self._is_terminal:
            filled = _BAR_WIDTH * done // max(total, 1)
            bar = "█" * filled + "░" * (_BAR_WIDTH - filled)
            typer.echo(f"\r{bar} {words}", nl=done == total, err=True)
        else:
            typer.echo(words, err=True)
