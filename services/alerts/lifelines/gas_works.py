"""Digging beside gas mains: vibration where nobody has a permit."""

from datetime import timedelta

from services.alerts.detectors.contract import SearchDetector
from services.alerts.gas.works_search import WorksSearch
from services.alerts.lifelines.contract import Rule, SearchRule, Site
from services.core.alert_kind import AlertKind
from services.core.lifeline import Lifeline
from services.core.severity import Scheme
from services.core.text import Text

UNPERMITTED = Rule(
    name="gas-works-unpermitted",
    kind=AlertKind(
        lifeline=Lifeline.GAS,
        kind="works-unpermitted",
        label=Text("Works without a permit", "未报备施工"),
        instruction=Text(
            "Send somebody at once, stop the works, show where the main lies; look for gas before they go on.",
            "立即派人到场制止施工，交底管线位置；复工前检测燃气浓度。",
        ),
        scheme=Scheme.EMERGENCY,
        sensor_fault=False,
        publishes_from=None,
    ),
    raised=Text(
        "The ground beside {place} shakes at {value} {unit} (usual: {expected} {unit}) and nobody has a permit"
        " there{near}.",
        "{place}旁地面振动{value} {unit}（平时{expected} {unit}），该处无施工报备{near}。",
    ),
    cleared=Text(
        "The ground beside {place} has been quiet again, after {lasting}.",
        "{place}旁地面已恢复平静，历时{lasting}。",
    ),
)


def works_search(site: Site) -> SearchDetector | None:
    """The search for unpermitted works; ``None`` where no device listens to the ground."""
    channels = [(s.id, s.quantity, s.asset, s.longitude, s.latitude) for s in site.sensors]
    permits = [
        (p.start.timestamp(), p.end.timestamp(), p.longitude, p.latitude, p.radius_m) for p in site.surroundings.works
    ]
    search = WorksSearch(channels, permits)
    return search if search.watches else None


GAS_WORKS = SearchRule(
    name="gas-works",
    outcomes=(UNPERMITTED,),
    quantities=("ground_vibration", "methane", "methane_volume"),
    detector=works_search,
    fields=frozenset({"near", "place"}),
    step=timedelta(minutes=5),
)
