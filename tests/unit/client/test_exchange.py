"""What a client makes of an answer: a value, a problem, or a pause."""

from typing import Any

import httpx
import pytest

from services.client import AnswerError, AwayError, ProblemError, calls
from services.client.exchange import FIRST_PAUSE_S, Patience, Reconnecting, answer_of, request_of

NOON_S = 1_784_116_800.0  # 2026-07-15 12:00 UTC
ASKED = httpx.Request("GET", "http://127.0.0.1/api/v1/me")


def response(status: int, **more: Any) -> httpx.Response:
    return httpx.Response(status, request=ASKED, **more)


def problem(status: int, **fields: Any) -> httpx.Response:
    content = {"type": "word", "title": "Title", "status": status} | fields
    return response(status, json=content, headers={"content-type": "application/problem+json"})


def test_a_problem_says_which_field_is_wrong_and_what_to_do() -> None:
    told = problem(422, detail="look", errors=[{"field": "body.text", "reason": "too long"}], request_id="r-12345678")
    with pytest.raises(ProblemError, match=r"Title: look; body\.text: too long; request r-12345678") as raised:
        answer_of(calls.me(), told)
    assert (raised.value.problem.status, raised.value.problem.type) == (422, "word")


def test_a_conflict_names_the_steps_that_are_possible() -> None:
    with pytest.raises(ProblemError, match="possible now: verify, reopen"):
        answer_of(calls.me(), problem(409, state="handled", possible=["verify", "reopen"]))


@pytest.mark.parametrize(
    "answer",
    [
        response(502, text="<html>no upstream</html>", headers={"content-type": "text/html"}),
        response(502, text="{", headers={"content-type": "application/problem+json"}),
    ],
)
def test_a_proxy_without_problems_is_told_by_its_status(answer: httpx.Response) -> None:
    with pytest.raises(ProblemError, match="Bad Gateway") as raised:
        answer_of(calls.me(), answer)
    assert raised.value.problem.type == "about:blank"


def test_an_answer_of_another_form_is_refused() -> None:
    with pytest.raises(AnswerError, match="/api/v1/me"):
        answer_of(calls.me(), response(200, json={"name": 7}))


@pytest.mark.parametrize(
    ("status", "asked", "pause_s"),
    [
        (429, "3", 3.0),
        (503, "Wed, 15 Jul 2026 12:00:05 GMT", 5.0),
        (503, "Wed, 15 Jul 2026 11:00:00 GMT", 0.1),
        (503, "soon", None),
        (429, "60", None),
        (500, "3", None),
        (200, "3", None),
    ],
)
def test_a_request_is_repeated_when_the_service_asks_for_it(status: int, asked: str, pause_s: float | None) -> None:
    patience = Patience(30.0, lambda: NOON_S)
    assert patience.pause_s(response(status, headers={"retry-after": asked})) == pause_s


def test_patience_ends() -> None:
    patience = Patience(5.0, lambda: NOON_S)
    busy = response(429, headers={"retry-after": "2"})
    assert [patience.pause_s(busy) for _ in range(3)] == [2.0, 2.0, None]


def test_a_change_is_named_once_and_says_which_version_was_seen() -> None:
    first, second = request_of(calls.acknowledge("a", version=4)), request_of(calls.acknowledge("a", version=4))
    assert first["headers"]["If-Match"] == '"4"'
    assert first["headers"]["Idempotency-Key"] != second["headers"]["Idempotency-Key"]
    assert not request_of(calls.alert("a"))["headers"]


def test_a_stream_that_was_never_open_is_not_waited_for() -> None:
    with pytest.raises(AwayError, match="refused"):
        Reconnecting().pause_s(None, httpx.ConnectError("connection refused"))
    with pytest.raises(ProblemError):
        Reconnecting().pause_s(problem(503))


def test_a_stream_that_broke_is_opened_again_more_and_more_patiently() -> None:
    reconnecting = Reconnecting()
    reconnecting.opened()
    broken = httpx.ReadError("reset")
    pauses = [reconnecting.pause_s(None, broken) for _ in range(7)]
    assert pauses == [FIRST_PAUSE_S, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    busy = response(503, headers={"retry-after": "7"})
    assert reconnecting.pause_s(busy) == 7.0
    reconnecting.opened()
    assert reconnecting.pause_s(None, broken) == FIRST_PAUSE_S


def test_a_stream_ends_with_its_key() -> None:
    reconnecting = Reconnecting()
    reconnecting.opened()
    with pytest.raises(ProblemError):
        reconnecting.pause_s(problem(401))
