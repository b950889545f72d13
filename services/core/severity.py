"""Direction-free severity and the label schemes in which people say it.

"Level 1" is the worst level in emergency law and the mildest in device and bridge practice. Code therefore
compares ``Severity`` only; a label always travels with its scheme and is never compared.
"""

from enum import IntEnum, StrEnum

from services.core.text import Text


class Severity(IntEnum):
    """How bad it is: 0 is normal, 4 is worst, whatever the label says."""

    NORMAL = 0
    MINOR = 1
    MODERATE = 2
    MAJOR = 3
    CRITICAL = 4


class Scheme(StrEnum):
    """Who counts, and in which direction."""

    EMERGENCY = "emergency"
    """一级/red is the worst, 四级/blue the mildest."""
    DEVICE = "device"
    """一级 is the mildest of two device alarm levels."""
    BRIDGE = "bridge"
    """一级 is the mildest of three structural limits."""


_LABELS: dict[Scheme, dict[Severity, Text]] = {
    Scheme.EMERGENCY: {
        Severity.MINOR: Text("Level IV (blue)", "四级（蓝色）"),
        Severity.MODERATE: Text("Level III (yellow)", "三级（黄色）"),
        Severity.MAJOR: Text("Level II (orange)", "二级（橙色）"),
        Severity.CRITICAL: Text("Level I (red)", "一级（红色）"),
    },
    Scheme.DEVICE: {
        Severity.MINOR: Text("Notice", "提示"),
        Severity.MODERATE: Text("Device level 1", "设备一级"),
        Severity.MAJOR: Text("Device level 2", "设备二级"),
        Severity.CRITICAL: Text("Device level 2", "设备二级"),
    },
    Scheme.BRIDGE: {
        Severity.MINOR: Text("Notice", "提示"),
        Severity.MODERATE: Text("Bridge limit 1", "桥梁一级"),
        Severity.MAJOR: Text("Bridge limit 2", "桥梁二级"),
        Severity.CRITICAL: Text("Bridge limit 3", "桥梁三级"),
    },
}
_NORMAL = Text("Normal", "正常")


def label(severity: Severity, scheme: Scheme) -> Text:
    """The words for a severity in one scheme."""
    return _LABELS[scheme].get(severity, _NORMAL)
