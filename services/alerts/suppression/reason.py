"""Which reason, if any, keeps an alert quiet. Pure."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from services.core.alert import Alert
from services.core.inhibition import Inhibition
from services.core.severity import Severity
from services.core.silence import Silence, SilenceKind
from services.core.suppression import Suppression, SuppressionKind
from services.core.text import Text

CHATTERS_FROM = 4
"""Returns of one alert within an hour of each other from which it counts as chattering; a default after the practice
of alarm management (three repeats), counted without the first time."""
_CHATTERING = Text(
    "It has come and gone {times} times; it is told again when it gets worse or stays.",
    "该报警已反复出现{times}次；加重或持续时将再次通知。",
)
_CHATTERING_MUTES_TO = Severity.MODERATE


def silenced(alert: Alert, silences: Iterable[Silence], now: datetime) -> tuple[Suppression, Silence] | None:
    """The silence that keeps an alert quiet, the longest lasting one first.

    A silence is about telling people and goes by the clock on the wall; what sensors said during planned works means
    nothing even if it arrives late.
    """
    holding = [
        silence
        for silence in silences
        if alert.severity <= silence.mutes_to
        and (silence.holds_at(now) or (silence.kind is SilenceKind.MAINTENANCE and silence.holds_at(alert.last_at)))
        and silence.matcher.fits(
            lifeline=alert.lifeline, zone=alert.zone, asset=alert.asset, kind=alert.kind, sensors=alert.sensors
        )
    ]
    if not holding:
        return None
    silence = max(holding, key=lambda each: (each.ends_at, each.id))
    is_works = silence.kind is SilenceKind.MAINTENANCE
    kind = SuppressionKind.MAINTENANCE if is_works else SuppressionKind.SILENCE
    words = Text(f"{silence.author}: {silence.reason}", f"{silence.author}：{silence.reason}")
    return Suppression(kind, silence.id, words, silence.mutes_to), silence


def _unknown(_: Alert) -> float | None:
    return None


def explained(
    alert: Alert,
    standing: Iterable[Alert],
    rules: Sequence[Inhibition],
    name_of: Callable[[str], Text],
    apart_m: Callable[[Alert], float | None] = _unknown,
) -> tuple[Suppression, Alert] | None:
    """The alert that explains another, the worst one first.

    ``name_of`` gives the words for an asset, ``apart_m`` how far a cause is from the alert.
    """
    found = [(cause, rule) for cause in standing for rule in rules if rule.explains(cause, alert, apart_m(cause))]
    if not found:
        return None
    cause, rule = min(found, key=lambda pair: (-pair[0].severity, pair[0].detected_at, pair[0].id, pair[1].id))
    name = name_of(cause.asset)
    words = Text(rule.reason.en.format(asset=name.en), rule.reason.zh.format(asset=name.zh))
    return Suppression(SuppressionKind.INHIBITION, cause.id, words, rule.mutes_to), cause


def chattering(alert: Alert) -> Suppression | None:
    """Whether an alert comes and goes too often to be told each time."""
    if alert.reopened < CHATTERS_FROM or alert.severity > _CHATTERING_MUTES_TO:
        return None
    times = str(alert.reopened + 1)
    words = Text(_CHATTERING.en.format(times=times), _CHATTERING.zh.format(times=times))
    return Suppression(SuppressionKind.CHATTERING, None, words, _CHATTERING_MUTES_TO)
