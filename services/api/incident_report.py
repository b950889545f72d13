"""The report of one incident: what happened when, where, who decided what, times against deadlines, costs, lessons.

Pure HTML that holds everything in itself: it is printed, kept, or made a PDF by the reader's browser.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from html import escape

from services.api.city_time import in_words, stamp
from services.api.crew_page import Language
from services.api.crew_sketch import Sketch
from services.api.crew_sketch import draw as draw_sketch
from services.api.incident_curve import draw as draw_curve
from services.api.report_words import ACTIONS, STATES, STEPS, WORDS
from services.core.alert import Alert
from services.core.alert_kind import AlertKind
from services.core.asset import Asset
from services.core.field_feedback import Attachment, FieldFeedback
from services.core.incident import Incident, IncidentCost
from services.core.organisation import Organisation
from services.core.response_plan import ActivatedStep, PlanActivation
from services.core.severity import label
from services.core.store.audit import AuditEntry
from services.core.store.incident_curves import Curve
from services.core.store.order_marks import Supervision
from services.core.store.order_moves import OrderStep
from services.core.text import Text
from services.core.work_order import WorkOrder

_STYLE = """
@page { size: A4; margin: 12mm }
body { font: 12px/1.45 "Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", sans-serif; color: #111;
  max-width: 186mm; margin: 6mm auto }
h1 { font-size: 20px; margin: 0 0 2px } h2 { font-size: 14px; margin: 12px 0 4px; border-bottom: 1px solid #999;
  break-after: avoid }
