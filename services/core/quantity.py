"""What a sensor measures: the quantity, its unit and what is physically plausible."""

from dataclasses import dataclass

from services.core.lifeline import Lifeline
from services.core.text import Text
from services.core.threshold import Threshold


@dataclass(frozen=True, slots=True)
class Quantity:
    """A measured quantity of one lifeline, as the catalogue in the database holds it.

    ``plausible`` is the range a working device can report; outside it a reading is kept but marked bad.
    ``thresholds`` are the defaults a sensor has unless it declares its own.
    """

    lifeline: Lifeline
    name: str
    unit: str
    label: Text
    plausible: tuple[float, float]
    thresholds: tuple[Threshold, ...] = ()
