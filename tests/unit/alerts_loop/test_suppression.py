"""Which reason keeps an alert quiet, and what none may keep quiet."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.alerts import lifelines
from services.alerts.alert_merge import reopened
from services.alerts.suppression.default_inhibitions import default_inhibitions
from services.alerts.suppression.reason import CHATTERS_FROM, chattering, explained, silenced
from services.core.alert import Alert, AlertState
from services.core.inhibition import Inhibition, Reach
from services.core.lifeline import Lifeline
from services.core.report import POWER_OUT
from services.core.severity import Severity
from services.core.silence import Matcher, Silence, SilenceKind
from services.core.suppression import Suppression, SuppressionKind
from services.core.text import Text
from tests.unit.alerts_loop.findings_made import NOW, START, alert

RULES = default_inhibitions(lifelines.discover().values())


def _silence(**changes: Any) -> Silence:
    fields: dict[str, Any] = {
        "id": uuid4(),
        "kind": SilenceKind.SILENCE,
        "matcher": Matcher(zone="G1"),
        "starts_at": NOW - timedelta(minutes=1),
        "ends_at": NOW + timedelta(hours=1),
        "recurrence": None,
        "mutes_to": Severity.MAJOR,
        "records": True,
        "reason": "known",
        "author": "duty officer",
        "created_at": NOW,
    }
    return Silence(**(fields | changes))


def _water(kind: str, severity: int = 2, **changes: Any) -> Alert:
    return replace(alert(severity), id=uuid4(), lifeline=Lifeline.WATER, kind=kind, zone="W1", asset="WJ-1", **changes)


def _explained(effect: Alert, standing: Iterable[Alert], rules: list[Inhibition] = RULES) -> Suppression | None:
    found = explained(effect, standing, rules, lambda asset: Text(f"asset {asset}", f"设施{asset}"))
    return None if found is None else found[0]


def test_a_silence_keeps_an_alert_quiet_up_to_its_severity() -> None:
    found = silenced(alert(3), [_silence()], NOW)
    assert found is not None
    assert found[0].kind is SuppressionKind.SILENCE
    assert "known" in found[0].reason.en
    assert silenced(alert(4), [_silence()], NOW) is None, "the worst was muted by a silence that may not"
    assert silenced(alert(3), [_silence(matcher=Matcher(zone="G2"))], NOW) is None
    assert silenced(alert(3), [_silence(ends_at=NOW)], NOW) is None


def test_what_sensors_said_during_works_is_quiet_even_if_it_arrives_late() -> None:
    works = {"starts_at": START - timedelta(hours=1), "ends_at": START + timedelta(minutes=30)}
    assert silenced(alert(3), [_silence(kind=SilenceKind.MAINTENANCE, **works)], NOW) is not None
    assert silenced(alert(3), [_silence(**works)], NOW) is None, "a silence is over when the clock says so"


def test_a_leak_explains_low_pressure_and_says_which_leak() -> None:
    leak, low = _water("leak-suspected", 3), _water("pressure-low", sensors=("P-1",))
    found = _explained(low, [leak])
    assert found is not None
    assert found.source == leak.id
    assert found.reason.en == "A leak explains it: asset WJ-1."
    assert _explained(leak, [low]) is None, "an effect explained its cause"
    assert _explained(low, [replace(leak, lifeline=Lifeline.GAS)]) is None


def test_no_explanation_hides_the_worst() -> None:
    leak, low = _water("leak-suspected", 3), _water("pressure-low", 4)
    assert _explained(low, [leak]) is None
    worst = [rule.id for rule in RULES if rule.mutes_to is Severity.CRITICAL]
    assert not worst, f"rules that may hide a danger to life: {worst}"


def test_a_faulty_device_explains_what_it_alone_says() -> None:
    fault = _water("sensor-stuck", 1, sensor_fault=True, sensors=("P-1",))
    assert _explained(_water("pressure-low", sensors=("P-1",)), [fault]) is not None
    assert _explained(_water("pressure-low", sensors=("P-1", "P-2")), [fault]) is None
    assert _explained(_water("sensor-silent", 1, sensor_fault=True, sensors=("P-1",)), [fault]) is None


def test_methane_from_attention_on_is_never_explained_by_a_faulty_device() -> None:
    fault = replace(alert(1), id=uuid4(), kind="sensor-stuck", sensor_fault=True)
    assert _explained(alert(2), [fault]) is None


def test_the_worst_cause_is_named_whatever_the_order() -> None:
    low = _water("pressure-low")
    small, big = _water("leak-suspected", 2), _water("burst-suspected", 3)
    found = {getattr(_explained(low, order), "source", None) for order in ([small, big], [big, small])}
    assert found == {big.id}


def test_an_alert_that_comes_and_goes_is_quiet_until_it_gets_worse() -> None:
    restless = replace(alert(2), reopened=CHATTERS_FROM)
    found = chattering(restless)
    assert found is not None
    assert str(CHATTERS_FROM + 1) in found.reason.en
    assert chattering(replace(restless, severity=Severity.MAJOR)) is None
    assert chattering(replace(restless, reopened=CHATTERS_FROM - 1)) is None


@pytest.mark.parametrize("taken_on", [True, False])
def test_an_episode_that_comes_back_keeps_who_took_it_on(taken_on: bool) -> None:
    over = replace(alert(2), state=AlertState.CLEARED, cleared_at=NOW, acknowledged_at=NOW if taken_on else None)
    back = reopened(over)
    assert back.state is (AlertState.ACKNOWLEDGED if taken_on else AlertState.OPEN)
    assert (back.cleared_at, back.reopened, back.id) == (None, 1, over.id)


def _elsewhere(lifeline: Lifeline, kind: str, severity: int = 2, **changes: Any) -> Alert:
    return replace(alert(severity), id=uuid4(), lifeline=lifeline, kind=kind, zone="elsewhere", **changes)


def _nearby(effect: Alert, cause: Alert, apart_m: float | None) -> Suppression | None:
    found = explained(effect, [cause], RULES, lambda asset: Text(asset, asset), lambda _: apart_m)
    return None if found is None else found[0]


@pytest.mark.parametrize("lifeline", Lifeline)
def test_power_that_is_out_explains_the_silence_of_devices_around_in_every_lifeline(lifeline: Lifeline) -> None:
    out = _elsewhere(Lifeline.DRAINAGE, POWER_OUT, asset="PS-1")
    silent = _elsewhere(lifeline, "gateway-silent", sensor_fault=True)
    found = _nearby(silent, out, 400.0)
    assert found is not None
    assert found.reason.en == "Power is out nearby: PS-1."
    assert _nearby(silent, out, 600.0) is None, "a city without power in one street looked blind everywhere"
    assert _nearby(silent, out, None) is None, "nobody knows where one of them is"
    assert _nearby(_elsewhere(lifeline, "methane-high"), out, 0.0) is None


def test_a_burst_main_explains_water_in_the_street_and_never_a_bridge() -> None:
    burst = _water("burst-suspected", 3)
    assert _nearby(_elsewhere(Lifeline.DRAINAGE, "waterlogging"), burst, 150.0) is not None
    assert _nearby(_elsewhere(Lifeline.DRAINAGE, "waterlogging", 3), burst, 150.0) is None, (
        "a flooded street was hidden"
    )
    assert _nearby(_elsewhere(Lifeline.BRIDGE, "structure-limit"), burst, 0.0) is None


def test_a_rule_as_data_may_lead_from_a_burst_to_a_bridge_or_a_road() -> None:
    rule = Inhibition(
        id="burst-explains-deck",
        lifeline=Lifeline.WATER,
        causes=frozenset({"burst-suspected"}),
        effects=frozenset({"*"}),
        effect_lifelines=frozenset({Lifeline.BRIDGE}),
        reach=Reach.NEARBY,
        within_m=100.0,
        mutes_to=Severity.MODERATE,
        reason=Text("A burst: {asset}.", "爆管：{asset}。"),
    )
    burst, deck = _water("burst-suspected", 3), _elsewhere(Lifeline.BRIDGE, "deflection-high")
    assert rule.explains(burst, deck, 99.0)
    assert not rule.explains(burst, deck, 101.0)
    assert not rule.explains(burst, _water("pressure-low"), 1.0), "effects are the other lifeline's alone"
    assert not rule.explains(burst, replace(deck, severity=Severity.MAJOR), 1.0)


@pytest.mark.parametrize(
    ("reach", "within_m", "across"),
    [(Reach.NEARBY, None, False), (Reach.ZONE, 100.0, False), (Reach.ZONE, None, True), (Reach.ASSET, None, True)],
)
def test_a_rule_that_could_never_be_judged_is_refused(reach: Reach, within_m: float | None, across: bool) -> None:
    with pytest.raises(ValueError, match="inhibition odd"):
        Inhibition(
            id="odd",
            lifeline=Lifeline.WATER,
            causes=frozenset({"a"}),
            effects=frozenset({"b"}),
            effect_lifelines=frozenset({Lifeline.GAS}) if across else frozenset(),
            reach=reach,
            within_m=within_m,
            mutes_to=Severity.MINOR,
            reason=Text("", ""),
        )
