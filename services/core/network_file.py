"""The file of a hydraulic model, as the water company or the drainage authority keeps it."""

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256


class NetworkFormat(StrEnum):
    """Which program reads the file."""

    EPANET = "epanet"
    SWMM = "swmm"


@dataclass(frozen=True, slots=True)
class NetworkFile:
    """A hydraulic model of the pipes or sewers of some zones, in the text of its ``.inp`` file.

    ``name`` is what the model is called; its nodes and links bear the identifiers of the city's assets.
    """

    name: str
    format: NetworkFormat
    text: str

    @property
    def fingerprint(self) -> str:
        """A short hash of the text, the same for the same model."""
        return sha256(self.text.encode()).hexdigest()[:16]
