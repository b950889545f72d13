"""From a committed reading to a verified webhook, through real processes."""

import json
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from psycopg.types.json import Jsonb

from services.core.city_folder import read_city_folder
from services.demo.preparation import import_city
from tests.integration.alerts.alert_harness import (
    AlertProcess,
    ReceiverProcess,
    ask,
    at,
    store,
    tell,
    until,
)
from tests.integration.alerts.tiny_city import SENSORS, THIRD_METHANE, write_tiny_city

LONGEST_DELAY_S = 5.0
ALL = ("centre", "gas-company", "second-gas-company", "gas-regulator", "water-regulator", "emergency")

_TRAIL = "select * from audit where subject_kind <> 'service' order by id"
"""What was done, without which code did it."""


async def test_methane_becomes_an_alert_a_warning_an_order_and_verified_webhooks_within_five_seconds(
    city_url: str, alerts: AlertProcess, receiver: ReceiverProcess
) -> None:
    await receiver.start()
    await tell(city_url, *(receiver.receiver(organisation) for organisation in ALL))
    await alerts.start()
    written_at = datetime.now(UTC)
    await store(city_url, [("M-1", at(0), 2.0), ("M-1", at(1), 35.0)])
    await until(lambda: len(receiver.attempts()) >= 6)

    attempts = receiver.attempts()
    delays = [(datetime.fromisoformat(each["received_at"]) - written_at).total_seconds() for each in attempts]
    assert max(delays) < LONGEST_DELAY_S
    assert all(each["verified"] and each["status"] == 204 for each in attempts)
    told = {(each["path"], json.loads(each["body"])["type"]) for each in attempts}
    concerned = ("centre", "gas-company", "gas-regulator")
    assert told == {(f"/{name}", kind) for name in concerned for kind in ("warning.published", "work-order.dispatched")}

    (alert,) = ask(city_url, "select * from alert")
    assert (alert["kind"], alert["asset"], alert["severity"], alert["state"]) == ("methane-high", "US-1", 3, "open")
    assert alert["trace"]["candidates"][0]["asset"] == "GP-1"
    assert alert["trace"]["isolation"] == ["GV-1", "GV-2"]
    (warning,) = ask(city_url, "select * from warning")
    assert (warning["alert"], warning["severity"], warning["organisation"]) == (alert["id"], 3, "gas-company")
    assert warning["policy"] == "rule gas-methane-level: published from severity 3"
    (order,) = ask(city_url, "select * from work_order")
    assert (order["warning"], order["state"], order["organisation"]) == (warning["id"], "dispatched", "gas-company")
    trail = [(row["action"], row["subject"], row["actor"]) for row in ask(city_url, _TRAIL)]
    assert trail == [
        ("alert.open", str(alert["id"]), "system"),
        ("warning.publish", str(warning["id"]), "system"),
        ("incident.open", str(order["incident"]), "system"),
        ("work-order.dispatch", str(order["id"]), "system"),
    ]
    await until(lambda: ask(city_url, "select count(*) from notification where state = 'delivered'")[0]["count"] == 6)
    assert alerts.terminate() == 0


