"""A drawn town with its weather and what happens in it, on one clock."""

from dataclasses import dataclass

from simulators.gas_benchmark.case import Case
from simulators.gas_benchmark.town import Town
from simulators.gas_benchmark.weather import TownWeather
from simulators.noise import Vector


@dataclass(frozen=True, slots=True)
class Scene:
    """``hours`` are the steps of the spaces since the recording's begin, evenly spaced."""

    town: Town
    cases: tuple[Case, ...]
    weather: TownWeather
    hours: Vector

    @property
    def step_h(self) -> float:
        """Hours from step to step."""
        return float(self.hours[1] - self.hours[0])

    def of_kind(self, kind: str) -> list[Case]:
        """The cases of one kind."""
        return [case for case in self.cases if case.kind == kind]
