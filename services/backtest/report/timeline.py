"""Truth, alerts and scores over time, as one drawing."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from unicodedata import east_asian_width

import numpy as np

from services.backtest.report.judgement import JudgedAlert
from services.backtest.report.markup import Markup, element
from services.backtest.report.result_folder import BINS, BacktestResult, Curve
from services.backtest.report.truth import Trouble
from services.core.text import Text

SEVERITY_COLOURS = {1: "#3b7dd8", 2: "#d9a400", 3: "#e2711d", 4: "#c1272d"}
_FAULT_COLOUR = "#8a8f98"
_TRUTH_COLOUR = "#5b3a8c"
_CURVE_COLOUR = "#2f6f73"
_WIDTH = 1180.0
_LEFT = 275.0
_RIGHT = 12.0
_ROW = 15.0
_GAP = 10.0
_CURVE = 42.0
_MOST_CURVES = 14
_MOST_LINES = 60
_TICKS = 9
_LETTERS = 46
"""What the margin holds."""
_STEPS = tuple(
    timedelta(**step)
    for step in (
        {"seconds": 10}, {"minutes": 1}, {"minutes": 5}, {"minutes": 15}, {"hours": 1}, {"hours": 3}, {"hours": 6},
        {"days": 1}, {"days": 2}, {"days": 7}, {"days": 14}, {"days": 30}, {"days": 60}, {"days": 91},
        {"days": 182}, {"days": 365},
        {"days": 730},
    )
)  # fmt: skip


class _Axis:
    """Time from left to right."""

    def __init__(self, begin: datetime, end: datetime) -> None:
        self.begin = begin
        self.end = end
        self._length_s = max((end - begin).total_seconds(), 1.0)

    def x(self, moment: datetime) -> float:
        share = (moment - self.begin).total_seconds() / self._length_s
        return _LEFT + min(max(share, 0.0), 1.0) * (_WIDTH - _LEFT - _RIGHT)

    def ticks(self) -> Iterator[datetime]:
        length = self.end - self.begin
        step = next((step for step in _STEPS if length / step <= _TICKS), _STEPS[-1])
        origin = self.begin.replace(hour=0, minute=0, second=0, microsecond=0)
        moment = origin + -(-(self.begin - origin) // step) * step
        while moment <= self.end:
            yield moment
            moment += step


def timeline(result: BacktestResult, alerts: Sequence[JudgedAlert], troubles: Sequence[Trouble]) -> Markup:
    """The drawing: a lane for each trouble, one for each kind of alert at each place, one for each score."""
    axis = _Axis(result.shown_from, result.end)
    lanes: list[Markup] = []
    y = _GAP
    for title, drawn in (
        (Text("Truth", "真值"), _troubles(troubles, axis)),
        (Text("Alerts", "报警"), _alerts(alerts, axis)),
        (Text("Scores", "得分"), _scores(result.curves, alerts)),
    ):
        rows = list(drawn)
        if not rows:
            continue
        y += _ROW
        lanes.append(element("text", f"{title.en} {title.zh}", x=4, y=y, class_="lane-title"))
        y += _GAP / 2
        for height, label, marks in rows:
            lanes.append(element("g", _label(label, height), *marks, transform=f"translate(0 {y:.1f})"))
            y += height
        y += _GAP
    grid = [element("line", x1=axis.x(tick), x2=axis.x(tick), y1=_GAP, y2=y, class_="grid") for tick in axis.ticks()]
    form = "%Y-%m-%d" if axis.end - axis.begin > timedelta(days=4) else "%m-%d %H:%M:%S"
    names = [_tick(tick.strftime(form), axis.x(tick), y + _ROW) for tick in axis.ticks()]
    scored = result.summary.get("learn_until")
    if scored is not None:
        x = axis.x(datetime.fromisoformat(scored))
        grid.append(element("rect", x=_LEFT, y=_GAP, width=max(x - _LEFT, 0.0), height=y - _GAP, class_="learning"))
    height = y + 1.5 * _ROW
    return element("svg", *grid, *lanes, *names, viewBox=f"0 0 {_WIDTH:.0f} {height:.0f}", class_="timeline")


def _tick(name: str, x: float, y: float) -> Markup:
    anchor = "end" if x > _WIDTH - 4 * _RIGHT else "middle"
    return element("text", name, x=x, y=y, class_="tick", text_anchor=anchor)


_Lane = tuple[float, str, list[Markup]]


def _label(text: str, height: float) -> Markup:
    return element("text", _fitting(text), element("title", text), x=_LEFT - 6, y=height / 2 + 4, class_="label")


def _fitting(text: str) -> str:
    """The beginning that fits into the margin; a Chinese character is as wide as two letters."""
    room = _LETTERS
    for position, letter in enumerate(text):
        room -= 2 if east_asian_width(letter) in "WF" else 1
        if room < 0:
            return f"{text[: position - 1]}…"
    return text


def _troubles(troubles: Sequence[Trouble], axis: _Axis) -> Iterator[_Lane]:
    for trouble in troubles[:_MOST_LINES]:
        title = element("title", f"{trouble.id}: {trouble.start:%F %R} – {trouble.end:%F %R}")
        x = axis.x(trouble.start)
        bar = element(
            "rect", title, x=x, y=3, width=max(axis.x(trouble.end) - x, 2.0), height=_ROW - 5, fill=_TRUTH_COLOUR
        )
        place = f" @ {trouble.asset}" if trouble.asset else ""
        yield _ROW, f"{trouble.id} {trouble.kind}{place}", [bar]


def _alerts(alerts: Iterable[JudgedAlert], axis: _Axis) -> Iterator[_Lane]:
    lanes: dict[str, list[JudgedAlert]] = {}
    for judged in alerts:
        alert = judged.alert
        where = f" · {alert.sensors[0]}" if alert.sensors and not alert.is_fault else ""
        lanes.setdefault(f"{alert.label.en} {alert.label.zh}{where}", []).append(judged)
    shown = sorted(lanes.items(), key=lambda lane: (lane[1][0].alert.is_fault, lane[1][0].alert.detected_at))
    for name, members in shown[:_MOST_LINES]:
        yield _ROW, name, [_alert(judged, axis) for judged in members]
    if len(shown) > _MOST_LINES:
        yield _ROW, f"+ {len(shown) - _MOST_LINES} …", []


def _alert(judged: JudgedAlert, axis: _Axis) -> Markup:
    alert = judged.alert
    colour = _FAULT_COLOUR if alert.is_fault else SEVERITY_COLOURS.get(alert.severity, _FAULT_COLOUR)
    x, end = axis.x(alert.detected_at), axis.x(alert.cleared_at or axis.end)
    title = element("title", f"{alert.detected_at:%F %R} {alert.explanation.en} {alert.explanation.zh}")
    bar = element("rect", x=x, y=4, width=max(end - x, 1.0), height=_ROW - 7, fill=colour, opacity=0.45)
    mark = element("rect", x=x - 1.5, y=1, width=3, height=_ROW - 2, fill=colour)
    ring = element("circle", cx=x, cy=_ROW / 2, r=5, class_="false") if judged.is_false else Markup("")
    return element("g", title, bar, mark, ring)


def _scores(curves: Sequence[Curve], alerts: Iterable[JudgedAlert]) -> Iterator[_Lane]:
    speaking = {sensor for judged in alerts for sensor in judged.alert.sensors}

    def prominence(curve: Curve) -> tuple[bool, bool, str]:
        sensor, _, rule = curve.target.partition(":")
        return sensor != "zone", sensor not in speaking, rule + sensor

    for curve in sorted(curves, key=prominence)[:_MOST_CURVES]:
        high = float(np.nanmax(curve.values))
        low = min(float(np.nanmin(curve.values)), 0.0)
        span = high - low if high > low else 1.0
        step = (_WIDTH - _LEFT - _RIGHT) / BINS
        base = _CURVE - 4
        points: list[str] = []
        pen = "M"
        for position, value in enumerate(curve.values):
            if np.isnan(value):
                pen = "M"
                continue
            points.append(f"{pen}{_LEFT + position * step:.1f} {base - (value - low) / span * (base - 4):.1f}")
            pen = "L"
        line = element("path", d="".join(points), fill="none", stroke=_CURVE_COLOUR, stroke_width=1)
        top = element("text", f"{high:.4g}", x=_WIDTH - _RIGHT, y=10, class_="top")
        ground = element("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=base, y2=base, class_="grid")
        yield _CURVE, curve.target, [ground, line, top]
