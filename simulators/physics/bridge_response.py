"""What the gauges of a bridge show under a climate: a column of values for each, computed over all time at once.

Everything is linear but the bearings' friction, so that a response is an influence times a course: own weight,
temperature, traffic and damage each have theirs. Damage is told by its course from 0 (none) to 1 (all of it).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from simulators.noise import Vector
from simulators.physics.bridge_climate import Conditions
from simulators.physics.bridge_model import DeckDesign, DeckModel

DamageKind = Literal["stiffness-loss", "settlement", "cable-loss", "bearing-stuck", "scour", "collision"]

_EXPANSION_1_K = 1.05e-5
_REFERENCE_C = 15.0
_SOFTER_PER_K = 0.0028
"""Concrete and asphalt grow softer as they warm up; frozen asphalt and frozen ground stiffen several times as much."""
_FROZEN_PER_K = 0.009
_STUCK_SHARE = 0.92
_PUSHED_DEG = 0.02
"""By how much a pier that was hit stays tilted."""
_RESTRAINED_SHARE = 0.3
"""Share of a free expansion that piers keep back when the bearing no longer slides."""


@dataclass(frozen=True, slots=True)
class Gauge:
    """A sensor on the deck: its quantity, unit and the part it is mounted on (``index`` counts from 0)."""

    id: str
    quantity: str
    unit: str
    asset: str
    index: int


@dataclass(frozen=True, slots=True)
class Damage:
    """Trouble of one kind at one part; ``size`` in per cent, mm, or what its kind says; ``course`` from 0 to 1."""

    kind: DamageKind
    index: int
    size: float
    course: Vector


@dataclass(frozen=True, slots=True)
class Spread:
    """What differs from gauge to gauge and from reading to reading, drawn once for a bridge."""

    gain: Mapping[str, float]
    offset: Mapping[str, float]
    noise: Mapping[str, Vector]
    sun_share: Vector


class BridgeResponse:
    """A bridge with its gauges under given conditions."""

    def __init__(self, design: DeckDesign, gauges: Sequence[Gauge], conditions: Conditions, spread: Spread) -> None:
        self._design, self._gauges = design, gauges
        self._conditions, self._spread = conditions, spread
        self._intact = DeckModel(design)

    def readings(self, damages: Sequence[Damage] = ()) -> dict[str, Vector]:
        """The values of every gauge; the same conditions and spread give the same apart from what damage does."""
        moved = self._static_changes(damages)
        return {gauge.id: self._reading(gauge, moved, damages) for gauge in self._gauges}

    def _static_changes(self, damages: Sequence[Damage]) -> list[tuple[Vector, Vector, DeckModel]]:
        """How the deck moves on account of each damage, with the course of it and the model after it."""
        rest = self._intact.under_own_weight()
        found = []
        for damage in damages:
            after = DeckModel(_damaged(self._design, damage))
            if damage.kind == "settlement":
                found.append((self._intact.under_settlement(damage.index, damage.size / 1000), damage.course, after))
            elif damage.kind in {"stiffness-loss", "cable-loss", "scour"}:
                found.append((after.under_own_weight() - rest, damage.course, after))
        return found

    def _reading(
        self, gauge: Gauge, moved: Sequence[tuple[Vector, Vector, DeckModel]], damages: Sequence[Damage]
    ) -> Vector:
        spread = self._spread
        value = self._environment(gauge)
        if value is None:
            value = self._structural(gauge, damages)
            for change, course, after in moved:
                value = value + course * self._shape(gauge, change, after)
        value = value * spread.gain[gauge.id] + spread.offset[gauge.id]
        noisy: Vector = value + spread.noise[gauge.id] * self._scatter(gauge)
        if gauge.quantity == "humidity":
            noisy = np.clip(noisy, 0, 100)
        if gauge.quantity in {"wind_speed", "acceleration_rms", "acceleration_peak", "crack_width", "scour_depth"}:
            noisy = np.maximum(noisy, 0.0)
        return noisy

    def _environment(self, gauge: Gauge) -> Vector | None:
        conditions = self._conditions
        if gauge.quantity == "deck_temperature":
            return conditions.top_c if gauge.index == 0 else conditions.bottom_c
        measured = {
            "air_temperature": conditions.air_c,
            "humidity": conditions.humidity_percent,
            "wind_speed": conditions.wind_m_s,
        }
        return measured.get(gauge.quantity)

    def _structural(self, gauge: Gauge, damages: Sequence[Damage]) -> Vector:
        """The value without settled, softened or missing parts: temperature, traffic, wind and friction."""
        if gauge.quantity.startswith("spectral_peak"):
            return self._frequency(int(gauge.quantity.rsplit("_", 1)[1]) - 1, damages)
        told = {
            "displacement": self._sliding,
            "acceleration_rms": self._trembling,
            "acceleration_peak": self._peaks,
            "scour_depth": self._washed_out,
            "tilt": self._tilted,
        }.get(gauge.quantity)
        return self._bent(gauge, damages) if told is None else told(gauge, damages)

    def _since_stuck(self, damages: Sequence[Damage]) -> tuple[Vector, Vector]:
        """Whether a bearing is stuck, and by how much the bridge has warmed up since it is (K)."""
        warmer = self._uniform_c() - _REFERENCE_C
        stuck = sum((d.course for d in damages if d.kind == "bearing-stuck"), np.zeros(len(warmer)))
        return stuck, warmer - _held(warmer, stuck)

    def _sliding(self, gauge: Gauge, damages: Sequence[Damage]) -> Vector:
        stuck, since_stuck = self._since_stuck(damages)
        free_mm = 1000 * _EXPANSION_1_K * self._design.length_m * (0.5 if gauge.index else -0.5)
        kept = stuck * _STUCK_SHARE if gauge.index == self._stuck_at(damages) else np.zeros(len(stuck))
        slid: Vector = free_mm * (self._uniform_c() - _REFERENCE_C - kept * since_stuck)
        return slid

    def _trembling(self, _gauge: Gauge, _damages: Sequence[Damage]) -> Vector:
        trembling: Vector = 0.003 + 0.014 * self._conditions.traffic + 0.0004 * self._conditions.wind_m_s
        return trembling

    def _peaks(self, _gauge: Gauge, damages: Sequence[Damage]) -> Vector:
        quiet: Vector = 0.05 + 0.16 * self._conditions.traffic + 0.003 * self._conditions.wind_m_s
        return quiet + self._total(d.size * d.course for d in damages if d.kind == "collision")

    def _washed_out(self, gauge: Gauge, damages: Sequence[Damage]) -> Vector:
        washed = (d.size / 100 * 3.0 * d.course for d in damages if d.kind == "scour" and d.index == gauge.index)
        return 0.6 + 0.05 * self._conditions.moisture + self._total(washed)

    def _tilted(self, gauge: Gauge, damages: Sequence[Damage]) -> Vector:
        pushed = (d.course for d in damages if d.kind == "collision" and d.index == gauge.index)
        bent = 0.0012 * (gauge.index + 1) * self._gradient_k(gauge) + 0.00025 * self._conditions.wind_m_s
        stays = (_PUSHED_DEG * np.maximum.accumulate(course) for course in pushed)
        return bent + self._total(stays)

    def _bent(self, gauge: Gauge, damages: Sequence[Damage]) -> Vector:
        """Of strain, deflection, cracks and cables."""
        conditions, design = self._conditions, self._design
        warmer = self._uniform_c() - _REFERENCE_C
        if gauge.quantity == "crack_width":
            return 0.12 - 0.0012 * warmer
        if gauge.quantity == "cable_force":
            stands_kn = design.cables[gauge.index].dead_force_n / 1000
            return stands_kn - 7.5 * (conditions.cable_c - _REFERENCE_C) + 14 * conditions.traffic
        bent = self._intact.under_curvature(-_EXPANSION_1_K / design.height_m)
        loaded = self._intact.under_load(float(self._intact.nodes_m[self._intact.middles[gauge.index]]), 1.5e5)
        course = self._gradient_k(gauge) * self._shape(gauge, bent) + conditions.traffic * self._shape(gauge, loaded)
        if gauge.quantity == "strain":
            stuck, since_stuck = self._since_stuck(damages)
            return course + 1e6 * _EXPANSION_1_K * (0.9 * warmer - stuck * _RESTRAINED_SHARE * since_stuck)
        sagged: Vector = course + 0.08 * warmer * float(self._spread.sun_share[gauge.index % 8] - 1)
        return sagged

    def _gradient_k(self, gauge: Gauge) -> Vector:
        """How much warmer the top is than the core, where a gauge is."""
        share = float(self._spread.sun_share[gauge.index % 8])
        gradient: Vector = (self._conditions.top_c - self._conditions.core_c) * share
        return gradient

    def _total(self, parts: Iterable[Vector]) -> Vector:
        total: Vector = sum(parts, np.zeros(len(self._conditions.hours)))
        return total

    def _shape(self, gauge: Gauge, moved: Vector, model: DeckModel | None = None) -> float:
        """What a movement of the deck's nodes is in the unit of a gauge."""
        model = model or self._intact
        if gauge.quantity == "deflection":
            return -1000 * float(moved[2 * model.middles[gauge.index]])
        if gauge.quantity == "strain":
            return 1e6 * 0.6 * self._design.height_m * model.curvature_at(moved, model.middles[gauge.index])
        if gauge.quantity == "tilt":
            return float(np.degrees(moved[2 * model.piers[gauge.index] + 1]))
        if gauge.quantity == "crack_width":
            opened = model.curvature_at(moved, model.middles[gauge.index]) * self._design.height_m
            return 1000 * 0.4 * float(opened)
        if gauge.quantity == "cable_force":
            intact, cable = self._design.cables[gauge.index], model.design.cables[gauge.index]
            lost_n = intact.dead_force_n - cable.dead_force_n
            return -(lost_n + cable.stiffness_n_m * float(moved[2 * model.node_at(cable.at_m)])) / 1000
        return 0.0

    def _frequency(self, mode: int, damages: Sequence[Damage]) -> Vector:
        conditions = self._conditions
        warmer = self._uniform_c() - _REFERENCE_C
        frozen = np.maximum(0.0, -conditions.top_c)
        stiffness = 1 - _SOFTER_PER_K * warmer + _FROZEN_PER_K * np.minimum(frozen, 12)
        intact_hz = self._intact.frequencies_hz[mode]
        change = sum(
            (
                d.course * (DeckModel(_damaged(self._design, d)).frequencies_hz[mode] / intact_hz - 1)
                for d in damages
                if d.kind in {"stiffness-loss", "cable-loss", "scour"}
            ),
            np.zeros(len(warmer)),
        )
        heavier = 0.002 * conditions.traffic + 0.0015 * conditions.moisture
        swings: Vector = intact_hz * np.sqrt(stiffness) * (1 + change) * (1 - heavier)
        return swings

    def _uniform_c(self) -> Vector:
        """The mean temperature of the cross-section."""
        uniform: Vector = 0.3 * self._conditions.top_c + 0.2 * self._conditions.bottom_c + 0.5 * self._conditions.core_c
        return uniform

    def _scatter(self, gauge: Gauge) -> float:
        """Standard deviation of a reading: an hour's mean of an ordinary instrument."""
        if gauge.quantity.startswith("spectral_peak"):
            return 0.004 * float(self._intact.frequencies_hz[int(gauge.quantity.rsplit("_", 1)[1]) - 1])
        return {
            "strain": 1.2,
            "deflection": 0.35,
            "displacement": 0.4,
            "tilt": 0.0015,
            "crack_width": 0.004,
            "cable_force": 9.0,
            "acceleration_rms": 0.0012,
            "acceleration_peak": 0.03,
            "scour_depth": 0.06,
            "wind_speed": 0.3,
            "humidity": 1.5,
        }.get(gauge.quantity, 0.15)

    @staticmethod
    def _stuck_at(damages: Sequence[Damage]) -> int:
        return next((d.index for d in damages if d.kind == "bearing-stuck"), -1)


def _damaged(design: DeckDesign, damage: Damage) -> DeckDesign:
    if damage.kind == "stiffness-loss":
        return design.with_stiffness_loss(damage.index, damage.size / 100)
    if damage.kind == "scour":
        return design.with_scour(damage.index, damage.size / 100)
    if damage.kind == "cable-loss":
        return design.without_cable(damage.index)
    return design


def _held(course: Vector, stuck: Vector) -> Vector:
    """The value a course had when it got stuck; itself where it is not."""
    begun = np.flatnonzero(stuck > 0)
    held = course.copy()
    if len(begun):
        held[begun[0] :] = course[begun[0]]
    return held
