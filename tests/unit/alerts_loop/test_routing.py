"""Who is told: role, severity, lifeline and owner decide."""

from itertools import product

import pytest

from services.alerts.notify.routing import recipients
from services.core.lifeline import Lifeline
from services.core.organisation import Organisation, OrganisationRole, Receiver
from services.core.severity import Severity
from services.core.text import Text

TOLD_FROM = {"centre": 1, "owner": 1, "regulator": 3, "emergency": 4}


def _organisation(identifier: str, role: str, *lifelines: Lifeline) -> Organisation:
    return Organisation(identifier, Text(identifier, identifier), OrganisationRole(role), frozenset(lifelines))


def _told(
    organisation: Organisation, lifeline: Lifeline, severity: int, responsible: str | None, least: int = 0
) -> bool:
    receiver = Receiver("r", organisation.id, "https://example.org", "whsec_", least)
    chosen = recipients(
        [receiver],
        {organisation.id: organisation},
        lifeline=lifeline,
        severity=Severity(severity),
        responsible=responsible,
    )
    return chosen == [receiver]


@pytest.mark.parametrize(
    ("role", "severity", "lifeline", "responsible"),
    list(product(TOLD_FROM, range(5), (Lifeline.GAS, Lifeline.WATER), (True, False))),
)
def test_the_whole_matrix_of_role_severity_lifeline_and_owner(
    role: str, severity: int, lifeline: Lifeline, *, responsible: bool
) -> None:
    organisation = _organisation("one", role, Lifeline.GAS)
    concerned = responsible or (role != "owner" and lifeline is Lifeline.GAS)
    expected = concerned and severity >= TOLD_FROM[role]
    assert _told(organisation, lifeline, severity, "one" if responsible else "another") == expected


def test_a_receiver_that_asks_for_less_is_told_less_but_never_more() -> None:
    owner = _organisation("owner", "owner", Lifeline.GAS)
    emergency = _organisation("bureau", "emergency", Lifeline.GAS)
    assert [_told(owner, Lifeline.GAS, severity, "owner", least=3) for severity in range(5)] == [False] * 3 + [True] * 2
    assert [_told(emergency, Lifeline.GAS, severity, None, least=1) for severity in range(5)] == [False] * 4 + [True]


def test_without_a_responsible_organisation_no_owner_is_told_and_the_centre_is() -> None:
    assert not _told(_organisation("owner", "owner", Lifeline.GAS), Lifeline.GAS, 4, None)
    assert _told(_organisation("centre", "centre", Lifeline.GAS), Lifeline.GAS, 4, None)


def test_every_receiver_of_an_organisation_is_told_once_and_in_order() -> None:
    owner = _organisation("owner", "owner", Lifeline.GAS)
    receivers = [Receiver(name, "owner", "https://example.org", "whsec_", 0) for name in ("a", "b", "c")]
    chosen = recipients(
        receivers, {"owner": owner}, lifeline=Lifeline.GAS, severity=Severity.MINOR, responsible="owner"
    )
    assert chosen == receivers
