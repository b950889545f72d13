"""What the load simulator says it sends is what is in its messages."""

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.core import wire
from services.core.city_folder import read_city_folder
from services.ingest.decode import decode
from services.ingest.message import Message
from simulators.load.field import CHANGE_KPA
from simulators.load.folder import write_load_city
from simulators.load.form import Form
from simulators.load.garbage import Garbage
from simulators.load.plan import LoadPlan, Shares
from simulators.load.tally import Tally
from simulators.load.traffic import LoadMessage, messages_of

START_MS = 1_777_601_580_000
MIXED = Shares(duplicates=0.1, changed=0.05, late=0.1, garbage=0.1)
FORMS = [
    *("json-single", "json-array", "json-columns", "json-array-numbered", "json-columns-gzip-numbered"),
    *("msgpack-single", "msgpack-array-zstd", "msgpack-columns", "msgpack-columns-zstd-numbered"),
]
FOUND_LATER = (Garbage.UNKNOWN_SENSOR, Garbage.FOREIGN_SENSOR, Garbage.WRONG_UNIT, Garbage.FUTURE_TIME)
"""Wrong by the register or the clock alone; such an entry is decoded."""


def plan(form: str = "json-array", **changes: object) -> LoadPlan:
    base = LoadPlan("c", START_MS, sensors=40, gateways=4, batch=20, forms=(Form.parse(form),), shares=MIXED)
    return replace(base, **changes)  # type: ignore[arg-type]


def sent(chosen: LoadPlan, entries: int) -> tuple[Tally, list[LoadMessage]]:
    tally, messages = Tally(chosen), list(messages_of(chosen, entries))
    for message in messages:
        tally.handed_over(message.gateway, message.counts, len(message.payload))
    return tally, messages


@pytest.mark.parametrize("form", FORMS)
def test_the_tally_counts_what_the_messages_hold(form: str) -> None:
    tally, messages = sent(plan(form), 6000)
    received, reasons = 0, Counter[str]()
    for message in messages:
        decoded = decode(Message(message.topic, message.payload, datetime.now(UTC)))
        received += len(decoded.sensors)
        reasons.update(rejection.reason.value for rejection in decoded.rejections)
        assert len(decoded.sensors) + len(decoded.rejections) == message.entries
    later = Counter({"unknown-sensor": 0})
    for kind, reason in zip(FOUND_LATER, ("unknown-sensor", "not-yours", "wrong-unit", "bad-time"), strict=True):
        later[reason] += tally.count(kind)
    assert received == sum(tally.count(kind) for kind in ("new", "duplicates", "changed", *FOUND_LATER))
    assert reasons + later == Counter(tally.rejections)
    assert tally.entries == sum(message.entries for message in messages)
    assert all(tally.count(kind) > 0 for kind in ("new", "late", "duplicates", "changed", Garbage.NOT_A_NUMBER))


@pytest.mark.parametrize("form", ["json-single", "json-array"])
def test_what_was_sent_can_be_computed_again(form: str) -> None:
    chosen = plan(form, shares=Shares(duplicates=0.1, changed=0.05, late=0.1))
    tally, messages = sent(chosen, 6000)
    expected = {
        (chosen.sensor_names[sensor], time_ms): value
        for gateway in range(chosen.gateways)
        for readings in [tally.sent_by(gateway)]
        for sensor, time_ms, value in zip(
            readings.sensors.tolist(), readings.times_ms.tolist(), readings.values.tolist(), strict=True
        )
    }
    first: dict[tuple[str, int], float] = {}
    others = Counter[str]()
    for message in messages:
        topic = wire.parse_readings_topic(message.topic)
        assert topic is not None
        content = json.loads(message.payload)
        for entry in content if isinstance(content, list) else [content]:
            moment = (entry.get("sensor", topic.sensor), entry["time"])
            if moment not in first:
                first[moment] = entry["value"]
            else:
                others["duplicates" if entry["value"] == first[moment] else "changed"] += 1
                assert entry["value"] - first[moment] == pytest.approx(0) or others["changed"]
    assert first == expected
    assert len(first) == tally.count("new")
    assert others == {"duplicates": tally.count("duplicates"), "changed": tally.count("changed")}


