"""What a search tells about the leaks it follows and the sensors it does not believe."""

from dataclasses import replace
from math import isfinite
from typing import Any

import numpy as np

from services.alerts.detectors.contract import Claim, Suspect
from services.alerts.hydraulics.epanet_model import Array
from services.alerts.hydraulics.followed import FollowedLeak
from services.alerts.hydraulics.picture import Picture
from services.core.finding import FindingState
from services.core.severity import Severity

LEAK = "water-leak-located"
SENSOR_OFF = "water-pressure-off-model"
METHOD = "model-leak-search"
_SUSPECTS = 20
_LEAST_SHARE = 0.0005


def suspects(picture: Picture, likely: Array) -> tuple[Suspect, ...]:
    """The likeliest links, best first."""
    order = np.argsort(-likely, kind="stable")[:_SUSPECTS]
    kept = (link for link in order if likely[link] >= _LEAST_SHARE)
    return tuple(Suspect(picture.links[link], round(float(likely[link]), 4)) for link in kept)


def clearest(picture: Picture, asset: str) -> tuple[str, ...]:
    """The pressures that answer most to a leak there."""
    metering = picture.maker.metering
    linear = picture.maker.linear(picture.ledger.entry(picture.ledger.end - 1))
    if linear is None:
        return (picture.columns[metering.pressure[0]],)
    answer = -linear.leak[: len(metering.pressure), picture.link_index[asset]]
    order = np.argsort(-answer, kind="stable")[:4]
    return tuple(picture.columns[metering.pressure[position]] for position in order)


def leak_claim(picture: Picture, leak: FollowedLeak, state: FindingState) -> Claim:
    """What is told about a leak now."""
    expected, measured = _heads(picture, leak)
    seen: dict[str, Any] = {
        "leak_m3h": round(leak.flow_m3h, 2),
        "leak_deviation_m3h": round(leak.flow_deviation_m3h, 2),
        "method": METHOD,
        "expected": expected,
        "measured": measured,
    }
    near = [suspect.asset for suspect in leak.suspects[:3]]
    return Claim(
        outcome=LEAK,
        key=leak.key,
        state=state,
        severity=Severity.NORMAL if state is FindingState.CLEARED else leak.severity,
        score=leak.ratio,
        since_s=leak.since_s,
        columns=leak.columns,
        suspects=leak.suspects,
        expected=expected.get(leak.columns[0]),
        seen=seen,
        fields={"flow": f"{leak.flow_m3h:.1f}", "place": near[0] if near else leak.asset, "places": ", ".join(near)},
    )


def _heads(picture: Picture, leak: FollowedLeak) -> tuple[dict[str, float], dict[str, float]]:
    """What the clearest pressures are and would be without this leak, in their units, in the last block."""
    entry = picture.ledger.entry(picture.ledger.end - 1)
    bare = replace(entry, leaks=tuple(each for each in entry.leaks if each.key != leak.key))
    linear = picture.maker.linear(bare)
    metering = picture.maker.metering
    expected: dict[str, float] = {}
    measured: dict[str, float] = {}
    if linear is not None:
        corrected = linear.modelled + picture.maker.doubts.responses(linear) @ picture.scales().doubts
        for position, column in enumerate(metering.pressure):
            if picture.columns[column] in leak.columns and isfinite(entry.block.mean[column]):
                factor = float(metering.factor[column])
                expected[picture.columns[column]] = round(float(corrected[position]) / factor, 3)
                measured[picture.columns[column]] = round(float(entry.block.mean[column]) / factor, 3)
    return expected, measured


def off_claim(picture: Picture, sensor: str, state: FindingState) -> Claim:
    """What is told about a pressure that the model cannot agree with."""
    ratio, since_s, off_m, _ = picture.muted[sensor]
    asset = picture.maker.metering.channels[picture.columns.index(sensor)].asset
    return Claim(
        outcome=SENSOR_OFF,
        key=f"off-{sensor}-{since_s:.0f}",
        state=state,
        severity=Severity.NORMAL if state is FindingState.CLEARED else Severity.MODERATE,
        score=ratio,
        since_s=since_s,
        columns=(sensor,),
        suspects=(Suspect(asset, 1.0),),
        seen={"offset_m": round(off_m, 3), "method": METHOD},
    )
