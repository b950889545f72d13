"""What stands on the streets where water collects: the roads themselves, underpasses, entrances of the metro."""

from simulators.city import Words
from simulators.demo_city.draft import Draft, Place
from simulators.demo_city.drainage import CATCHMENTS, LOW_POINTS, OWNER
from simulators.demo_city.streets import Crossing, StreetPlan
from simulators.demo_city.water import LEAKING_STREET

_METRO = {
    "LP-04": Words("Central Avenue metro, entrance B", "中央大道地铁站B口"),
    "LP-06": Words("Railway Station metro, entrance A", "火车站地铁站A口"),
    "LP-13": Words("Foundry Hospital metro, entrance C", "铸造厂医院地铁站C口"),
}
_METRO_BESIDE_M = (-30.0, 22.0)


def lay_street_level(plan: StreetPlan, draft: Draft) -> None:
    """Add a road for each low point, and what lies beside some of them."""
    numbered = [(zone, crossing, name) for zone in CATCHMENTS for crossing, name in LOW_POINTS[zone]]
    for number, (zone, crossing, name) in enumerate(numbered, start=1):
        place = Place("drainage", zone, OWNER)
        east, north = plan.crossings[crossing]
        ways = [street for street in plan.streets if crossing in street]
        far = [plan.crossings[_other(street, crossing)] for street in ways[:2]]
        street = plan.name(ways[0])
        draft.add(
            place,
            f"RD-{number:02d}",
            "road",
            Words(f"{street.en} at {name.en}", f"{street.zh}（{name.zh}段）"),
            points=(far[0], (east, north), *far[1:]),
            facts={},
        )
        if "nderpass" in name.en:
            draft.add(place, f"UP-{number:02d}", "underpass", name, points=((east + 26, north + 14),), facts={})
        low_point = f"LP-{number:02d}"
        if low_point in _METRO:
            beside = (east + _METRO_BESIDE_M[0], north + _METRO_BESIDE_M[1])
            draft.add(place, f"ME-{number:02d}", "metro-entrance", _METRO[low_point], points=(beside,), facts={})
    _lay_story_road(plan, draft, len(numbered) + 1)


def _lay_story_road(plan: StreetPlan, draft: Draft, number: int) -> None:
    """The road above the main that bursts, which leads to the Old Wharf underpass."""
    place = Place("drainage", "D3", OWNER)
    name = plan.name(LEAKING_STREET)
    points = tuple(plan.crossings[crossing] for crossing in LEAKING_STREET)
    draft.add(place, f"RD-{number:02d}", "road", name, points=points, facts={})


def _other(street: tuple[Crossing, Crossing], crossing: Crossing) -> Crossing:
    return street[1] if street[0] == crossing else street[0]
