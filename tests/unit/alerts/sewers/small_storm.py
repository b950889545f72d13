"""What SWMM computes for a small network through dry days and a shower, sound first and then out of order."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

from simulators.physics.sewer_model import Basin, Conduit, Forcing, Manhole, Outfall, Pump, SewerModel, Surface
from simulators.physics.swmm_run import run_swmm
from simulators.physics.swmm_text import swmm_input

START = datetime(2026, 5, 1, tzinfo=UTC)
STEP_S = 300
GAUGES = ("M2", "M5", "M7", "B1")
CHANNELS = [
    ("rain", "rain_intensity", "G", "mm/h", 117.0, 31.8),
    *((f"level-{node}", "manhole_level", node, "m", 117.0, 31.8) for node in GAUGES),
    ("current", "pump_current", "PU1", "A", 117.0, 31.8),
]
Row = tuple[float, dict[str, float]]


def model() -> SewerModel:
    """M1 to M8 in a row, B1 joins at M4; M8 is a wet well from which a pump lifts to a chamber before the river."""
    place = (117.0, 31.8)
    row = [Manhole(f"M{k}", round(20 - 0.3 * k, 2), 3.0, 800, place) for k in range(1, 8)]
    sewers = [Conduit(f"C{k}", f"M{k}", f"M{k + 1}", 100, 0.5 if k < 4 else 0.7) for k in range(1, 8)]
    return SewerModel(
        "small",
        (*row, Manhole("B1", 19.2, 3.0, 800, place), Manhole("CH", 15.2, 6.0, 0, place)),
        (Basin("M8", 17.6, 4.0, 40.0, 0.0, place),),
        (Outfall("O1", 15.0, 15.5, place),),
        (*sewers, Conduit("CB", "B1", "M4", 80, 0.4), Conduit("CO", "CH", "O1", 60, 1.2)),
        (),
        (Pump("PU1", "M8", "CH", 1.2, 0.1, 0.3, 0.8),),
        (),
        tuple(Surface(f"M{k}", "G", 0.8, 0.6) for k in range(1, 9)),
    )


def rows(
    sound_h: int, broken: SewerModel, broken_h: int, foreign: dict[str, float] | None = None, *, grows_h: float = 0.0
) -> Iterator[Row]:
    """Readings every five minutes; a shower in the middle of the sound and one of the other hours.

    ``foreign`` enters the nodes in m3/s once it is broken, at once or growing over ``grows_h``.
    """
    state = b""
    time = START
    for network, hours, extra in ((model(), sound_h, {}), (broken, broken_h, foreign or {})):
        end = time + timedelta(hours=hours)
        shower = time + timedelta(hours=hours // 2)
        rain = ((time, 0.0), *((shower + timedelta(minutes=m), 25.0) for m in range(40)))
        sewage = tuple((time + timedelta(hours=h), 0.002) for h in range(hours + 1))
        area = {f"M{k}": 0.8 for k in range(1, 9)}
        grown = time + timedelta(hours=grows_h or 1 / 60)
        inflow = {
            node: ((time, 0.0016 + flow * (not grows_h)), (grown, flow + 0.0016), (end, flow + 0.0016))
            for node, flow in extra.items()
        }
        forcing = Forcing(time, end, {"G": rain}, sewage, area, inflow)
        series, state = run_swmm(partial(swmm_input, network, forcing), 60, state)
        for minute in range(5, hours * 60 + 1, 5):
            now = time + timedelta(minutes=minute)
            wet = [m for m in range(minute - 5, minute) if 0 <= m - hours // 2 * 60 < 40]
            share = float(series.flow_m3s["PU1"][minute - 1]) / 1.2
            yield (
                now.timestamp(),
                {
                    "rain": 25.0 * len(wet) / 5,
                    "current": 60 * (0.35 + 0.65 * share) if share > 0.005 else 0.4,
                    **{f"level-{node}": float(series.depth_m[node][minute - 1]) for node in GAUGES},
                },
            )
        time = end
