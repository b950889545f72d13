"""The report of a day: the numbers the centre lives by as one document in both languages, to be printed. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from services.core.duty import Hole
from services.core.severity import Scheme, Severity, label
from services.core.store.alarm_figures import AlarmFigures
from services.core.store.delivery_figures import DeliveryFigures
from services.core.text import Text

_SLICES_AN_HOUR = 6
_SHARES = {Severity.MINOR: 0.80, Severity.MODERATE: 0.15, Severity.MAJOR: 0.05}
"""Of low, middle and high priority, as the practice of alarm management has it (EEMUA 191 as reported; not read). The
two highest grades count as high."""
_STEPS: Mapping[str, Text] = {
    "acknowledged": Text("taken on", "确认"),
    "published": Text("warning published", "预警发布"),
    "received": Text("warning received", "预警接收"),
    "on_site": Text("on site", "到场"),
    "under_control": Text("under control", "受控"),
    "closed": Text("closed", "办结"),
}
_REASONS: Mapping[str, Text] = {
    "silence": Text("silenced", "静默"),
    "maintenance": Text("maintenance", "检修"),
    "inhibition": Text("explained by another alert", "由其他报警解释"),
    "chattering": Text("chattering", "反复"),
}
_STYLE = (
    "body{font:14px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#111}"
    "h1{font-size:1.4rem}h2{font-size:1.05rem;margin:1.6rem 0 .4rem}"
    "table{border-collapse:collapse;width:100%}th,td{border-bottom:1px solid #ccc;padding:.25rem .5rem;text-align:left}"
    "td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}"
    "@media print{body{margin:0;max-width:none}section{break-inside:avoid}}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayReport:
    """What the report tells: of which city and span, how the centre did, how messages arrived, where nobody is on duty.

    ``operators`` is how many were on duty at the centre on average, at least one.
    """

    city: str
    start: datetime
    end: datetime
    figures: AlarmFigures
    deliveries: Sequence[DeliveryFigures]
    holes: Sequence[Hole]
    operators: float
    exercise: bool = False


def title(report: DayReport) -> Text:
    """What the document is called."""
    day = f"{report.start:%Y-%m-%d}"
    return Text(f"Alarm report {report.city} {day}", f"{report.city} 报警日报 {day}")


def written(report: DayReport) -> str:
    """The document: HTML that refers to nothing outside itself, every name in it escaped."""
    heading = title(report)
    span = f"{report.start.isoformat(timespec='minutes')} – {report.end.isoformat(timespec='minutes')}"
    parts = [
        f"<h1>{escape(heading.en)}<br>{escape(heading.zh)}</h1><p>{escape(span)}</p>",
        "<p><strong>Exercise 演练</strong></p>" if report.exercise else "",
        _section(Text("Load on the operators", "值班负荷"), _load(report)),
        _section(Text("Severity", "等级分布"), _severities(report.figures)),
        _section(Text("Kept quiet", "未通知"), _suppressed(report.figures)),
        _section(Text("Noisiest places", "报警最多的点位"), _sources(report.figures)),
        _section(Text("From the alert until", "自报警起至"), _clocks(report.figures)),
        _section(Text("Judged by people", "人工研判"), _verdicts(report.figures)),
        _section(Text("Delivery", "送达"), _delivery(report.deliveries)),
        _section(Text("Nobody on duty, next seven days", "未来七天值班空缺"), _holes(report.holes)),
    ]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(heading.en)}</title>'
        f"<style>{_STYLE}</style></head><body>{''.join(parts)}</body></html>"
    )


def per_operator(figures: AlarmFigures, operators: float) -> float:
    """Told alerts for each operator in ten minutes; one is what a person can take."""
    return figures.per_hour / _SLICES_AN_HOUR / operators


def shares(by_severity: Mapping[int, int]) -> dict[Severity, float]:
    """The share of told alerts of low, middle and high priority (keys: 1, 2, 3); empty where nothing was told."""
    told = sum(by_severity.values())
    if not told:
        return {}
    high = sum(count for severity, count in by_severity.items() if severity >= Severity.MAJOR)
    counts = {
        Severity.MINOR: by_severity.get(Severity.MINOR, 0),
        Severity.MODERATE: by_severity.get(Severity.MODERATE, 0),
        Severity.MAJOR: high,
    }
    return {severity: count / told for severity, count in counts.items()}


def false_alarm_shares(figures: AlarmFigures) -> dict[str, float]:
    """For each detector that anybody judged, the share of its judged alerts that were false."""
    false: dict[str, int] = {}
    judged: dict[str, int] = {}
    for row in figures.verdicts:
        detector = row["detector"]
        false[detector] = false.get(detector, 0) + row["false_alarms"]
        judged[detector] = judged.get(detector, 0) + row["false_alarms"] + row["true_alarms"]
    return {detector: false[detector] / count for detector, count in sorted(judged.items()) if count}


def delivered_share(figures: DeliveryFigures) -> float | None:
    """Delivered messages of those that are settled; ``None`` where none is."""
    settled = figures.delivered + figures.failed
    return figures.delivered / settled if settled else None


def _section(heading: Text, content: str) -> str:
    return f"<section><h2>{escape(heading.en)} · {escape(heading.zh)}</h2>{content}</section>"


def _table(headings: Iterable[Text], rows: Iterable[Sequence[object]]) -> str:
    body = "".join(f"<tr>{''.join(_cell(value) for value in row)}</tr>" for row in rows)
    if not body:
        return "<p>– none · 无 –</p>"
    head = "".join(f"<th>{escape(text.en)}<br>{escape(text.zh)}</th>" for text in headings)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: object) -> str:
    if isinstance(value, Text):
        return f"<td>{escape(value.en)} {escape(value.zh)}</td>"
    if value is None:
        return "<td>–</td>"
    if isinstance(value, float):
        return f'<td class="n">{value:.2f}</td>'
    return f'<td class="n">{value}</td>' if isinstance(value, int) else f"<td>{escape(str(value))}</td>"


def _percent(share: float | None) -> str | None:
    return None if share is None else f"{share:.0%}"


def _load(report: DayReport) -> str:
    figures = report.figures
    rows = [
        (Text("alerts raised", "报警总数"), figures.alerts),
        (Text("told", "已通知"), figures.told),
        (Text("warnings published", "发布预警"), figures.warnings),
        (Text("told per operator and 10 min (aim: 1)", "人均每10分钟（目标1）"), _each(report)),
        (Text("most told within 10 min", "10分钟最多"), figures.busiest),
        (Text("time in flood (over 10 in 10 min)", "报警泛滥时间占比"), _percent(figures.in_flood)),
        (Text("chattering (came back 3 times)", "反复报警"), figures.chattering),
        (Text("standing for over 24 h", "超24小时未消除"), figures.stale),
    ]
    return _table((Text("figure", "指标"), Text("value", "数值")), rows)


def _each(report: DayReport) -> float:
    return per_operator(report.figures, report.operators)


def _severities(figures: AlarmFigures) -> str:
    words = {
        Severity.MINOR: label(Severity.MINOR, Scheme.EMERGENCY),
        Severity.MODERATE: label(Severity.MODERATE, Scheme.EMERGENCY),
        Severity.MAJOR: Text("Orange and red", "橙色和红色"),
    }
    found = shares(figures.by_severity)
    rows = [(words[grade], _percent(found[grade]), _percent(aim)) for grade, aim in _SHARES.items() if grade in found]
    return _table((Text("grade", "等级"), Text("share", "占比"), Text("practice", "参考")), rows)


def _suppressed(figures: AlarmFigures) -> str:
    rows = [(_REASONS.get(kind, Text(kind, kind)), count) for kind, count in figures.suppressed.items()]
    return _table((Text("reason", "原因"), Text("alerts", "报警")), rows)


def _sources(figures: AlarmFigures) -> str:
    rows = [(row["asset"], row["kind"], row["lifeline"], int(row["times"])) for row in figures.top_sources]
    headings = (Text("place", "点位"), Text("kind", "类型"), Text("lifeline", "专业"), Text("times", "次数"))
    return _table(headings, rows)


def _clocks(figures: AlarmFigures) -> str:
    rows = [
        (words, clock["count"], clock["median_s"] / 60, clock["ninth_decile_s"] / 60)
        for step, words in _STEPS.items()
        if (clock := figures.clocks.get(step)) is not None
    ]
    headings = (
        Text("step", "环节"),
        Text("alerts", "报警"),
        Text("median, min", "中位数（分钟）"),
        Text("ninth decile, min", "90分位（分钟）"),
    )
    return _table(headings, rows)


def _verdicts(figures: AlarmFigures) -> str:
    rows = [
        (row["detector"], row["kind"], row["true_alarms"], row["false_alarms"], row["unjudged"])
        for row in figures.verdicts
    ]
    headings = (
        Text("detector", "算法"),
        Text("kind", "类型"),
        Text("true", "真实"),
        Text("false", "误报"),
        Text("not judged", "未研判"),
    )
    return _table(headings, rows)


def _delivery(deliveries: Iterable[DeliveryFigures]) -> str:
    rows = [
        (each.receiver, each.messages, _percent(delivered_share(each)), each.failed, each.median_delay_s)
        for each in deliveries
    ]
    headings = (
        Text("receiver", "接收方"),
        Text("messages", "消息"),
        Text("delivered", "送达率"),
        Text("given up", "失败"),
        Text("median delay, s", "中位延迟（秒）"),
    )
    return _table(headings, rows)


def _holes(holes: Iterable[Hole]) -> str:
    rows = [
        (hole.organisation, hole.role, f"{hole.starts_at:%Y-%m-%d %H:%M %Z}", f"{hole.ends_at:%Y-%m-%d %H:%M %Z}")
        for hole in holes
    ]
    return _table((Text("organisation", "单位"), Text("post", "岗位"), Text("from", "起"), Text("until", "止")), rows)
