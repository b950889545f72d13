"""Who is told. Pure: organisations and receivers in, receivers out."""

from collections.abc import Collection, Iterable, Mapping

from services.core.lifeline import Lifeline
from services.core.organisation import Organisation, OrganisationRole, Receiver
from services.core.severity import Severity

# A default, after the practice described for flood plans: the owner always, the regulator from orange on, the
# emergency bureau at red. No published matrix for lifelines was found.
_TOLD_FROM: Mapping[OrganisationRole, Severity] = {
    OrganisationRole.CENTRE: Severity.MINOR,
    OrganisationRole.OWNER: Severity.MINOR,
    OrganisationRole.REGULATOR: Severity.MAJOR,
    OrganisationRole.EMERGENCY: Severity.CRITICAL,
}


def recipients(
    receivers: Iterable[Receiver],
    organisations: Mapping[str, Organisation],
    *,
    lifeline: Lifeline,
    severity: Severity,
    responsible: str | None,
    roles: Collection[OrganisationRole] | None = None,
) -> list[Receiver]:
    """The receivers to tell about a warning or an order.

    Of the owners only the responsible one is told; the other roles are told when they answer for the lifeline. Where
    ``roles`` are given, these are told whatever the severity from which they usually are.
    """
    chosen = []
    for receiver in receivers:
        organisation = organisations[receiver.organisation]
        usually = _TOLD_FROM[organisation.role] if roles is None else Severity.NORMAL
        if severity < max(usually, receiver.minimum_severity) or organisation.role not in (roles or OrganisationRole):
            continue
        if organisation.id == responsible or (
            organisation.role is not OrganisationRole.OWNER and lifeline in organisation.lifelines
        ):
            chosen.append(receiver)
    return chosen
