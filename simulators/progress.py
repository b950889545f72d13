"""How far a simulation has come, in a small file that survives crashes."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

_WRITE_EVERY_S = 0.5


class ProgressError(ValueError):
    """The progress file is broken or belongs to another simulation; the message says which field."""


class Checkpoint(BaseModel):
    """The whole state after the measuring instant ``time``; every message up to it is acknowledged."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    time: AwareDatetime
    state: dict[str, Any]


class Asked(BaseModel):
    """From which measuring instant on a sensor reports at another interval, because it was asked to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    since: AwareDatetime
    sensor: str
    interval_s: Annotated[int, Field(gt=0)]


class Progress(BaseModel):
    """The progress file. ``messages`` counts those acknowledged since the checkpoint (or since ``origin``).

    ``asked`` is what still counts of what devices were asked, in the order in which they were.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    city: str
    scenario: str
    seed: int
    origin: AwareDatetime
    published: AwareDatetime
    messages: Annotated[int, Field(ge=0)] = 0
    checkpoint: Checkpoint | None = None
    asked: tuple[Asked, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """One MQTT message; ``checkpoint`` is set on the last one before which the state was saved."""

    due: datetime
    topic: str
    payload: bytes
    checkpoint: Checkpoint | None = None

    def with_checkpoint(self, checkpoint: Checkpoint) -> "Message":
        """The same message carrying a saved state."""
        return replace(self, checkpoint=checkpoint)


def read_progress(path: Path | None, fresh: Progress) -> Progress:
    """What the file says, or ``fresh`` when there is none.

    Raises:
        ProgressError: the file is broken, or was written by another city, scenario or seed.
    """
    if path is None or not path.exists():
        return fresh
    try:
        progress = Progress.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "file"
        raise ProgressError(f"{path}: {field}: {first['msg']}") from error
    for field in ("city", "scenario", "seed"):
        theirs, ours = getattr(progress, field), getattr(fresh, field)
        if theirs != ours:
            raise ProgressError(f"{path}: {field} is {theirs!r}, not {ours!r}; choose another file or remove it")
    return progress


class Journal:
    """Follows acknowledgements and writes them down, at most twice a second; ``monotonic`` gives seconds."""

    def __init__(self, path: Path | None, progress: Progress, monotonic: Callable[[], float]) -> None:
        self._path = path
        self._monotonic = monotonic
        self._written = monotonic() - _WRITE_EVERY_S
        self.progress = progress

    def acknowledged(self, message: Message) -> None:
        """The broker has this message; it is the next after the last one acknowledged."""
        update: dict[str, Any] = {"published": max(message.due, self.progress.published)}
        if message.checkpoint is None:
            update["messages"] = self.progress.messages + 1
        else:
            update |= {"messages": 0, "checkpoint": message.checkpoint}
        self.progress = self.progress.model_copy(update=update)
        if self._monotonic() - self._written >= _WRITE_EVERY_S:
            self.write()

    def keep(self, asked: Asked) -> None:
        """A device was asked something; what it was asked before counts only where it is needed to go on."""
        checkpoint = self.progress.checkpoint
        still = [
            each
            for each in self.progress.asked
            if each.sensor != asked.sensor or checkpoint is None or each.since > checkpoint.time
        ]
        self.progress = self.progress.model_copy(update={"asked": (*still, asked)})

    def write(self) -> None:
        """Replace the file in one step, so that a reader or a crash never sees half of it."""
        self._written = self._monotonic()
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_name(f"{self._path.name}.new")
        fresh.write_text(json.dumps(self.progress.model_dump(mode="json")), "utf-8")
        fresh.replace(self._path)
