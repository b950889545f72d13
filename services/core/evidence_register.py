"""What the register says of a place, as the JSON of an evidence bundle and back. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from services.core.asset import Asset, Link
from services.core.detector_model import DetectorModel
from services.core.lifeline import Lifeline
from services.core.low_point import LowPoint
from services.core.network_file import NetworkFile
from services.core.sensor import Sensor
from services.core.works_permit import WorksPermit


@dataclass(frozen=True, slots=True)
class CoveringNetwork:
    """A hydraulic model, and the zones of one lifeline that it covers."""

    lifeline: Lifeline
    file: NetworkFile
    zones: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EvidenceRegister:
    """All of the register that the detection of some zones looks at."""

    sensors: tuple[Sensor, ...]
    assets: tuple[Asset, ...]
    links: tuple[Link, ...]
    works: tuple[WorksPermit, ...]
    low_points: tuple[LowPoint, ...]
    networks: tuple[CoveringNetwork, ...]
    models: tuple[DetectorModel, ...]

    def as_json(self) -> dict[str, Any]:
        """The JSON form."""
        written: dict[str, Any] = _ADAPTER.dump_python(self, mode="json")
        return written

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> "EvidenceRegister":
        """The inverse of ``as_json``.

        Raises:
            ValueError: something is missing or of another type.
        """
        return _ADAPTER.validate_python(dict(written), strict=False)


_ADAPTER = TypeAdapter(EvidenceRegister)