async def test_a_worse_level_raises_the_warning_and_only_then_tells_the_emergency_bureau(
    city_url: str, alerts: AlertProcess, receiver: ReceiverProcess
) -> None:
    await receiver.start()
    await tell(city_url, receiver.receiver("gas-company"), receiver.receiver("emergency"))
    await alerts.start()
    await store(city_url, [("M-1", at(0), 30.0)])
    await until(lambda: len(receiver.attempts()) == 2)
    await store(city_url, [("M-1", at(1), 60.0), ("M-1", at(2), 25.0)])
    await until(lambda: len(receiver.attempts()) == 4)
    later = receiver.attempts()[2:]
    assert {each["path"] for each in later} == {"/gas-company", "/emergency"}
    assert {json.loads(each["body"])["type"] for each in later} == {"warning.updated"}
    assert {json.loads(each["body"])["data"]["severity"] for each in later} == {4}
    (alert,) = ask(city_url, "select * from alert")
    assert (alert["highest_severity"], alert["peak_value"]) == (4, 60.0)
    actions = [row["action"] for row in ask(city_url, _TRAIL)]
    opened = ["alert.open", "warning.publish", "incident.open", "work-order.dispatch"]
    assert actions == [*opened, "alert.evolve", "warning.raise", "work-order.raise"]
    (warning,) = ask(city_url, "select severity, headline_en from warning")
    assert warning == {"severity": 4, "headline_en": "Level I (red): Methane too high at underground-space US-1"}
    (order,) = ask(city_url, "select severity, title_en, state from work_order")
    assert order == {"severity": 4, "title_en": warning["headline_en"], "state": "dispatched"}
    # Normal again for the hold time: the sensors clear the alert, a person still has to lift the warning.
    await store(city_url, [("M-1", at(minute), 1.0) for minute in range(3, 20)])
    await until(lambda: ask(city_url, "select state from alert")[0]["state"] == "cleared")
    assert ask(city_url, "select lifted_at from warning")[0]["lifted_at"] is None
    trail = ask(city_url, "select action from audit where subject = %s order by id", str(alert["id"]))
    assert trail[-1]["action"] == "alert.clear"


async def test_a_sensor_imported_while_running_is_judged_even_if_its_readings_are_faster_than_the_news(
    city_url: str, alerts: AlertProcess, tmp_path: Path
) -> None:
    await alerts.start()
    await store(city_url, [("M-1", at(0), 1.0)])
    import_city(city_url, read_city_folder(write_tiny_city(tmp_path / "grown", (*SENSORS, THIRD_METHANE))))
    await store(city_url, [("M-3", at(0), 25.0)])
    await until(lambda: ask(city_url, "select sensors from alert") == [{"sensors": ["M-3"]}])
    assert alerts.process.poll() is None
    # A changed limit arrives in the same way, without any reading.
    before = alerts.count("following the feed")
    import_city(city_url, read_city_folder(tmp_path / "grown"))
    await until(lambda: alerts.count("following the feed") > before)


async def test_a_state_that_no_longer_fits_its_detector_is_dropped_with_one_line_and_the_others_go_on(
    city_url: str, alerts: AlertProcess
) -> None:
    await alerts.start()
    await store(city_url, [("M-1", at(0), 2.0), ("M-2", at(0), 30.0), ("P-1", at(0), 300.0)])
    await until(lambda: len(ask(city_url, "select from alert")) == 1)
    alerts.kill()
    with psycopg.connect(city_url) as connection:
        statement = "update detector_state set state = %s where zone = %s and target = %s"
        connection.execute(statement, (Jsonb({"written_by": "another version"}), "G1", "M-1"))
        connection.execute(statement, (Jsonb({"held": 7, "newest_s": None, "watermark_s": None}), "W1", "buffer"))
    await alerts.start()
    # The episode of M-2 ends as it would have; M-1 begins afresh and raises its own.
    await store(city_url, [("M-1", at(1), 30.0)] + [("M-2", at(minute), 1.0) for minute in range(1, 20)])
    methane = "select asset, state from alert where kind = 'methane-high' order by asset"
    both = [{"asset": "US-1", "state": "open"}, {"asset": "US-2", "state": "cleared"}]
    await until(lambda: ask(city_url, methane) == both)
    said = [line for line in alerts.lines() if line["event"].startswith("detector state does not fit")]
    assert {(line["zone"], *line["targets"]) for line in said} == {("G1", "M-1"), ("W1", "buffer")}
    assert len(said) == 2
    assert "KeyError" in next(line for line in said if line["zone"] == "G1")["targets"]["M-1"]


async def test_an_unknown_kind_of_alert_ends_the_process_with_a_word_on_what_to_do(
    city_url: str, alerts: AlertProcess
) -> None:
    with psycopg.connect(city_url) as connection:
        connection.execute("delete from alert_kind where kind = 'methane-high'")
    await alerts.start()
    await store(city_url, [("M-1", at(0), 30.0)])
    await until(lambda: alerts.process.poll() is not None)
    assert alerts.process.returncode == 1
    assert alerts.lines()[-1]["event"] == "lifeline: gas knows no kind 'methane-high': run `lifeline migrate`"
    assert ask(city_url, "select from finding") == []
