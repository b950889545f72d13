"""`lifeline models`: what detectors were taught from history."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, TypeVar

import psycopg
import typer

from services.core.detector_model import DetectorModel, HoldBack, ModelState
from services.core.settings import ConfigurationError, load_settings

if TYPE_CHECKING:
    from services.alerts.models.trainer import Lesson, Wish

models = typer.Typer(help="What detectors were taught from history: teach, look, put into use.", no_args_is_help=True)

_Answer = TypeVar("_Answer")
_Rule = Annotated[str, typer.Argument(help="name of the rule")]
_Target = Annotated[str, typer.Argument(help="sensor, or zone:<zone>")]


def _fail(message: str) -> typer.Exit:
    typer.echo(f"lifeline: {message}", err=True)
    return typer.Exit(1)


def _url() -> str:
    url = load_settings().database_url
    if url is None:
        raise ConfigurationError("LIFELINE_DATABASE_URL is not set")
    return url.get_secret_value()


def _with_database(work: Callable[[str], Coroutine[None, None, _Answer]]) -> _Answer:
    """Run work that needs a migrated database; ends with one line when there is none."""
    from services.core.store.migrations import DatabaseNotReadyError, require_migrated  # noqa: PLC0415

    try:
        url = _url()
        require_migrated(url)
        return asyncio.run(work(url))
    except (ConfigurationError, DatabaseNotReadyError, LookupError) as error:
        raise _fail(str(error.args[0])) from None
    except psycopg.OperationalError as error:
        raise _fail(f"the database cannot be reached: {str(error).strip().splitlines()[0]}") from None


@models.command()
def train(
    rule: Annotated[str | None, typer.Option(help="this rule alone")] = None,
    zone: Annotated[str | None, typer.Option(help="this zone alone")] = None,
    target: Annotated[str | None, typer.Option(help="this sensor, or zone:<zone>, alone")] = None,
    until: Annotated[datetime | None, typer.Option(help="end of the history, UTC; default: now")] = None,
    days: Annotated[float, typer.Option(min=2, help="days to teach")] = 28,
    hold_back_days: Annotated[float, typer.Option(min=0.5, help="days held back, after those taught")] = 7,
) -> None:
    """Teach detectors from stored readings; what does no worse than before is put into use."""
    from services.alerts.models.trainer import Wish  # noqa: PLC0415 - loads every detector

    end = datetime.now(UTC) if until is None else until.replace(tzinfo=until.tzinfo or UTC)
    wish = Wish(end, timedelta(days=days), timedelta(days=hold_back_days), rule, zone, target)
    lessons = _with_database(lambda url: _teach(url, wish))
    if not lessons:
        raise _fail("nothing here can be taught: no rule with such a detector has a sensor that was named")
    for lesson in lessons:
        typer.echo(_described(lesson))


async def _teach(url: str, wish: "Wish") -> list["Lesson"]:
    from services.alerts.models.trainer import teach  # noqa: PLC0415 - loads every detector
    from services.core.store.pool import open_pool  # noqa: PLC0415

    async with open_pool(url, 2) as pool:
        return await teach(pool, wish)


def _described(lesson: "Lesson") -> str:
    begin = f"{lesson.rule}  {lesson.target}  "
    if lesson.model is None:
        return f"{begin}not taught: {lesson.skipped}"
    return begin + _standing(lesson.model)


def _standing(model: DetectorModel) -> str:
    tried = f"version {model.version}, {model.state}: {_figures(model.scores)}"
    before = "" if model.predecessor is None else f"; before: {_figures(model.predecessor)}"
    return tried + before + ("" if model.reason is None else f"; not put into use by itself: {model.reason.en}")


def _figures(scores: HoldBack) -> str:
    if scores.loss is not None:
        return (
            f"loss {scores.loss:.3g} (default {scores.default_loss or 0:.3g}), false warnings {scores.false_alarms:.0%}"
        )
    return f"separation {scores.separation:.3f}, false alarms {scores.false_alarms:.2%} of {scores.rows} rows"


@models.command(name="list")
def list_(
    rule: Annotated[str | None, typer.Option(help="this rule alone")] = None,
    target: Annotated[str | None, typer.Option(help="this sensor, or zone:<zone>, alone")] = None,
    state: Annotated[ModelState | None, typer.Option(help="those in this state alone")] = None,
) -> None:
    """List models by rule, target and version."""
    from services.core.store import detector_models  # noqa: PLC0415

    async def ask(url: str) -> list[DetectorModel]:
        async with await psycopg.AsyncConnection.connect(url) as connection:
            return await detector_models.list_models(connection, rule=rule, target=target, state=state)

    for model in _with_database(ask):
        typer.echo(f"{model.rule}  {model.target}  {_standing(model)}")


@models.command()
def show(
    rule: _Rule, target: _Target, version: Annotated[int | None, typer.Argument(help="default: the one in use")] = None
) -> None:
    """Print one model as JSON: where it comes from, how it did, its parameters."""
    from services.core.store import detector_models  # noqa: PLC0415

    async def ask(url: str) -> DetectorModel | None:
        async with await psycopg.AsyncConnection.connect(url) as connection:
            return await detector_models.find(connection, rule, target, version)

    model = _with_database(ask)
    if model is None:
        raise _fail(f"{rule} has no {'model in use' if version is None else f'model {version}'} at {target}")
    typer.echo(json.dumps(asdict(model), indent=2, default=str, ensure_ascii=False))


@models.command()
def promote(
    rule: _Rule,
    target: _Target,
    version: Annotated[int, typer.Argument(help="the version to use from now on; an older one goes back to it")],
    actor: Annotated[str, typer.Option(help="person or system that decides, as the audit trail shows it")],
) -> None:
    """Put a version into use, whatever its figures say."""
    from services.core.store import detector_models  # noqa: PLC0415

    async def ask(url: str) -> None:
        async with await psycopg.AsyncConnection.connect(url) as connection:
            await detector_models.promote(connection, rule, target, version, actor=actor)

    _with_database(ask)
    typer.echo(f"{rule}  {target}  version {version} is in use")
