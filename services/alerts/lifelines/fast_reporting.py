"""Rules that raise no alert: while they hold, the device is asked to report every minute."""

from collections.abc import Callable, Mapping
from datetime import timedelta

from services.alerts.detectors.contract import Detector
from services.alerts.lifelines.contract import SensorRule
from services.core.alert_kind import AlertKind
from services.core.lifeline import Lifeline
from services.core.sensor import Sensor
from services.core.severity import Scheme, Severity
from services.core.text import Text
from services.core.threshold import Side, Threshold

_FAST = timedelta(minutes=1)
_REST = timedelta(minutes=30)


def fast_reporting(
    lifeline: Lifeline,
    name: str,
    detector: Callable[[Sensor], Detector],
    least: Mapping[str, float],
    source: str,
) -> SensorRule:
    """Ask devices to report every minute once the detector's score reaches ``least`` (by quantity).

    They may go back to their registered interval when the score has been below half of it for half an hour. Devices
    that report every minute anyway are not asked.
    """

    def grades(sensor: Sensor) -> tuple[Threshold, ...]:
        if sensor.interval <= _FAST:
            return ()
        raise_at = least[sensor.quantity]
        return (
            Threshold(
                Severity.MINOR,
                Side.ABOVE,
                raise_at=raise_at,
                clear_at=raise_at / 2,
                off_delay=_REST,
                source=f"default: {source}",
            ),
        )

    return SensorRule(
        name=name,
        kind=AlertKind(
            lifeline=lifeline,
            kind="fast-reporting",
            label=Text("Faster reporting asked for", "请求加密上报"),
            instruction=Text("The device is asked to report every minute.", "已请求设备每分钟上报一次。"),
            scheme=Scheme.DEVICE,
            sensor_fault=False,
            publishes_from=None,
            report_every=_FAST,
        ),
        raised=Text(
            "{asset} shows {value} {unit}: its device is asked to report every minute.",
            "{asset}现为{value} {unit}：已请求设备每分钟上报一次。",
        ),
        cleared=Text(
            "{asset} has been quiet at {value} {unit}: its device may report as registered again.",
            "{asset}已趋于平稳（{value} {unit}）：设备可恢复登记的上报间隔。",
        ),
        quantities=tuple(least),
        detector=detector,
        grades=grades,
    )
