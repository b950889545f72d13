"""What the public would have been told in an exercise: a CAP message with status ``Exercise`` that goes nowhere."""

from datetime import timedelta

from services.core.asset import Asset
from services.core.cap_alert import CapAlert, CapArea, CapStatus, certainty_of, named, urgency_of, write_message
from services.core.geometry import centre
from services.core.incident import Incident
from services.core.response_plan import PlanActivation, marked
from services.core.severity import Severity
from services.core.text import Text
from services.core.weather_warning import MessageType

_LASTS = timedelta(hours=4)
_SEVERITY = Severity.MAJOR
"""An exercise has no alert that would be graded; its plan is played as for a major one."""


def exercise_message(
    activation: PlanActivation, incident: Incident, message: Text, asset: Asset | None, city: str
) -> str:
    """The message as XML; every headline, description and instruction says that it is an exercise."""
    name = Text(incident.asset, incident.asset) if asset is None else asset.name
    circles = [] if asset is None else [(*centre(asset.geometry), activation.exclusion_radius_m / 1000)]
    said = marked(message, is_exercise=True)
    return write_message(
        CapAlert(
            identifier=f"{named(city)}-{activation.id}",
            sender=named(f"lifeline.{city}"),
            sent=activation.activated_at.replace(microsecond=0),
            status=CapStatus.EXERCISE,
            message_type=MessageType.ALERT,
            references=(),
            event=activation.title,
            urgency=urgency_of(_SEVERITY, MessageType.ALERT),
            severity=_SEVERITY,
            certainty=certainty_of(_SEVERITY, is_confirmed=False),
            onset=activation.activated_at.replace(microsecond=0),
            expires=activation.activated_at.replace(microsecond=0) + _LASTS,
            sender_name=Text(f"Lifeline {city}", f"城市生命线 {city}"),
            headline=activation.title,
            description=said,
            instruction=said,
            web=None,
            parameters={},
            areas=(CapArea(name, circles=circles),),
        )
    )
