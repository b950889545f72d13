"""What a demo plays: a scenario, how long it lasts, and what the city has to have lived through before. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

STORY = "story"


@dataclass(frozen=True, slots=True)
class Plot:
    """A scenario to play, ``length`` long, after a ``history`` of some lifelines, or of all where none is named."""

    scenario: str
    length: timedelta
    history: timedelta = timedelta(days=3)
    step: timedelta = timedelta(minutes=5)
    lifelines: tuple[str, ...] = ()


PLOTS: Mapping[str, Plot] = {
    plot.scenario: plot
    for plot in (
        Plot(STORY, timedelta(hours=4)),
        Plot("gas-under-pavement", timedelta(minutes=200)),
        Plot("cloudburst", timedelta(minutes=160), lifelines=("drainage",)),
        # What the weather does to a bridge takes two months to learn.
        Plot(
            "settlement-over-cold-front",
            timedelta(days=7),
            history=timedelta(days=75),
            step=timedelta(minutes=10),
            lifelines=("bridge",),
        ),
    )
}
