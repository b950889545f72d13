"""One sheet of paper for the crew that goes out: where, how sure, what to shut, what to sample, who is near. Pure HTML.

It holds everything in itself: it is printed, or opened where there is no network.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any, Literal

from services.api.city_time import in_words, stamp
from services.api.crew_sketch import Sketch, draw
from services.core.alert import Alert
from services.core.alert_kind import AlertKind
from services.core.asset import Asset
from services.core.geometry import distance_m, points_of
from services.core.organisation import Organisation, Person
from services.core.severity import label
from services.core.store.crew_facts import LastValue
from services.core.text import Text

Language = Literal["en", "zh"]
_CANDIDATES_SHOWN = 5
_AFFECTED_SHOWN = 12
_ENDANGERED_SHOWN, _NEIGHBOURS_SHOWN = 10, 3
_METHANE = frozenset({"methane", "methane_volume"})

_WORDS: Mapping[str, Text] = {
    "sheet": Text("Crew sheet", "抢修现场单"),
    "printed": Text("as of", "截至"),
    "where": Text("Likeliest places", "最可能位置"),
    "asset": Text("Asset", "设施"),
    "probability": Text("Probability", "概率"),
    "why": Text("Why", "依据"),
    "shut": Text("Valves to shut", "应关闭的阀门"),
    "incomplete": Text(
        "These do not cut it off completely: a source cannot be shut.",
        "以上阀门无法完全隔离：存在无法关断的气源/水源。",
    ),
    "without": Text("households without supply meanwhile", "户受停供影响"),
    "sample": Text("Sample next, in this order", "下一步检测点位（按顺序）"),
    "sampled": Text(
        "No space without a device would tell more. Check those in the sketch with a detector before opening them.",
        "无其他未监测空间需要补测；开启图中各空间前须用检测仪复核。",
    ),
    "chance": Text("chance of finding gas", "检出概率"),
    "people": Text("People in the radius", "警戒半径内人员"),
    "radius": Text("Keep clear", "警戒半径"),
    "estimate": Text(
        "An estimate by a model of gas in soil, not a measurement: measure before anybody relies on it.",
        "由土壤扩散模型估算，并非实测；使用前须现场检测确认。",
    ),
    "people_estimate": Text("partly estimated from households", "部分按户数估算"),
    "causes": Text("How sure", "原因判断"),
    "values": Text("Last values", "最新读数"),
    "do": Text("What to do", "处置要点"),
    "call": Text("Whom to call", "联系人"),
    "nobody": Text("The register names nobody.", "登记中无联系人。"),
    "none": Text("none known", "暂无"),
    "map": Text("Sketch", "示意图"),
    "legend": Text(
        "Broad coloured lines: suspected segments. Circles: spaces, numbered where to sample. Black bow ties: valves to"
        " shut. Squares: buildings. Dashed: estimated radius.",
        "彩色粗线：疑似管段；圆圈：地下空间（编号为检测顺序）；黑色蝶形：应关阀门；方块：建筑；虚线：估算警戒半径。",
    ),
    "alert": Text("Alert", "报警编号"),
    "since": Text("since", "开始于"),
    "affected": Text("Affected", "受影响设施"),
    "endangered": Text("Endangered in other lifelines", "波及的其他生命线"),
    "neighbours": Text("May come from a neighbour", "可能来自相邻管线"),
    "by_registers": Text(
        "By where the registers say things lie: look and measure on the spot.",
        "依据各登记资料的位置推算：须现场查看、检测。",
    ),
}
_CAUSES: Mapping[str, Text] = {
    "leak": Text("leak", "泄漏"),
    "sewage": Text("sewer gas", "沼气"),
    "device": Text("faulty device", "设备故障"),
}
_USES: Mapping[str, Text] = {
    "residential": Text("dwelling", "住宅"),
    "school": Text("school", "学校"),
    "hospital": Text("hospital", "医院"),
    "shop": Text("shop", "商铺"),
    "restaurant": Text("restaurant", "餐饮"),
    "office": Text("office", "办公"),
    "kindergarten": Text("kindergarten", "幼儿园"),
}
_STYLE = """
@page { size: A4; margin: 11mm }
body { font: 12px/1.4 "Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", sans-serif; color: #111; max-width: 186mm;
  margin: 6mm auto }
