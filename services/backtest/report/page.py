"""The report of a backtest: one page that needs nothing from elsewhere, to look at and to print."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from services.alerts.explanation import duration
from services.alerts.tracing.city_graph import CityGraph
from services.backtest.report.judgement import JudgedAlert, Judgement, judge
from services.backtest.report.markup import Markup, both, element, table
from services.backtest.report.network_map import network_map
from services.backtest.report.result_folder import BacktestResult, read_result
from services.backtest.report.timeline import timeline
from services.backtest.report.truth import Trouble, read_truth
from services.core.recorded_city import recorded_city
from services.core.recording import Recording
from services.core.text import Text

_MOST_ROWS = 400
_NOTHING = "–"

_STYLE = """
:root { color-scheme: light; }
body { font: 14px/1.45 "Noto Sans", "Noto Sans CJK SC", "Microsoft YaHei", sans-serif; color: #1d2330; background: #fff;
  margin: 0 auto; padding: 24px; max-width: 1200px; }
h1 { font-size: 24px; margin: 0; } h2 { font-size: 17px; margin: 28px 0 8px; }
h1 small, h2 small { color: #5d6675; font-weight: normal; }
span[lang="zh-CN"] { color: #5d6675; }
.figures { display: flex; flex-wrap: wrap; gap: 8px 28px; margin: 16px 0; }
.figures div { border-left: 3px solid #2f6f73; padding-left: 10px; }
.figures b { display: block; font-size: 21px; }
svg { width: 100%; height: auto; display: block; }
svg text { font-size: 10.5px; fill: #1d2330; }
.lane-title { font-weight: bold; font-size: 12px; } .label { text-anchor: end; }
.tick { fill: #5d6675; }
.top { text-anchor: end; fill: #5d6675; stroke: #fff; stroke-width: 3; paint-order: stroke; }
.grid { stroke: #dfe3e8; } .learning { fill: #2f6f73; opacity: 0.07; }
.false { fill: none; stroke: #1d2330; }
.pipe { fill: none; stroke: #9aa7b5; stroke-width: 1.2; } .barrier { fill: none; stroke: #1d2330; stroke-width: 3; }
.sensor { fill: #3b7dd8; } .suspect { fill: #e2711d; fill-opacity: 0.35; stroke: #e2711d; }
.truth { fill: none; stroke: #5b3a8c; stroke-width: 3; } .missed { stroke: #c1272d; }
.error { stroke: #e2711d; stroke-dasharray: 4 3; } .place { font-weight: bold; }
table { border-collapse: collapse; width: 100%; font-size: 12px; }
th, td { text-align: left; vertical-align: top; padding: 3px 8px 3px 0; border-bottom: 1px solid #e6e9ee; }
th { border-bottom: 2px solid #1d2330; } td:first-child, .number { white-space: nowrap; }
.bad { color: #c1272d; font-weight: bold; } .quiet { color: #5d6675; }
@page { size: A4 landscape; margin: 12mm; }
@media print { body { padding: 0; max-width: none; } tr, svg { break-inside: avoid; }
  thead { display: table-header-group; } }
"""


def write_report(folder: Path, out: Path, recording: Recording | None) -> None:
    """Write the page about the backtest in a folder; the truth and the network are the recording's.

    Raises:
        ReportError: the folder holds no result of a backtest.
        RecordingError: the truth or the network cannot be read.
    """
    result = read_result(folder)
    troubles = [] if recording is None else read_truth(recording.folder)
    city = None if recording is None else recorded_city(recording)
    graph = CityGraph([], []) if city is None else CityGraph(city.assets, city.links)
    troubles = [each for each in troubles if each.start <= result.end and each.end >= result.begin]
    learnt = result.summary.get("learn_until")
    scored_from = None if learnt is None else datetime.fromisoformat(learnt)
    intervals_s = [] if recording is None else [sensor.interval_s for sensor in recording.sensors.values()]
    interval = timedelta(seconds=max(intervals_s, default=0.0))
    judgement = judge(result.alerts, troubles, graph, scored_from, interval)
    drawn = None
    if city is not None and recording is not None:
        sensed = [sensor.asset for sensor in recording.sensors.values()]
        drawn = network_map(graph.assets, sensed, judgement.first, troubles)
    out.write_text(page(result, judgement, drawn, has_truth=recording is not None), encoding="utf-8")


def page(result: BacktestResult, judgement: Judgement, drawn: Markup | None, *, has_truth: bool) -> str:
    """The whole page as text."""
    name = result.summary["recording"]
    parts = [
        element("h1", name, " ", element("small", "backtest 回测")),
        _figures(result, judgement, has_truth=has_truth),
        _heading(Text("Over time", "时间线")),
        timeline(result, judgement.alerts, judgement.troubles),
        _note(
            Text(
                "Shaded: the time that may be learnt from. Circled: an alert about a danger while there was none. "
                "Grey: alerts about sensor faults.",
                "阴影：可用于学习的时段。圆圈：无险情时的误报。灰色：监测点故障报警。",
            )
        ),
    ]
    if judgement.troubles:
        parts += [_heading(Text("What happened, and when it was noticed", "实际事件与发现情况")), _troubles(judgement)]
    if drawn is not None:
        parts += [
            _heading(Text("Where", "位置")),
            drawn,
            _note(
                Text(
                    "Cross: what it was (red: not noticed). Orange: what was suspected first, by its share. "
                    "Blue: sensors.",
                    "叉号：实际位置（红色为未发现）。橙色：首次报警时的可疑位置，大小表示占比。蓝色：监测点。",
                )
            ),
        ]
    for title, are_faults in (
        (Text("Alerts about dangers", "险情报警"), False),
        (Text("Sensor faults", "监测点故障"), True),
    ):
        members = [judged for judged in judgement.alerts if judged.alert.is_fault is are_faults]
        if members:
            parts += [_heading(title), _alerts(members)]
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("title", f"{name} – backtest 回测"),
        element("style", Markup(_STYLE)),
    )
    return f"<!doctype html>\n{element('html', head, element('body', *parts), lang='en')}\n"


def _heading(text: Text) -> Markup:
    return element("h2", text.en, " ", element("small", text.zh, lang="zh-CN"))


def _note(text: Text) -> Markup:
    return element("p", both(text), class_="quiet")


def _figures(result: BacktestResult, judgement: Judgement, *, has_truth: bool) -> Markup:
    summary = result.summary
    faults = sum(judged.alert.is_fault for judged in judgement.alerts)
    figures = [
        (f"{summary['readings']:,}", Text("readings", "监测数据")),
        (f"{result.begin:%F} – {result.end:%F}", Text("period", "时段")),
        (f"{summary['readings_per_second'] or 0:,}/s", Text("through the engine", "研判速度")),
        (str(len(judgement.alerts) - faults), Text("alerts about dangers", "险情报警")),
        (str(faults), Text("about sensor faults", "监测点故障报警")),
    ]
    if has_truth:
        delay = judgement.median_delay
        figures += [
            (f"{len(judgement.first)} / {len(judgement.troubles)}", Text("troubles noticed", "事件发现数")),
            (str(judgement.false_count), Text("false alerts", "误报")),
            (_NOTHING if delay is None else _length(delay), Text("median delay", "发现时延中位数")),
        ]
    return element(
        "div", *(element("div", element("b", figure), both(words)) for figure, words in figures), class_="figures"
    )


def _troubles(judgement: Judgement) -> Markup:
    heads = [
        Text("Trouble", "事件"),
        Text("Kind", "类型"),
        Text("Where", "位置"),
        Text("Began", "开始"),
        Text("Ended", "结束"),
        Text("Noticed after", "发现时延"),
        Text("First suspect", "首要可疑位置"),
        Text("Off by", "定位误差"),
        Text("Rank", "排名"),
    ]
    rows = [_trouble(trouble, judgement.first.get(trouble.id)) for trouble in judgement.troubles]
    return table([both(head) for head in heads], rows)


def _trouble(trouble: Trouble, found: JudgedAlert | None) -> list[str]:
    begin = [trouble.id, trouble.kind, trouble.asset or _NOTHING, _time(trouble.start), _time(trouble.end)]
    if found is None or found.delay is None:
        return [*begin, element("span", "not noticed 未发现", class_="bad"), _NOTHING, _NOTHING, _NOTHING]
    suspects = found.alert.suspects
    return [
        *begin,
        _length(found.delay),
        f"{suspects[0][0]} ({suspects[0][1]:.0%})" if suspects else _NOTHING,
        _NOTHING if found.distance_m is None else f"{found.distance_m:,.0f} m",
        _NOTHING if found.rank is None else str(found.rank),
    ]


def _alerts(alerts: Sequence[JudgedAlert]) -> Markup:
    heads = [
        Text("Raised", "报警时间"),
        Text("Kind", "类型"),
        Text("Level", "级别"),
        Text("Sensors", "监测点"),
        Text("Cleared", "解除"),
        Text("Belongs to", "对应事件"),
        Text("Delay", "时延"),
        Text("What it says", "说明"),
    ]
    parts = [table([both(head) for head in heads], [_alert(judged) for judged in alerts[:_MOST_ROWS]])]
    rest = len(alerts) - _MOST_ROWS
    if rest > 0:
        parts.append(_note(Text(f"{rest} more are in alerts.jsonl.", f"其余{rest}条见 alerts.jsonl。")))
    return element("div", *parts)


def _alert(judged: JudgedAlert) -> list[str]:
    alert = judged.alert
    if judged.trouble is not None:
        belongs: str = judged.trouble.id
    elif judged.is_false:
        belongs = element("span", "false 误报", class_="bad")
    else:
        belongs = _NOTHING
    more = f" +{len(alert.sensors) - 3}" if len(alert.sensors) > 3 else ""  # noqa: PLR2004 - what a cell holds
    return [
        _time(alert.detected_at),
        both(alert.label),
        str(alert.severity),
        ", ".join(alert.sensors[:3]) + more,
        _NOTHING if alert.cleared_at is None else _time(alert.cleared_at),
        belongs,
        _NOTHING if judged.delay is None else _length(judged.delay),
        both(alert.explanation),
    ]


def _time(moment: datetime) -> Markup:
    return element("span", f"{moment:%Y-%m-%d %H:%M}", class_="number")


def _length(length: timedelta) -> Markup:
    return both(duration(length.total_seconds()))
