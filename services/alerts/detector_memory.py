"""A detector's state together with whose it is, so that no other version or configuration takes it up."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from services.alerts.detectors.contract import Detector, RowDetector, SearchDetector, Trainable

AnyDetector = Detector | RowDetector | SearchDetector


class UnfitStateError(Exception):
    """The state was written by another version or configuration of the detector, or cannot be read by this one."""


def identity(detector: AnyDetector, model: str = "") -> str:
    """Name, version and a short hash of the configuration and of the ``model`` that the detector works with.

    What a search was taught is kept apart from what it has seen: its memory goes with any model it was taught.
    """
    taught = None if isinstance(detector, SearchDetector) else model_of(detector)
    lasting = {name: value for name, value in detector.configuration().items() if name not in detector.passing}
    configuration = json.dumps([lasting, taught or model], sort_keys=True)
    return f"{detector.name} {detector.version} {sha256(configuration.encode()).hexdigest()[:12]}"


def model_of(detector: AnyDetector) -> str | None:
    """The name of the model from which the detector began, if it began from one."""
    return detector.model if isinstance(detector, Trainable) else None


def restore(detector: AnyDetector, state: Mapping[str, Any], written_by: str | None, own: str) -> None:
    """Let the detector go on from a state; one that does not say who wrote it is of the first release and is tried.

    Raises:
        UnfitStateError: the detector must be made anew.
    """
    if written_by is not None and written_by != own and not _reads(detector, written_by, own):
        raise UnfitStateError(f"written by {written_by}, this is {own}")
    try:
        detector.restore(state)
    except Exception as error:
        raise UnfitStateError(f"{type(error).__name__}: {error}") from error


def _reads(detector: AnyDetector, written_by: str, own: str) -> bool:
    """Whether the state is of another version, with the configuration of today, that the detector says it can read."""
    name, version, configuration = written_by.rsplit(" ", 2)
    return (name, configuration) == (detector.name, own.rsplit(" ", 1)[-1]) and detector.reads_state_of(version)