p { margin: 3px 0 } table { border-collapse: collapse; width: 100% } td, th { border: 1px solid #bbb; padding: 2px 5px;
  text-align: left; vertical-align: top } th { background: #eee; font-weight: 600; white-space: nowrap }
tr { break-inside: avoid }
.exercise { border: 3px solid #b00020; color: #b00020; font-size: 18px; font-weight: 700; text-align: center;
  padding: 3px } .late { color: #b00020; font-weight: 700 } .small { color: #444; font-size: 10.5px }
.sketch, .curve { width: 100% } svg text { font-size: 11px; font-family: inherit } .words { white-space: pre-wrap }
figure { margin: 6px 0; break-inside: avoid } figcaption { font-weight: 600 }
"""


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """All that the report tells; everything in order of time."""

    incident: Incident
    alerts: Sequence[Alert]
    kinds: Mapping[tuple[str, str], AlertKind]
    assets: Mapping[str, Asset]
    orders: Sequence[WorkOrder]
    steps: Sequence[OrderStep]
    feedback: Sequence[FieldFeedback]
    attachments: Sequence[Attachment]
    supervisions: Sequence[Supervision]
    activations: Sequence[PlanActivation]
    trail: Sequence[AuditEntry]
    costs: Sequence[IncidentCost]
    curves: Sequence[Curve]
    organisations: Mapping[str, Organisation]
    now: datetime


class _Speaker:
    """Says things in one language, safe in HTML."""

    def __init__(self, language: Language, now: datetime) -> None:
        self._language = language
        self._now = now

    def time(self, moment: datetime) -> str:
        return in_words(moment, self._now, seconds=True)

    def say(self, text: Text | str | None) -> str:
        if text is None:
            return ""
        return escape(text if isinstance(text, str) else text.zh if self._language == "zh" else text.en)

    def word(self, name: str) -> str:
        return self.say(WORDS[name])


def incident_report(facts: ReportFacts, language: Language) -> str:
    """The report as a whole HTML document."""
    speaker = _Speaker(language, facts.now)
    incident = facts.incident
    title = f"{speaker.word('report')}: {speaker.say(incident.title)}"
    state = speaker.word("running") if incident.closed_at is None else speaker.word("closed")
    body = [
        f'<p class="exercise">{speaker.word("exercise")}</p>' if incident.is_exercise else "",
        f"<h1>{title}</h1>",
        f'<p class="small">{incident.id} · {speaker.word("as_of")} {stamp(facts.now, seconds=True)} · {state}</p>',
        _summary(facts, speaker),
        _alerts(facts, speaker),
        _map(facts, speaker),
        _curves(facts, speaker),
        _deadlines(facts, speaker),
        _timeline(facts, speaker),
        _field(facts, speaker),
        _plans(facts, speaker),
        _supervision(facts, speaker),
        _costs(facts, speaker),
        _lessons(facts, speaker),
    ]
    return (
        f'<!doctype html><html lang="{"zh-CN" if language == "zh" else "en"}"><head><meta charset="utf-8">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body>{''.join(body)}</body></html>"
    )


def _section(speaker: _Speaker, name: str, content: str) -> str:
    none = f"<p>{speaker.word('none')}</p>"
    return f"<section><h2>{speaker.word(name)}</h2>{content or none}</section>"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of cells that are HTML already; empty without rows."""
    if not rows:
        return ""
    titles = "".join(f"<th>{cell}</th>" for cell in head)
    lines = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{titles}</tr></thead><tbody>{lines}</tbody></table>"


def _heads(speaker: _Speaker, *names: str) -> list[str]:
    return [speaker.word(name) for name in names]


def _summary(facts: ReportFacts, speaker: _Speaker) -> str:
    incident = facts.incident
    asset = facts.assets.get(incident.asset)
    place = incident.asset if asset is None else asset.name
    lasted = _span((incident.closed_at or facts.now) - incident.opened_at)
    bodies = dict.fromkeys(order.organisation for order in facts.orders if order.organisation)
    named = [speaker.say(facts.organisations[name].name if name in facts.organisations else name) for name in bodies]
    rows = [
        (speaker.word("place"), speaker.say(place)),
        (speaker.word("opened"), f"{speaker.time(incident.opened_at)} ({speaker.say(incident.opened_by)})"),
        (
            speaker.word("ended"),
            speaker.word("not_ended").format(lasted=lasted)
            if incident.closed_at is None
            else f"{speaker.time(incident.closed_at)} · {lasted}",
        ),
        *(
            [(speaker.word("still_open"), "<br>".join(_still_open(facts, speaker)))]
            if incident.closed_at is None
            else []
        ),
        (speaker.word("organisations"), ", ".join(named) or "—"),
    ]
    return "<table>" + "".join(f"<tr><th>{name}</th><td>{told}</td></tr>" for name, told in rows) + "</table>"


def _still_open(facts: ReportFacts, speaker: _Speaker) -> list[str]:
    """What keeps an incident from being closed, a line each."""
    orders = [order for order in facts.orders if order.closed_at is None]
    named = "; ".join(f"{speaker.say(order.title)} ({speaker.say(STATES[order.state])})" for order in orders)
    counts = {
        "open_alerts": sum(alert.cleared_at is None for alert in facts.alerts),
        "open_orders": len(orders),
        "open_steps": sum(step.done_at is None for plan in facts.activations for step in plan.steps),
        "open_supervisions": sum(not each.answer for each in facts.supervisions),
    }
    told = [speaker.word(name).format(count=count, named=named) for name, count in counts.items() if count]
    return told or [speaker.word("open_nothing")]


def _alerts(facts: ReportFacts, speaker: _Speaker) -> str:
    rows = []
    for alert in facts.alerts:
        kind = facts.kinds.get((alert.lifeline, alert.kind))
        source = f"{alert.detector} {alert.detector_version}, {alert.rule}"
        rows.append(
            [
                speaker.say(alert.kind if kind is None else kind.label),
                speaker.say(label(alert.highest_severity, alert.scheme)),
                speaker.time(alert.started_at),
                speaker.time(alert.detected_at),
                speaker.word("not_normal") if alert.cleared_at is None else speaker.time(alert.cleared_at),
                f'{speaker.say(alert.explanation)}<br><span class="small">{speaker.say(source)}</span>',
            ]
        )
    return _section(
        speaker, "alerts", _table(_heads(speaker, "kind", "grade", "began", "noticed", "normal", "why"), rows)
    )


def _map(facts: ReportFacts, speaker: _Speaker) -> str:
    traces = [alert.trace for alert in facts.alerts if alert.trace]
    trace = traces[-1] if traces else {}
    gas = trace.get("gas") or {}
    centre = gas.get("centre")
    suspects = {each["asset"]: float(each["probability"]) for each in trace.get("candidates") or []}
    drawn = draw_sketch(
        Sketch(
            assets=tuple(facts.assets.values()),
            suspects=suspects,
            shut=frozenset(trace.get("isolation") or ()),
            sample=[each["asset"] for each in gas.get("next_spaces") or []],
            values={},
            centre=None if centre is None else (centre[0], centre[1]),
            radius_m=gas.get("radius_m"),
            title=WORDS["map"].en,
            focus=frozenset({facts.incident.asset, *suspects}),
        )
    )
    return _section(speaker, "map", drawn)


def _curves(facts: ReportFacts, speaker: _Speaker) -> str:
    moments = [
        (moment, str(number))
        for number, moment in enumerate(
            sorted({m for alert in facts.alerts for m in (alert.started_at, alert.cleared_at) if m is not None}), 1
        )
    ]
    figures = [
        f"<figure><figcaption>{speaker.say(curve.sensor)} · {speaker.say(curve.label)} ({speaker.say(curve.unit)})"
        f"</figcaption>{draw_curve(curve, moments, curve.sensor, facts.now)}</figure>"
        for curve in facts.curves
    ]
    told = " · ".join(f"{name}: {speaker.time(moment)}" for moment, name in moments)
    legend = f'<p class="small">{speaker.word("marks")} {told}</p>' if figures and told else ""
    return _section(speaker, "curves", "".join(figures) + legend)


def _deadlines(facts: ReportFacts, speaker: _Speaker) -> str:
    orders = {order.id: order for order in facts.orders}
    rows = []
    for step in facts.steps:
        order = orders[step.work_order]
        organisation = facts.organisations.get(step.organisation or "")
        late = step.due_at is not None and step.at > step.due_at
        margin = "—" if step.due_at is None else _span(abs(step.at - step.due_at))
        said = "" if step.due_at is None else speaker.word("late" if late else "early")
        rows.append(
            [
                speaker.say(order.title),
                speaker.say((step.organisation or "—") if organisation is None else organisation.name),
                speaker.say(STEPS.get(step.move, Text(step.move, step.move))),
                speaker.time(step.at),
                "—" if step.due_at is None else speaker.time(step.due_at),
                f'<span class="{"late" if late else ""}">{margin} {said}</span>',
                speaker.say(step.actor),
            ]
        )
    heads = _heads(speaker, "order", "organisation", "step", "at", "due", "margin", "who")
    defaults = any(order.rule.is_default for order in facts.orders)
    note = f'<p class="small">{speaker.word("default_deadlines")}</p>' if defaults else ""
    return _section(speaker, "times", _table(heads, rows) + note)


def _timeline(facts: ReportFacts, speaker: _Speaker) -> str:
    rows = [
        [
            speaker.time(line.at),
            speaker.say(ACTIONS.get(line.action, Text(line.action, line.action))),
            speaker.say(line.actor),
            speaker.say(_note(line)),
        ]
        for line in facts.trail
    ]
    return _section(speaker, "decisions", _table(_heads(speaker, "at", "what", "who", "note"), rows))


def _note(line: AuditEntry) -> str:
    after = line.after or {}
    told = [after.get(name) for name in ("note", "reason", "text", "verdict", "verification", "person", "step")]
    return " · ".join(str(each) for each in told if each)


def _field(facts: ReportFacts, speaker: _Speaker) -> str:
    rows = []
    for said in facts.feedback:
        measured = "; ".join(f"{m.quantity} {m.value:g} {m.unit}" for m in said.measurements)
        place = "" if said.position is None else f"{said.position[1]:.5f}, {said.position[0]:.5f}"
        files = [each.name for each in facts.attachments if each.feedback == said.id]
        rows.append(
            [
                speaker.time(said.at),
                speaker.say(said.author),
                f'<span class="words">{speaker.say(said.text)}</span>',
                speaker.say(measured),
                speaker.say(" · ".join([*files, *([place] if place else [])])),
            ]
        )
    rows += [
        [speaker.time(each.at), speaker.say(each.author), speaker.say(each.name), "", f"SHA-256 {each.sha256[:16]}…"]
        for each in facts.attachments
        if each.feedback is None
    ]
    return _section(speaker, "field", _table(_heads(speaker, "at", "who", "what", "measured", "files"), rows))


def _plans(facts: ReportFacts, speaker: _Speaker) -> str:
    parts = []
    for activation in facts.activations:
        rows = [
            [
                str(step.number),
                speaker.say(step.label),
                speaker.say(step.person_name) + (f" ({speaker.say(step.post)})" if step.post else ""),
                speaker.time(step.due_at),
                _done(step, speaker),
                speaker.say(step.done_by),
            ]
            for step in activation.steps
        ]
        heads = _heads(speaker, "number", "what", "post", "due", "done", "who")
        parts.append(
            f"<h3>{speaker.say(activation.title)} · {speaker.word('version')} {activation.plan_version} · "
            f"{speaker.time(activation.activated_at)} {speaker.say(activation.activated_by)}</h3>{_table(heads, rows)}"
        )
    return _section(speaker, "plans", "".join(parts))


def _done(step: ActivatedStep, speaker: _Speaker) -> str:
    if step.done_at is None:
        return f'<span class="late">{speaker.word("open")}</span>'
    return f'<span class="{"late" if step.done_at > step.due_at else ""}">{speaker.time(step.done_at)}</span>'


def _supervision(facts: ReportFacts, speaker: _Speaker) -> str:
    if not facts.supervisions:
        return ""
    rows = [
        [
            speaker.time(each.at),
            speaker.say(each.author),
            speaker.say(each.text),
            speaker.time(each.due_at),
            speaker.say(each.answer) or speaker.word("open"),
        ]
        for each in facts.supervisions
    ]
    return _section(speaker, "supervision", _table(_heads(speaker, "at", "who", "what", "due", "answer"), rows))


def _costs(facts: ReportFacts, speaker: _Speaker) -> str:
    totals: dict[str, Decimal] = {}
    for cost in facts.costs:
        totals[cost.currency] = totals.get(cost.currency, Decimal(0)) + cost.amount
    rows = [
        [
            speaker.say(cost.label),
            f"{cost.amount:,.2f} {cost.currency}",
            speaker.say(cost.author),
            speaker.time(cost.at),
        ]
        for cost in facts.costs
    ]
    rows += [
        [f"<b>{speaker.word('total')}</b>", f"<b>{amount:,.2f} {currency}</b>", "", ""]
        for currency, amount in sorted(totals.items())
    ]
    return _section(speaker, "costs", _table(_heads(speaker, "what", "amount", "who", "at"), rows))


def _lessons(facts: ReportFacts, speaker: _Speaker) -> str:
    incident = facts.incident
    told = f'<p class="words">{speaker.say(incident.lessons)}</p>' if incident.lessons else ""
    by = f'<p class="small">{speaker.say(incident.lessons_by)}</p>' if incident.lessons_by else ""
    return _section(speaker, "lessons", told + by)


def _span(span: timedelta) -> str:
    minutes, seconds = divmod(int(span.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}"
