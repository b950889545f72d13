"""A curve on the incident report: one sensor's range over time, with the moments that mattered. Pure SVG."""

from collections.abc import Sequence
from datetime import datetime
from html import escape

from services.core.store.incident_curves import Curve

_WIDTH, _HEIGHT = 720.0, 130.0
_LEFT, _TOP, _BOTTOM = 54.0, 14.0, 20.0


def draw(curve: Curve, moments: Sequence[tuple[datetime, str]], title: str, now: datetime) -> str:
    """The curve as an SVG element; ``moments`` are drawn as numbered lines. Empty without a reading."""
    if not curve.times:
        return ""
    low, high = min(curve.lows), max(curve.highs)
    if high == low:
        low, high = low - 0.5, high + 0.5
    since, until = curve.times[0], curve.times[-1]
    seconds = max((until - since).total_seconds(), 1.0)

    def across(moment: datetime) -> float:
        return _LEFT + (moment - since).total_seconds() / seconds * (_WIDTH - _LEFT - 6)

    def down(value: float) -> float:
        return _TOP + (high - value) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)

    upper = [f"{across(time):.1f},{down(value):.1f}" for time, value in zip(curve.times, curve.highs, strict=True)]
    lower = [f"{across(time):.1f},{down(value):.1f}" for time, value in zip(curve.times, curve.lows, strict=True)]
    band = " ".join([*upper, *reversed(lower)])
    lines = "".join(
        f'<path d="M{across(moment):.1f} {_TOP}V{_HEIGHT - _BOTTOM}" stroke="#b00020" stroke-dasharray="3 3"/>'
        f'<text x="{across(moment) + 2:.1f}" y="{_TOP + 9}" fill="#b00020">{escape(name)}</text>'
        for moment, name in moments
        if since <= moment <= until
    )
    return (
        f'<svg class="curve" viewBox="0 0 {_WIDTH:.0f} {_HEIGHT:.0f}" role="img" aria-label="{escape(title)}">'
        f'<path d="M{_LEFT} {_TOP}V{_HEIGHT - _BOTTOM}H{_WIDTH - 6}" fill="none" stroke="#777"/>'
        f'<text x="{_LEFT - 4}" y="{_TOP + 8}" text-anchor="end">{high:.4g}</text>'
        f'<text x="{_LEFT - 4}" y="{_HEIGHT - _BOTTOM}" text-anchor="end">{low:.4g}</text>'
        f'<text x="{_LEFT}" y="{_HEIGHT - 6}">{since.astimezone(now.tzinfo):%m-%d %H:%M}</text>'
        f'<text x="{_WIDTH - 6}" y="{_HEIGHT - 6}" text-anchor="end">{until.astimezone(now.tzinfo):%m-%d %H:%M}</text>'
        f'<polygon points="{band}" fill="#0b5fa540" stroke="#0b5fa5" stroke-width="1.2"/>{lines}</svg>'
    )
