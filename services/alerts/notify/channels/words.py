"""What a message says to people, made of the stored body."""

from collections.abc import Mapping
from typing import Any

from services.core.channel import Language
from services.core.lifeline import LABELS, Lifeline
from services.core.text import Text

_STATES = {
    "warning.published": Text("Warning", "预警发布"),
    "warning.updated": Text("Warning changed", "预警变更"),
    "warning.escalated": Text("Warning not received by anybody yet", "预警尚未签收"),
    "warning.lifted": Text("Warning lifted", "预警解除"),
    "warning.cancelled": Text("Warning cancelled", "预警撤销"),
    "work-order.due-soon": Text("Step of a work order due soon", "工单步骤即将超期"),
    "work-order.overdue": Text("Step of a work order overdue", "工单步骤超期"),
    "work-order.long-overdue": Text("Step of a work order long overdue", "工单步骤严重超期"),
    "work-order.reopened": Text("Work order reopened", "工单重新打开"),
    "work-order.rejected": Text("Work order rejected", "工单被退回"),
    "work-order.escalated": Text("Work order escalated", "工单升级"),
    "work-order.supervised": Text("The regulator presses for a work order", "工单督办"),
    "plan.activated": Text("Response plan activated", "应急预案启动"),
    "plan.step-overdue": Text("Step of a response plan overdue", "预案步骤超期"),
    "flood.summary": Text("Several warnings", "多条预警汇总"),
    "receiver.test": Text("Test message", "测试消息"),
}
_NAMED = 10
"""So many things of a summary are named where there is no room for more."""
_WORK_ORDER = Text("Work order", "处置工单")
_OTHER = Text("Message", "消息")
_EXERCISE = Text("EXERCISE", "演练")


def language_of(settings: Mapping[str, Any], default: Language = Language.BOTH) -> Language:
    """In which language the receiver is told."""
    return Language(settings.get("language", default))


def text_of(content: Mapping[str, Any], name: str) -> Text:
    """A text of the body in both languages; empty where there is none."""
    found = content.get(name)
    if not isinstance(found, Mapping):
        return Text("", "")
    return Text(str(found.get("en", "")), str(found.get("zh", "")))


def headline_of(type_: str, content: Mapping[str, Any]) -> Text:
    """One line: whether it is an exercise, what kind of message, and what about."""
    kind = _STATES.get(type_, _WORK_ORDER if type_.startswith("work-order.") else _OTHER)
    headline = text_of(content, "headline") if "headline" in content else text_of(content, "title")
    line = Text(f"{kind.en}: {headline.en}", f"{kind.zh}：{headline.zh}")
    if content.get("exercise"):
        return Text(f"[{_EXERCISE.en}] {line.en}", f"【{_EXERCISE.zh}】{line.zh}")
    return line


def paragraphs_of(content: Mapping[str, Any]) -> list[Text]:
    """What happened, where, what to do; of a summary what it lists, the worst first."""
    if "items" in content:
        return [text_of(item, "headline" if "headline" in item else "title") for item in content["items"][:_NAMED]]
    about = content.get("alert")
    alert = about if isinstance(about, Mapping) else {}
    found = [text_of(alert, "explanation"), _place(content, alert), text_of(content, "instruction")]
    return [text for text in found if text.en or text.zh]


def _place(content: Mapping[str, Any], alert: Mapping[str, Any]) -> Text:
    if "asset" not in content:
        return Text("", "")
    lifeline = LABELS.get(Lifeline(content["lifeline"])) if content.get("lifeline") in set(Lifeline) else None
    label, name = text_of(content, "label"), lifeline or Text("", "")
    zone, asset = str(content.get("zone", "")), str(content["asset"])
    started = str(alert.get("started_at") or content.get("published_at") or "")
    in_english = [label.en, name.en, f"zone {zone}", asset, started]
    in_chinese = [label.zh, name.zh, f"片区 {zone}", asset, started]
    return Text(", ".join(part for part in in_english if part), "，".join(part for part in in_chinese if part))


def in_language(text: Text, language: Language) -> list[str]:
    """The words in the languages asked for, Chinese first; said once where both are the same."""
    words = {Language.EN: [text.en], Language.ZH: [text.zh], Language.BOTH: [text.zh, text.en]}[language]
    return list(dict.fromkeys(word for word in words if word))


def cut_to_bytes(text: str, most: int) -> str:
    """The beginning of a text that takes no more than so many bytes in UTF-8, with a sign where it was cut."""
    encoded = text.encode()
    if len(encoded) <= most:
        return text
    return encoded[: most - 3].decode(errors="ignore") + "…"
