"""What goes into a bundle comes out of it exactly."""

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.evidence_bundle import Bundle, EvidenceError, EvidenceReading, pack, unpack
from services.core.evidence_register import EvidenceRegister
from services.core.lifeline import Lifeline
from services.core.sensor import Sensor
from services.core.severity import Severity
from services.core.threshold import Side, Threshold

READINGS = st.lists(
    st.builds(
        EvidenceReading,
        sensor=st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), min_size=1),
        time_us=st.integers(-(2**53), 2**53),
        value=st.floats(allow_nan=False, allow_infinity=False),
        quality=st.integers(0, 2),
        reason=st.integers(0, 5),
        received_us=st.integers(0, 2**53),
        superseded_us=st.none() | st.integers(0, 2**53),
    ),
    max_size=20,
)


@given(READINGS)
def test_readings_come_out_as_they_went_in(readings: list[EvidenceReading]) -> None:
    bundle = Bundle({"alert": "a"}, {"findings": [{"score": 0.1 + 0.2}]}, tuple(readings))
    content = pack(bundle)
    assert unpack(content) == bundle
    assert pack(unpack(content)) == content


@given(st.data())
def test_no_flipped_bit_goes_unnoticed(data: st.DataObject) -> None:
    bundle = Bundle({"alert": "a"}, {"findings": [1, 2, 3]}, ())
    content = bytearray(pack(bundle))
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= 1 << data.draw(st.integers(0, 7))
    try:
        found = unpack(bytes(content))
    except EvidenceError:
        return
    # What the archive says beside its contents (dates, rights) may change without changing any of them.
    assert found == bundle


def test_no_number_that_json_does_not_know_gets_into_a_bundle() -> None:
    with pytest.raises(ValueError, match="JSON"):
        pack(Bundle({}, {"findings": [float("nan")]}, ()))


def test_a_register_comes_out_as_it_went_in() -> None:
    limit = Threshold(Severity(2), Side.ABOVE, 0.1 + 0.2, 0.1, timedelta(milliseconds=3), source="default")
    place = (117.1, 31.000000000000004)
    sensor = Sensor(
        "M-1",
        7,
        Lifeline.GAS,
        "methane",
        "%LEL",
        "US-1",
        "G1",
        *place,
        timedelta(seconds=0.1),
        None,
        (0, 1e-7),
        (limit,),
    )
    register = EvidenceRegister((sensor,), (), (), (), (), (), ())
    assert EvidenceRegister.from_json(json.loads(json.dumps(register.as_json()))) == register
