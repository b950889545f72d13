"""The reader understands what SWMM writes and says which section and line it does not."""

import pytest

from services.alerts.sewers.sewer_network import SewerModelError
from services.alerts.sewers.swmm_reader import read_swmm
from services.alerts.sewers.traces import downstream, minutes_above, minutes_below, upstream
from tests.unit.alerts.sewers.small_sewers import sewers


def test_a_network_is_read_with_its_sewers_pumps_and_surfaces() -> None:
    network = read_swmm(sewers(pumped=True))
    assert network.nodes["M8"].is_basin
    assert network.nodes["O1"].outfall_m == 15.5
    assert [device.id for device in network.devices] == ["PU1"]
    assert network.devices[0].points[-1] == (0.8, 1.2)
    assert len(network.surfaces) == 9
    assert network.nodes["M3"].position == (117.003, 31.8)


def test_a_full_sewer_carries_what_manning_says() -> None:
    network = read_swmm(sewers())
    first = network.conduits[0]
    # 0.19635 m2 / 0.013 * 0.125^(2/3) * 0.003^0.5, by hand.
    assert first.full_m3s(network.slopes["C1"]) == pytest.approx(0.2068, rel=1e-3)
    assert network.travel_min["C1"] == pytest.approx(100 / (0.2068 / 0.19635) / 60, rel=1e-3)


def test_feet_become_metres() -> None:
    text = sewers().replace("FLOW_UNITS CMS", "FLOW_UNITS CFS")
    network = read_swmm(text)
    assert network.conduits[0].length_m == pytest.approx(30.48)
    assert network.nodes["M1"].invert_m == pytest.approx(19.7 * 0.3048)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("C3 M3 M4 100", "C3 M3 M99 100", r"\[CONDUITS\], line \d+: C3 ends at 'M99', which is no node"),
        ("C3 M3 M4 100", "C3 M3 M4 long", r"\[CONDUITS\], line \d+: 'long' is not a number"),
        ("C3 CIRCULAR 0.5 0 0 0 1", "", r"conduit C3 has no line in \[XSECTIONS\]"),
        ("S3 G M3", "S3 G nowhere", r"\[SUBCATCHMENTS\], line \d+: .* drains to 'nowhere', which is no node"),
        ("FLOW_UNITS CMS", "FLOW_UNITS BUCKETS", r"\[OPTIONS\], line \d+: 'BUCKETS' is no unit of flow"),
    ],
)
def test_what_is_wrong_is_told_with_its_section_and_line(before: str, after: str, said: str) -> None:
    assert before in sewers()
    with pytest.raises(SewerModelError, match=said):
        read_swmm(sewers().replace(before, after))


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(SewerModelError, match="no nodes"):
        read_swmm("[OPTIONS]\nFLOW_UNITS CMS\n")


def test_traces_follow_the_flow_and_count_minutes() -> None:
    network = read_swmm(sewers())
    assert downstream(network, "M6") == ["C6", "C7", "CO"]
    assert set(upstream(network, "M4")) == {"C1", "C2", "C3", "CB"}
    below = dict(minutes_below(network, "M6", 60))
    assert list(below) == ["M6", "M7", "M8", "O1"]
    assert below["M7"] == pytest.approx(network.travel_min["C6"])
    assert set(dict(minutes_above(network, "M4", 60))) == {"M1", "M2", "M3", "M4", "B1"}
