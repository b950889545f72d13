"""A small town whose network has a model: what its gauges and its inlet show, and a burst in it."""

from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType

import numpy as np

from services.alerts.hydraulics.epanet_model import EpanetModel
from services.alerts.hydraulics.leak_search import LEAK, SENSOR_OFF
from tests.contract.detector_examples import DAY_S, STEP_S, Example, Row, Stream
from tests.unit.alerts.hydraulics.small_network import CHANNELS, MONDAY_S, SENSORS, WEEK_S, network_text

_KPA = 9.80665
_BURST_M3H = 25.0
_BURST = "east2_2"
_COLUMNS = tuple(channel[0] for channel in CHANNELS)
_NO_CUSTOMERS = tuple(channel for channel in CHANNELS if channel[1] != "demand")


def _town(days: float, start_s: float, *, bursts: bool, columns: tuple[str, ...]) -> Stream:
    model = EpanetModel(network_text())
    rng = np.random.default_rng(int(start_s) % 1000 + 5)
    told = []
    for step in range(int(days * DAY_S / STEP_S)):
        time_s = start_s + step * STEP_S
        drawn = model.demand_at(time_s % WEEK_S) * rng.normal(1.0, 0.03, len(model.nodes))
        customer_l_h = float(drawn[model.node_index["n0_0"]]) * 1000
        if bursts:
            drawn = model.with_leak(drawn, _BURST, _BURST_M3H)
        state = model.solve(drawn)
        shown = {f"P.{node}": float(state.pressure_m[model.node_index[node]]) * _KPA for node in SENSORS}
        shown = {name: kpa + float(rng.normal(0, 0.3)) for name, kpa in shown.items()}
        shown |= {"D.n0_0": customer_l_h, "Q.inlet": float(state.flow_m3h[model.link_index["inlet"]]) / 3.6}
        told.append((MONDAY_S + time_s, tuple(shown[name] for name in columns)))
    return tuple(told)


def _streams(columns: tuple[str, ...]) -> dict[str, object]:
    @cache
    def normal(days: float, start_s: float = 0.0) -> Stream:
        return _town(days, start_s, bursts=False, columns=columns)

    def fault(usual: Stream) -> Iterable[Row]:
        """The same hours with a burst."""
        begins_s, days = usual[0][0] - MONDAY_S, len(usual) * STEP_S / DAY_S
        return _town(days, begins_s, bursts=True, columns=columns)

    return {"normal": normal, "fault": fault, "columns": columns}


_BURST_OUTCOMES = (
    "water-burst-located",
    "water-draw-unusual",
    "water-valve-moved",
    "water-gauge-off-model",
    "water-meter-off-model",
    "water-source-head-changed",
    "water-night-draw",
)

EXAMPLES: Mapping[str, Example] = MappingProxyType(
    {
        "burst-search": Example(
            {"network": network_text(), "channels": _NO_CUSTOMERS},
            outcomes=_BURST_OUTCOMES,
            days=5.0,
            full_days=4.0,
            **_streams(tuple(channel[0] for channel in _NO_CUSTOMERS)),  # type: ignore[arg-type]
        ),
        "model-leak-search": Example(
            {"network": network_text(), "channels": CHANNELS, "learn_until_s": MONDAY_S + 2 * DAY_S},
            outcomes=(LEAK, SENSOR_OFF),
            days=5.0,
            full_days=8.0,
            most_growth=4.0,
            slow=True,
            **_streams(_COLUMNS),  # type: ignore[arg-type]
        ),
    }
)
