"""What a demo plays: a scenario, how long it lasts, and what the city has to have lived through before. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

STORY = "story"


@dataclass(frozen=True, slots=True)
class Plot:
    """A scenario to play, ``length`` long, after a ``history`` of some lifelines, or of all where none is named.

    ``speed`` is story minutes in a minute unless somebody asks for another. Where it ``leaves_out_others`` the city has
    no sensors but those of ``lifelines``: what is not played over days can neither be late nor fall silent.
    """

    scenario: str
    length: timedelta
    history: timedelta = timedelta(days=3)
    step: timedelta = timedelta(minutes=5)
    lifelines: tuple[str, ...] = ()
    speed: float = 60.0
    leaves_out_others: bool = False


PLOTS: Mapping[str, Plot] = {
    plot.scenario: plot
    for plot in (
        Plot(STORY, timedelta(hours=4)),
        Plot("gas-under-pavement", timedelta(minutes=240)),
        Plot("cloudburst", timedelta(minutes=160), lifelines=("drainage",)),
        # Limits of daily means exist after 89 days, and become narrower with each more. A day is played in a minute.
        Plot(
            "settlement-over-cold-front",
            timedelta(days=7),
            history=timedelta(days=120),
            step=timedelta(minutes=10),
            lifelines=("bridge",),
            speed=1440.0,
            leaves_out_others=True,
        ),
    )
}