@media print { body { margin: 0 auto } }
h1 { font-size: 19px; margin: 0 0 2px } h2 { font-size: 13px; margin: 9px 0 3px; border-bottom: 1px solid #999 }
p { margin: 2px 0 } table { border-collapse: collapse; width: 100% } td, th { border: 1px solid #bbb; padding: 1px 5px;
  text-align: left; vertical-align: top } th { background: #eee; font-weight: 600 }
.grade { white-space: nowrap; border: 2px solid #b00020; color: #b00020; padding: 0 6px; font-weight: 700 }
.two { columns: 2; column-gap: 14px } .small { color: #444; font-size: 10.5px }
.sketch { width: 100%; margin-top: 5px } .sketch text { font-size: 13px; font-family: inherit }
ol, ul { margin: 2px 0; padding-left: 20px } ul.small { line-height: 1.25 } section { break-inside: avoid }
"""


@dataclass(frozen=True, slots=True)
class CrewFacts:
    """All that the page tells; ``assets`` by identifier are those in the sketch and in the lists."""

    alert: Alert
    kind: AlertKind | None
    assets: Mapping[str, Asset]
    values: Sequence[LastValue]
    organisation: Organisation | None
    people: Sequence[Person]
    now: datetime


class _Speaker:
    """Says things in one language, safe in HTML."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def plain(self, text: Text) -> str:
        return text.zh if self.language == "zh" else text.en

    def say(self, text: Text | str) -> str:
        return escape(text if isinstance(text, str) else self.plain(text))

    def word(self, name: str) -> str:
        return self.say(_WORDS[name])


def crew_page(facts: CrewFacts, language: Language) -> str:
    """The page as a whole HTML document."""
    speaker = _Speaker(language)
    alert = facts.alert
    trace: Mapping[str, Any] = alert.trace or {}
    kind = Text(alert.kind, alert.kind) if facts.kind is None else facts.kind.label
    place = _name(facts.assets, alert.asset)
    title = f"{speaker.say(kind)} · {speaker.say(place)}"
    grade = speaker.say(label(alert.highest_severity, alert.scheme))
    body = [
        f'<h1>{speaker.word("sheet")}: {title} <span class="grade">{grade}</span></h1>',
        _stamp(facts, speaker),
        f"<p>{speaker.say(alert.explanation)}</p>",
        _causes(trace, speaker),
        _sketch(facts, trace, speaker),
        _candidates(facts, trace, speaker),
        '<div class="two">',
        _valves(facts, trace, speaker),
        _samples(facts, trace, speaker),
        _people(facts, trace, speaker),
        _values(facts, speaker),
        _instruction(facts, speaker),
        _contacts(facts, speaker),
        "</div>",
        _across(facts, trace, speaker),
    ]
    return (
        f'<!doctype html><html lang="{"zh-CN" if language == "zh" else "en"}"><head><meta charset="utf-8">'
        f"<title>{speaker.word('sheet')}: {title}</title><style>{_STYLE}</style></head>"
        f"<body>{''.join(body)}</body></html>"
    )


def _stamp(facts: CrewFacts, speaker: _Speaker) -> str:
    since, printed = in_words(facts.alert.started_at, facts.now, seconds=False), stamp(facts.now, seconds=False)
    return (
        f'<p class="small">{speaker.word("alert")} {facts.alert.id} · {speaker.word("since")} {since} · '
        f"{speaker.word('printed')} {printed}</p>"
    )


def _causes(trace: Mapping[str, Any], speaker: _Speaker) -> str:
    causes = (trace.get("gas") or {}).get("causes") or {}
    if not causes:
        return ""
    order = sorted(causes, key=lambda cause: -causes[cause])
    told = " · ".join(
        f"{speaker.say(_CAUSES.get(cause, Text(cause, cause)))} {_share(causes[cause])}" for cause in order
    )
    return f"<p><b>{speaker.word('causes')}:</b> {told}</p>"


def _sketch(facts: CrewFacts, trace: Mapping[str, Any], speaker: _Speaker) -> str:
    gas = trace.get("gas") or {}
    candidates = trace.get("candidates") or []
    suspects = {each["asset"]: float(each["probability"]) for each in candidates}
    sample = [each["asset"] for each in gas.get("next_spaces") or []]
    centre = gas.get("centre")
    likely = [each["asset"] for each in candidates if each["probability"] >= _DRAWN_FROM]
    sketch = Sketch(
        assets=tuple(facts.assets.values()),
        suspects=suspects,
        shut=frozenset(trace.get("isolation") or ()),
        sample=sample,
        values={v.asset: f"{v.value:.1f} {v.unit}" for v in facts.values if v.quantity in _METHANE},
        centre=None if centre is None else (centre[0], centre[1]),
        radius_m=gas.get("radius_m"),
        inside=frozenset(each["asset"] for each in gas.get("buildings") or ()),
        title=speaker.plain(_WORDS["map"]),
        focus=frozenset({facts.alert.asset, *likely[:_CANDIDATES_SHOWN], *sample, *_near_valves(facts, trace)}),
    )
    drawn = draw(sketch)
    return f'<section>{drawn}<p class="small">{speaker.word("legend")}</p></section>' if drawn else ""


_DRAWN_FROM = 0.05
_WALK_M = 300.0


def _near_valves(facts: CrewFacts, trace: Mapping[str, Any]) -> list[str]:
    """The valves to shut that a crew can walk to: farther ones would shrink what is around the leak to a dot."""
    centre = (trace.get("gas") or {}).get("centre")
    if centre is None:
        return []
    known = [facts.assets[valve] for valve in trace.get("isolation") or () if valve in facts.assets]
    return [v.id for v in known if distance_m(next(points_of(v.geometry)), (centre[0], centre[1])) <= _WALK_M]


def _candidates(facts: CrewFacts, trace: Mapping[str, Any], speaker: _Speaker) -> str:
    rows = "".join(
        f"<tr><td>{speaker.say(each['asset'])}</td><td>{speaker.say(_name(facts.assets, each['asset']))}</td>"
        f"<td>{_share(each['probability'])}</td><td>{speaker.say(Text(**each['reason']))}</td></tr>"
        for each in (trace.get("candidates") or [])[:_CANDIDATES_SHOWN]
    )
    rows = rows or f'<tr><td colspan="4">{speaker.word("none")}</td></tr>'
    return (
        f"<section><h2>{speaker.word('where')}</h2><table><tr><th colspan=2>{speaker.word('asset')}</th>"
        f"<th>{speaker.word('probability')}</th><th>{speaker.word('why')}</th></tr>{rows}</table></section>"
    )


def _valves(facts: CrewFacts, trace: Mapping[str, Any], speaker: _Speaker) -> str:
    valves = trace.get("isolation") or []
    items = "".join(f"<li><b>{speaker.say(v)}</b> {speaker.say(_name(facts.assets, v))}</li>" for v in valves)
    body = f"<ol>{items}</ol>" if items else f"<p>{speaker.word('none')}</p>"
    if trace.get("isolation_complete") is False and valves:
        body += f'<p class="small">{speaker.word("incomplete")}</p>'
    customers = trace.get("customers")
    if customers:
        body += f"<p>{customers['households']} {speaker.word('without')}</p>"
    critical = [speaker.say(_name(facts.assets, each)) for each in trace.get("critical") or []]
    body += f"<p><b>{'; '.join(critical)}</b></p>" if critical else ""
    return f"<section><h2>{speaker.word('shut')}</h2>{body}</section>"


def _samples(facts: CrewFacts, trace: Mapping[str, Any], speaker: _Speaker) -> str:
    spaces = (trace.get("gas") or {}).get("next_spaces") or []
    listen = trace.get("next_measurement")
    items = "".join(
        f"<li><b>{speaker.say(each['asset'])}</b> {speaker.say(_name(facts.assets, each['asset']))}, "
        f"{speaker.word('chance')} {_share(each['chance'])}</li>"
        for each in spaces
    )
    if not items and listen:
        items = f"<li><b>{speaker.say(listen['asset'])}</b> {speaker.say(_name(facts.assets, listen['asset']))}</li>"
    body = f"<ol>{items}</ol>" if items else f"<p>{speaker.word('sampled' if trace.get('gas') else 'none')}</p>"
    return f"<section><h2>{speaker.word('sample')}</h2>{body}</section>"


def _people(facts: CrewFacts, trace: Mapping[str, Any], speaker: _Speaker) -> str:
    gas = trace.get("gas")
    if not gas:
        affected = [
            speaker.say(_name(facts.assets, each)) for each in (trace.get("downstream") or [])[:_AFFECTED_SHOWN]
        ]
        told = ", ".join(affected) or speaker.word("none")
        return f"<section><h2>{speaker.word('affected')}</h2><p>{told}</p></section>"
    rows = "".join(
        f"<tr><td>{speaker.say(_name(facts.assets, each['asset']))}</td>"
        f"<td>{speaker.say(_USES.get(each['use'], Text(each['use'], each['use'])))}</td>"
        f"<td>{each['people']}</td><td>{each['distance_m']:.0f} m</td></tr>"
        for each in gas["buildings"]
    )
    estimate = f" ({speaker.word('people_estimate')})" if gas["people_is_estimated"] and gas["buildings"] else ""
    table = f"<table>{rows}</table>" if rows else ""
    return (
        f"<section><h2>{speaker.word('people')}: {gas['people']}{estimate}</h2>"
        f"<p><b>{speaker.word('radius')}: {gas['radius_m']:.0f} m</b></p>{table}"
        f'<p class="small">{speaker.word("estimate")}</p></section>'
    )


def _across(facts: CrewFacts, trace: Mapping[str, Any], speaker: _Speaker) -> str:
    """What other companies have to be told, by what threatens; nothing where nothing of theirs is near."""
    told = trace.get("across") or {}
    ways_by_threat: dict[str, list[str]] = {}
    for each in (told.get("endangered") or ())[:_ENDANGERED_SHOWN]:
        ways_by_threat.setdefault(speaker.say(Text(**each["threat"])), []).append(speaker.say(Text(**each["path"])))
    items = "".join(f"<li><b>{threat}</b>: {'; '.join(ways)}</li>" for threat, ways in ways_by_threat.items())
    causes = "".join(
        f"<li><b>{speaker.say(each['asset'])}</b> {speaker.say(_name(facts.assets, each['asset']))} "
        f"{_share(each['probability'])}: {speaker.say(Text(**each['reason']))}</li>"
        for each in (told.get("causes") or ())[:_NEIGHBOURS_SHOWN]
    )
    note = f'<p class="small">{speaker.word("by_registers")}</p>' if items else ""
    return _listed("endangered", items, note, speaker) + _listed("neighbours", causes, "", speaker)


def _listed(title: str, items: str, note: str, speaker: _Speaker) -> str:
    if not items:
        return ""
    return f'<section><h2>{speaker.word(title)}</h2><ul class="small">{items}</ul>{note}</section>'


def _values(facts: CrewFacts, speaker: _Speaker) -> str:
    rows = "".join(
        f"<tr><td>{speaker.say(each.asset)}</td><td>{speaker.say(each.label)}</td>"
        f"<td>{each.value:.2f} {speaker.say(each.unit)}</td>"
        f"<td>{in_words(each.time, facts.now, seconds=False)}</td></tr>"
        for each in facts.values[:_AFFECTED_SHOWN]
    )
    body = f"<table>{rows}</table>" if rows else f"<p>{speaker.word('none')}</p>"
    return f"<section><h2>{speaker.word('values')}</h2>{body}</section>"


def _instruction(facts: CrewFacts, speaker: _Speaker) -> str:
    told = speaker.word("none") if facts.kind is None else speaker.say(facts.kind.instruction)
    return f"<section><h2>{speaker.word('do')}</h2><p>{told}</p></section>"


def _contacts(facts: CrewFacts, speaker: _Speaker) -> str:
    who = "" if facts.organisation is None else f"<p><b>{speaker.say(facts.organisation.name)}</b></p>"
    rows = "".join(
        f"<tr><td>{speaker.say(p.name)}</td><td>{speaker.say(p.post)}</td><td><b>{speaker.say(p.phone)}</b></td></tr>"
        for p in facts.people
    )
    body = f"<table>{rows}</table>" if rows else f"<p>{speaker.word('nobody')}</p>"
    return f"<section><h2>{speaker.word('call')}</h2>{who}{body}</section>"


def _name(assets: Mapping[str, Asset], identifier: str) -> Text:
    asset = assets.get(identifier)
    return Text(identifier, identifier) if asset is None else asset.name


def _share(probability: float) -> str:
    """Never 0 or 100 %: what a model believes is not certain, and a crew must not read it so."""
    return f"{min(99, max(1, round(100 * probability)))}%"
