"""Windows of raw vibration: a message becomes one window, or one rejection that says why not. Pure."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
import numpy as np
from numpy.typing import NDArray

from services.core import wire
from services.core.rejection import RejectionReason
from services.core.store.readings import SensorRow, moment
from services.core.units import conversion
from services.core.vibration_window import VibrationWindow
from services.ingest.message import Decoded, Message
from services.ingest.payload import PayloadError, unpack

Samples = NDArray[np.float64]

_FINITE_BELOW = float(np.finfo(np.float32).max)


def decode_window(message: Message, gateway: str) -> Decoded:
    """Read a window by the wire contract; it is taken as a whole or refused as a whole."""
    try:
        content, codec = unpack(message.payload, message.content_type)
    except PayloadError as error:
        return _refused(message, gateway, error.reason, str(error))
    try:
        window: wire.WireWindow = codec.window.decode(content)
    except msgspec.ValidationError as error:
        return _refused(message, gateway, RejectionReason.BAD_FIELD, str(error))
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError) as error:
        return _refused(message, gateway, RejectionReason.BAD_JSON, f"payload: {error}")
    fault = _fault(window)
    if fault is not None:
        return _refused(message, gateway, *fault)
    return Decoded(gateway=gateway, sender=gateway, window=window)


def _refused(message: Message, gateway: str, reason: RejectionReason, detail: str) -> Decoded:
    return Decoded(rejections=[message.reject(reason, detail, sender=gateway)], gateway=gateway, sender=gateway)


def _fault(window: wire.WireWindow) -> tuple[RejectionReason, str] | None:
    lengths = [len(channel.samples) for channel in window.channels]
    if sum(lengths) > wire.MAX_WINDOW_SAMPLES:
        return RejectionReason.OVERSIZED, f"samples: {sum(lengths)} are more than {wire.MAX_WINDOW_SAMPLES}"
    if len(set(lengths)) > 1:
        return RejectionReason.BAD_FIELD, "samples: the channels are not of one length"
    if len({channel.sensor for channel in window.channels}) < len(lengths):
        return RejectionReason.BAD_FIELD, "sensor: the same sensor twice"
    largest = max(float(np.abs(channel.samples).max()) for channel in window.channels)
    if not largest * window.scale < _FINITE_BELOW:
        return RejectionReason.NOT_FINITE, "samples: not finite, or too large"
    start_ms = wire.epoch_us(window.start) / 1000
    if not wire.EARLIEST_MS <= start_ms <= wire.LATEST_MS:
        return RejectionReason.BAD_TIME, "start: absurd"
    return None


def window_of(
    window: wire.WireWindow, gateway: str, rows: Sequence[SensorRow], received_at: datetime
) -> VibrationWindow:
    """A window whose sensors ``rows`` are known and convertible, with its channels in the order of their names."""
    channels = sorted(zip(window.channels, rows, strict=True), key=lambda pair: pair[0].sensor)
    samples = [_in_declared_unit(np.array(channel.samples), window, row) for channel, row in channels]
    return VibrationWindow(
        zone=rows[0].zone,
        gateway=gateway,
        sensors=tuple(channel.sensor for channel, _ in channels),
        started_at=moment(wire.epoch_us(window.start)),
        rate_hz=window.rate_hz,
        samples=np.array(samples).astype("<f4").tobytes(),
        event=window.event,
        received_at=received_at,
    )


def _in_declared_unit(samples: Samples, window: wire.WireWindow, row: SensorRow) -> Samples:
    scaled = samples * window.scale
    found = conversion(window.unit or row.device_unit or row.unit, row.unit)
    return scaled if found is None else scaled * found.scale + found.offset