def test_a_moment_is_changed_once_and_beyond_doubt() -> None:
    chosen = plan(shares=Shares(changed=0.2))
    values: dict[tuple[str, int], list[float]] = {}
    for message in sent(chosen, 6000)[1]:
        for entry in json.loads(message.payload):
            values.setdefault((entry["sensor"], entry["time"]), []).append(entry["value"])
    several = [given for given in values.values() if len(given) > 1]
    assert several
    assert all(len(given) == 2 and given[1] - given[0] == pytest.approx(CHANGE_KPA) for given in several)


def test_the_same_plan_sends_the_same_bytes_and_another_seed_others() -> None:
    again = [list(islice(messages_of(plan()), 100)) for _ in range(2)]
    assert [message.payload for message in again[0]] == [message.payload for message in again[1]]
    other = list(islice(messages_of(plan(seed=2)), 100))
    assert [message.payload for message in again[0]] != [message.payload for message in other]


def test_shares_come_out_as_wanted() -> None:
    tally, _ = sent(plan(batch=100), 50_000)
    assert tally.count("duplicates") / tally.entries == pytest.approx(0.1, abs=0.01)
    assert tally.count("changed") / tally.entries == pytest.approx(0.05, abs=0.01)
    assert sum(tally.rejections.values()) / tally.entries == pytest.approx(0.1, abs=0.01)
    assert tally.count("late") / tally.count("new") == pytest.approx(0.1, abs=0.01)


def test_numbered_batches_count_from_one_without_holes() -> None:
    numbers = [[], []]  # type: list[list[int]]
    for message in sent(plan("json-array-numbered", gateways=2), 4000)[1]:
        numbers[message.gateway].append(json.loads(message.payload.replace(b"NaN", b"null"))["seq"])
    assert all(given == list(range(1, len(given) + 1)) for given in numbers)


def test_the_gateways_take_the_forms_in_turn() -> None:
    mixed = plan(forms=(Form.parse("json-array"), Form.parse("msgpack-array")))
    starts = {message.gateway: message.payload[:1] for message in islice(messages_of(mixed), 4)}
    assert [start == b"[" for _, start in sorted(starts.items())] == [True, False, True, False]


def test_the_record_names_plan_and_counts(tmp_path: Path) -> None:
    tally, _ = sent(plan(), 1000)
    tally.write(tmp_path / "sent.json")
    record = json.loads((tmp_path / "sent.json").read_text())
    assert record["sent"]["new"] == tally.count("new") == sum(record["new_by_gateway"])
    assert record["rejections"] == tally.rejections
    assert record["forms"] == ["json-array"]


def test_the_sensors_can_be_registered(tmp_path: Path) -> None:
    chosen = plan()
    write_load_city(tmp_path, chosen)
    city = read_city_folder(tmp_path)
    assert {row.sensor: row.gateway for row in city.sensors} == {
        name: chosen.gateway_names[number % 4] for number, name in enumerate(chosen.sensor_names)
    }


@pytest.mark.parametrize("text", FORMS)
def test_a_form_is_written_as_it_is_read(text: str) -> None:
    assert str(Form.parse(text)) == text


@pytest.mark.parametrize(
    "text", ["", "json", "xml-array", "json-array-lz4", "json-single-numbered", "json-array-zstd-gzip"]
)
def test_an_unknown_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"form|numbered"):
        Form.parse(text)


@pytest.mark.parametrize(
    "changes", [{"gateways": 0}, {"gateways": 41}, {"batch": 0}, {"step_ms": 3}, {"start_ms": 1}, {"forms": ()}]
)
def test_an_impossible_plan_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        plan(**changes)


def test_impossible_shares_are_refused() -> None:
    with pytest.raises(ValueError, match="shares"):
        Shares(duplicates=0.6, garbage=0.4)
    with pytest.raises(ValueError, match="shares"):
        Shares(late=1.5)


def test_values_vary_and_stay_plausible() -> None:
    tally, _ = sent(plan(shares=Shares()), 2000)
    values = tally.sent_by(0).values
    assert np.unique(values).size > values.size / 3
    assert values.min() > 190
    assert values.max() < 210
