"""`lifeline report`: a backtest as a page to look at."""

from pathlib import Path
from typing import Annotated

import typer

from services.core.recording import RecordingError, read_recording


def report(
    folder: Annotated[Path, typer.Argument(help="folder that `lifeline backtest` wrote")],
    recording: Annotated[Path | None, typer.Option(help="the recording, for its truth and its network")] = None,
    out: Annotated[Path | None, typer.Option(help="the page; default: report.html in the folder")] = None,
) -> None:
    """Show a backtest beside the truth: one page that needs nothing from elsewhere."""
    from services.backtest.report.page import write_report  # noqa: PLC0415 - loads every lifeline
    from services.backtest.report.result_folder import ReportError  # noqa: PLC0415 - loads every lifeline

    page = out or folder / "report.html"
    try:
        write_report(folder, page, None if recording is None else read_recording(recording))
    except (RecordingError, ReportError, OSError) as error:
        typer.echo(f"lifeline: {error}", err=True)
        raise typer.Exit(1) from None
    typer.echo(page)
