"""Which key opens which route."""

import re
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import uuid4

import httpx
import psycopg
import pytest
from fastapi.routing import iter_route_contexts
from pydantic import SecretStr

from services.api.app import create_app
from services.core.permission import Permission
from services.core.settings import Settings
from tests.integration.api.harness import client, connected, key_of, problem_of, save_keys

READ, OPERATE, HANDLE, AUDIT = Permission.READ, Permission.OPERATE, Permission.HANDLE, Permission.AUDIT
APPROVE, REPORT = Permission.APPROVE, Permission.REPORT
ADMINISTER = Permission.ADMINISTER
ANYBODY_KNOWN = "anybody known"
IN_SHIFTS = frozenset({OPERATE, HANDLE})
"""Either of them will do."""
Rule = Permission | frozenset[Permission] | str | None
RULES: dict[tuple[str, str], Rule] = {
    ("GET", "/api/v1/login"): None,
    ("POST", "/api/v1/login"): None,
    ("GET", "/api/v1/login/provider"): None,
    ("GET", "/api/v1/login/provider/answer"): None,
    ("POST", "/api/v1/logout"): ANYBODY_KNOWN,
    ("GET", "/api/v1/me"): ANYBODY_KNOWN,
    ("POST", "/api/v1/me/password"): ANYBODY_KNOWN,
    ("GET", "/api/v1/users"): ADMINISTER,
    ("POST", "/api/v1/users"): ADMINISTER,
    ("GET", "/api/v1/users/{user}"): ADMINISTER,
    ("PATCH", "/api/v1/users/{user}"): ADMINISTER,
    ("POST", "/api/v1/users/{user}/password"): ADMINISTER,
    ("GET", "/api/v1/keys"): ADMINISTER,
    ("POST", "/api/v1/keys"): ADMINISTER,
    ("POST", "/api/v1/keys/{key}/rotate"): ADMINISTER,
    ("POST", "/api/v1/keys/{key}/revoke"): ADMINISTER,
    ("GET", "/livez"): None,
    ("GET", "/readyz"): None,
    ("GET", "/metrics"): None,
    ("GET", "/api/v1/openapi.json"): READ,
    ("GET", "/api/v1/lifelines"): READ,
    ("GET", "/api/v1/zones"): READ,
    ("GET", "/api/v1/background"): READ,
    ("GET", "/api/v1/assets"): READ,
    ("GET", "/api/v1/assets/{asset}"): READ,
    ("GET", "/api/v1/sensors"): READ,
    ("GET", "/api/v1/sensors/{sensor}"): READ,
    ("GET", "/api/v1/sensors/{sensor}/latest"): READ,
    ("GET", "/api/v1/sensors/{sensor}/history"): READ,
    ("GET", "/api/v1/sensors/{sensor}/gaps"): READ,
    ("GET", "/api/v1/sensors/{sensor}/forecast"): READ,
    ("GET", "/api/v1/forecasts"): READ,
    ("GET", "/api/v1/sensors/{sensor}/thresholds"): READ,
    ("PUT", "/api/v1/sensors/{sensor}/thresholds"): APPROVE,
    ("DELETE", "/api/v1/sensors/{sensor}/thresholds"): APPROVE,
    ("POST", "/api/v1/sensors/{sensor}/thresholds/trial"): READ,
    ("GET", "/api/v1/latest"): READ,
    ("GET", "/api/v1/history"): READ,
    ("GET", "/api/v1/availability"): READ,
    ("GET", "/api/v1/availability/days"): READ,
    ("GET", "/api/v1/liveness"): READ,
    ("GET", "/api/v1/gateways"): READ,
    ("GET", "/api/v1/alerts"): READ,
    ("GET", "/api/v1/alerts/{alert}"): READ,
    ("POST", "/api/v1/alerts/{alert}/acknowledge"): OPERATE,
    ("POST", "/api/v1/alerts/{alert}/verdict"): OPERATE,
    ("POST", "/api/v1/alerts/{alert}/new-normal"): OPERATE,
    ("POST", "/api/v1/alerts/{alert}/warning"): OPERATE,
    ("GET", "/api/v1/warnings"): READ,
    ("GET", "/api/v1/warnings/{warning}"): READ,
    ("POST", "/api/v1/warnings/{warning}/{move}"): OPERATE,
    ("POST", "/api/v1/warnings/{warning}/approve"): APPROVE,
    ("POST", "/api/v1/warnings/{warning}/reject"): APPROVE,
    ("POST", "/api/v1/warnings/{warning}/grade"): OPERATE,
    ("GET", "/api/v1/warning-policies"): READ,
    ("POST", "/api/v1/warning-policies"): APPROVE,
    ("POST", "/api/v1/alerts/{alert}/assign"): OPERATE,
    ("GET", "/api/v1/alerts/{alert}/comments"): READ,
    ("POST", "/api/v1/alerts/{alert}/comments"): OPERATE,
    ("GET", "/api/v1/silences"): READ,
    ("POST", "/api/v1/silences"): OPERATE,
    ("POST", "/api/v1/silences/{silence}/end"): OPERATE,
    ("GET", "/api/v1/inhibitions"): READ,
    ("POST", "/api/v1/inhibitions/{rule}/switch"): OPERATE,
    ("GET", "/api/v1/duty"): READ,
    ("GET", "/api/v1/organisations"): READ,
    ("PUT", "/api/v1/duty/{organisation}/rota"): APPROVE,
    ("POST", "/api/v1/duty/shifts/{shift}/substitute"): OPERATE,
    ("GET", "/api/v1/duty/changes"): READ,
    ("GET", "/api/v1/duty/handovers"): READ,
    ("POST", "/api/v1/duty/handovers"): IN_SHIFTS,
    ("POST", "/api/v1/duty/handovers/{handover}/confirm"): IN_SHIFTS,
    ("POST", "/api/v1/duty/handovers/{handover}/withdraw"): IN_SHIFTS,
    ("GET", "/api/v1/alerts/{alert}/crew-page"): READ,
    ("GET", "/api/v1/bridges/{zone}/health"): READ,
    ("GET", "/api/v1/bridges/{zone}/modes"): READ,
    ("GET", "/api/v1/bridges/{zone}/overloads"): READ,
    ("GET", "/api/v1/alarm-figures"): READ,
    ("GET", "/api/v1/alarm-figures/report"): READ,
    ("GET", "/api/v1/cases"): READ,
    ("GET", "/api/v1/alerts/{alert}/similar-cases"): READ,
    ("GET", "/api/v1/alerts/{alert}/detector-score"): READ,
    ("GET", "/api/v1/detector-scores"): READ,
    ("GET", "/api/v1/asset-risks"): READ,
    ("GET", "/api/v1/assets/{asset}/risk"): READ,
    ("GET", "/api/v1/alert-kinds"): READ,
    ("POST", "/api/v1/reports"): REPORT,
    ("POST", "/api/v2/alerts"): REPORT,
    ("GET", "/api/v1/work-orders"): READ,
    ("POST", "/api/v1/work-orders"): OPERATE,
    ("GET", "/api/v1/work-orders/{order}"): READ,
    ("GET", "/api/v1/work-orders/{order}/record"): READ,
    ("GET", "/api/v1/work-orders/{order}/proposal"): READ,
    ("POST", "/api/v1/work-orders/{order}/feedback"): HANDLE,
    ("POST", "/api/v1/work-orders/{order}/escalate"): HANDLE,
    ("POST", "/api/v1/work-orders/{order}/supervise"): APPROVE,
    ("POST", "/api/v1/work-orders/{order}/assign"): HANDLE,
    ("POST", "/api/v1/work-orders/{order}/transfer"): OPERATE,
    ("POST", "/api/v1/work-orders/{order}/attachments"): HANDLE,
    ("GET", "/api/v1/work-orders/{order}/attachments/{attachment}"): READ,
    ("GET", "/api/v1/work-orders/{order}/attachments/{attachment}/thumbnail"): READ,
    ("POST", "/api/v1/supervisions/{supervision}/answer"): HANDLE,
    ("GET", "/api/v1/disposal-rules"): READ,
    ("POST", "/api/v1/register/preview"): ADMINISTER,
    ("POST", "/api/v1/register/import"): ADMINISTER,
    ("PUT", "/api/v1/disposal-rules/{lifeline}"): APPROVE,
    ("GET", "/api/v1/incidents"): READ,
    ("GET", "/api/v1/incidents/{incident}"): READ,
    ("POST", "/api/v1/incidents/{incident}/orders"): OPERATE,
    ("POST", "/api/v1/incidents/{incident}/costs"): OPERATE,
    ("PUT", "/api/v1/incidents/{incident}/lessons"): OPERATE,
    ("GET", "/api/v1/incidents/{incident}/report"): READ,
    ("GET", "/api/v1/response-plans"): READ,
    ("GET", "/api/v1/response-plans/{plan}"): READ,
    ("PUT", "/api/v1/response-plans/{plan}"): APPROVE,
    ("GET", "/api/v1/plan-activations"): READ,
    ("POST", "/api/v1/plan-activations"): OPERATE,
    ("GET", "/api/v1/plan-activations/{activation}"): READ,
    ("POST", "/api/v1/plan-activations/{activation}/steps/{number}/done"): HANDLE,
    ("POST", "/api/v1/plan-activations/{activation}/end"): OPERATE,
    ("GET", "/api/v1/plan-activations/{activation}/cap.xml"): READ,
    ("GET", "/api/v1/depots"): READ,
    ("GET", "/api/v1/depots/{depot}"): READ,
    ("PUT", "/api/v1/depots/{depot}"): OPERATE,
    ("POST", "/api/v1/work-orders/{order}/hand-back"): HANDLE,
    ("POST", "/api/v1/work-orders/{order}/{move}"): HANDLE,
    ("GET", "/api/v1/weather-warnings"): READ,
    ("POST", "/api/v1/weather-warnings"): OPERATE,
    ("GET", "/api/v1/storm"): READ,
    ("POST", "/api/v1/storm/tasks/{task}/done"): HANDLE,
    ("GET", "/api/v1/notifications"): READ,
    ("GET", "/api/v1/notifications/{notification}"): READ,
    ("POST", "/api/v1/notifications/{notification}/redeliver"): OPERATE,
    ("GET", "/api/v1/delivery-figures"): OPERATE,
    ("GET", "/api/v1/receivers"): OPERATE,
    ("POST", "/api/v1/receivers"): ADMINISTER,
    ("GET", "/api/v1/receivers/{receiver}"): OPERATE,
    ("PATCH", "/api/v1/receivers/{receiver}"): ADMINISTER,
    ("POST", "/api/v1/receivers/{receiver}/secret"): ADMINISTER,
    ("POST", "/api/v1/receivers/{receiver}/test"): OPERATE,
    ("POST", "/api/v1/receivers/{receiver}/resume"): OPERATE,
    ("GET", "/api/v1/cap.atom"): READ,
    ("GET", "/api/v1/cap/{identifier}.xml"): READ,
    ("GET", "/api/v1/rejections"): AUDIT,
    ("GET", "/api/v1/rejections/{rejection}"): AUDIT,
    ("POST", "/api/v1/rejections/reprocess"): OPERATE,
    ("POST", "/api/v1/rejections/{rejection}/reprocess"): OPERATE,
    ("DELETE", "/api/v1/rejections/{rejection}"): OPERATE,
    ("GET", "/api/v1/audit"): AUDIT,
    ("GET", "/api/v1/audit/checkpoints"): AUDIT,
    ("GET", "/api/v1/alerts/{alert}/evidence"): AUDIT,
    ("GET", "/api/v1/sensors/{sensor}/lineage"): READ,
    ("GET", "/api/v1/sensors/{sensor}/dependants"): READ,
    ("GET", "/api/v1/stream"): READ,
    ("GET", "/sta/v1.1"): READ,
    ("GET", "/sta/v1.1/{path:path}"): READ,
    ("GET", "/ogc"): READ,
    ("GET", "/ogc/"): READ,
    ("GET", "/api/v1/exports/readings"): READ,
    ("GET", "/api/v1/exports/alerts"): READ,
    ("GET", "/ogc/conformance"): READ,
    ("GET", "/ogc/collections"): READ,
    ("GET", "/ogc/collections/{collection}"): READ,
    ("GET", "/ogc/collections/{collection}/items"): READ,
    ("GET", "/ogc/collections/{collection}/items/{feature_id}"): READ,
}
GRADE = {"severity": 1, "side": "above", "raise_at": 1, "clear_at": 1}
BODIES = {
    "login": {"name": "nobody", "password": "nothing"},
    "password": {},
    "rotate": {},
    "{user}": {},
    "verdict": {"verdict": "test", "reason": "a test"},
    "new-normal": {"reason": "a test"},
    "warning": {"severity": 2},
    "hand-back": {"text": "done"},
    "reject": {"note": "a test"},
    "grade": {"severity": 2, "reason": "a test"},
    "warning-policies": {"policy": {}, "reason": "a test"},
    "assign": {"assignee": None, "person": None},
    "comments": {"text": "a test"},
    "silences": {"kind": "silence", "matcher": {"zone": "none"}, "ends_at": "2100-01-01T00:00:00Z", "reason": "a test"},
    "switch": {"enabled": True, "reason": "a test"},
    "substitute": {"person": "none"},
    "handovers": {"organisation": "none", "outgoing": "a", "incoming": "b"},
    "confirm": {"person": "none"},
    "reports": {"source": "patrol", "lifeline": "water", "asset": "none", "text": "a test"},
    "secret": {},
    "{receiver}": {},
    "work-orders": {"alert": str(uuid4())},
    "feedback": {"text": "a test"},
    "escalate": {"note": "a test"},
    "supervise": {"text": "a test", "due_at": "2100-01-01T00:00:00Z"},
    "transfer": {"organisation": "water-company", "note": "a test"},
    "answer": {"text": "a test"},
    "orders": {"organisation": "water-company", "title": {"en": "x", "zh": "x"}},
    "costs": {"label": "a test", "amount": "1.00", "currency": "CNY"},
    "lessons": {"text": "a test"},
    "end": {"note": "a test"},
    "plan-activations": {"plan": "none", "exercise_at": "none"},
    "{plan}": {
        "plan": {
            "lifeline": "heat",
            "title": {"en": "x", "zh": "x"},
            "steps": [{"label": {"en": "x", "zh": "x"}, "role": "owner", "within_s": 60}],
        },
        "reason": "a test",
    },
    "{depot}": {"organisation": "water-company", "name": {"en": "x", "zh": "x"}, "position": [117.0, 31.0]},
    "thresholds": {"thresholds": [GRADE], "reason": "a test"},
    "trial": {"thresholds": [GRADE]},
    "{lifeline}": {"rule": {"hold_s": 1, "watch_s": 1, "deadlines_s": {}}, "reason": "a test"},
}


class Route(NamedTuple):
    method: str
    path: str

    @property
    def request_path(self) -> str:
        """The path below the API's prefix, or from the root where it lies elsewhere, with names of nothing there is."""
        names = {"{asset}": "none", "{sensor}": "none", "{move}": "receive", "{rejection}": "0", "{task}": "0"}
        names |= {
            f"{{{thing}}}": str(uuid4())
            for thing in (
                "alert",
                "warning",
                "order",
                "notification",
                "silence",
                "shift",
                "handover",
                "attachment",
                "supervision",
                "incident",
            )
        }
        names |= {
            "{zone}": "none",
            "{rule}": "none",
            "{organisation}": "none",
            "{receiver}": "none",
            "{identifier}": "none",
            "{lifeline}": "heat",
            "{activation}": str(uuid4()),
            "{plan}": "none",
            "{depot}": "none",
            "{number}": "1",
            "{user}": "none",
            "{key}": "none",
            "{path:path}": "Things",
            "{collection}": "none",
            "{feature_id}": "none",
        }
        path = self.path.removeprefix("/api/v1")
        for place, name in names.items():
            path = path.replace(place, name)
        return path


def _application_routes() -> list[Route]:
    app = create_app(Settings(database_url=SecretStr("postgresql://nowhere")))
    contexts = [context for context in iter_route_contexts(app.routes) if context.methods]
    return [Route(method, str(context.path)) for context in contexts for method in sorted(context.methods or ())]


POSTED_ALERTS = Route("POST", "/api/v2/alerts")
FOUND_WANTING = (
    *("/work-orders", "/plan-activations", "/weather-warnings", "/receivers", "/reports", "/duty/handovers"),
    *("/cases", "/users", "/keys", "/me/password", "/register/preview", "/register/import"),
)
ROUTES = _application_routes()
KEYED = [route for route in ROUTES if RULES.get(route, READ) is not None]


def _accepted(rule: Rule) -> AbstractSet[Permission]:
    return rule if isinstance(rule, frozenset) else {rule} if isinstance(rule, Permission) else set()


def passes(rule: Rule, held: AbstractSet[Permission]) -> bool:
    """Whether a rule lets somebody with some permissions pass."""
    return not _accepted(rule) or not _accepted(rule).isdisjoint(held)


def named(route: Route) -> str:
    return f"{route.method} {route.path}"


async def ask(caller: httpx.AsyncClient, route: Route) -> httpx.Response:
    """The answer's head; of a stream nothing more is read."""
    body = [] if route == POSTED_ALERTS else BODIES.get(route.path.rpartition("/")[2])
    is_below = route.path.startswith("/api/v1/")
    address = route.request_path if is_below else caller.base_url.copy_with(path=route.request_path)
    request = caller.build_request(route.method, address, json=body)
    response = await caller.send(request, stream=True)
    if not response.headers.get("content-type", "").startswith("text/event-stream"):
        await response.aread()
    await response.aclose()
    return response


def test_every_route_has_a_rule_and_every_rule_a_route() -> None:
    assert set(ROUTES) == set(RULES)


@pytest.fixture(scope="module")
def spoilt_keys(city_url: str) -> dict[str, str]:
    with psycopg.connect(city_url) as connection:
        for name, column, moment in (
            ("expired", "expires_at", "now() - interval '1 second'"),
            ("revoked", "revoked_at", "now()"),
        ):
            connection.execute(
                f"""insert into api_key (id, hash, actor, permissions, {column})
                values (%s, sha256(%s), 'x', '{{read,operate,handle,audit}}', {moment})""".encode(),
                (name, f"lk_{name}".encode()),
            )
    key = key_of("everything")
    return {
        "forged": f"Bearer {key}x",
        "cut": f"Bearer {key[:-1]}",
        "expired": "Bearer lk_expired",
        "revoked": "Bearer lk_revoked",
        "another scheme": f"Basic {key}",
        "empty": "Bearer",
    }


@pytest.mark.parametrize("route", KEYED, ids=named)
async def test_route_answers_401_without_a_good_key(route: Route, address: str, spoilt_keys: dict[str, str]) -> None:
    async with client(address, None) as caller:
        answers = {"no key": await ask(caller, route)}
        for name, header in spoilt_keys.items():
            caller.headers["Authorization"] = header
            answers[name] = await ask(caller, route)
    for name, response in answers.items():
        assert response.status_code == 401, name
        assert response.headers["www-authenticate"] == "Bearer"
        problem_of(response, 401, "key-needed")


@pytest.mark.parametrize("route", KEYED, ids=named)
async def test_route_opens_for_its_permission_alone(route: Route, address: str) -> None:
    for permission in Permission:
        async with client(address, permission.value) as caller:
            response = await ask(caller, route)
        if passes(RULES[route], {permission}):
            # A message that is no warning, or nothing at all, is found wanting behind the door, not before it.
            behind = {200, 201, 202, 204, 404} | ({422} if route.path.endswith(FOUND_WANTING) else set())
            assert response.status_code in behind, response.text
        else:
            problem = problem_of(response, 403, "not-permitted")
            assert any(str(one) in problem["detail"] for one in _accepted(RULES[route]))


@pytest.mark.parametrize("route", [route for route in ROUTES if RULES.get(route) is None], ids=named)
async def test_route_that_is_open_to_all_needs_no_key(route: Route, address: str) -> None:
    async with client(address, None) as caller:
        assert (await caller.get(address + route.path)).status_code == (404 if "provider" in route.path else 200)


async def test_a_key_that_is_revoked_stops_working_at_once(address: str, city_url: str, api: httpx.AsyncClient) -> None:
    async with connected(city_url) as connection:
        await connection.execute("update api_key set revoked_at = now() where id = 'another'")
    async with client(address, "another") as caller:
        problem_of(await caller.get("/alerts"), 401, "key-needed")
    await save_keys(city_url)
    async with client(address, "another") as caller:
        assert (await caller.get("/alerts")).status_code == 200


async def test_the_use_of_a_key_is_on_record_by_the_hour(city_url: str, address: str, api: httpx.AsyncClient) -> None:
    async def used() -> datetime | None:
        (known,) = [key for key in (await api.get("/keys")).json() if key["id"] == "noted"]
        return None if known["last_used_at"] is None else datetime.fromisoformat(known["last_used_at"])

    async def use_after(pause: timedelta) -> None:
        with psycopg.connect(city_url) as connection:
            connection.execute("update api_key set last_used_at = last_used_at - %s where id = 'noted'", (pause,))
        assert (await caller.get("/me")).status_code == 200

    issued = await api.post("/keys", json={"id": "noted", "actor": "noted", "permissions": ["read"]})
    assert (issued.json()["last_used_at"], await used()) == (None, None)
    async with client(address, None) as caller:
        caller.headers["Authorization"] = f"Bearer {issued.json()['key']}"
        await use_after(timedelta(0))
        first = await used()
        assert first is not None
        await use_after(timedelta(minutes=30))
        assert await used() == first - timedelta(minutes=30)
        await use_after(timedelta(minutes=31))
        assert (await used() or first) >= first


async def test_a_key_without_permission_learns_nothing_about_what_exists(address: str) -> None:
    async with client(address, "audit") as caller:
        problem_of(await caller.get("/alerts/not-an-identifier"), 403, "not-permitted")


async def test_the_description_is_no_longer_at_its_open_place(address: str, api: httpx.AsyncClient) -> None:
    async with client(address, None) as caller:
        for path in ("/openapi.json", "/redoc"):
            assert (await caller.get(address + path)).status_code == 404
        page = await caller.get(f"{address}/docs", follow_redirects=True)
        assert page.status_code == 200
        assert "/api/v1" not in page.text, "the page to read it on tells of a route"
    described = (await api.get("/openapi.json")).json()
    assert described["openapi"].startswith("3.")
    known = {path.replace(":path}", "}") for _, path in RULES}
    assert set(described["paths"]) == known - {"/ogc/"}, "the landing page is described once, without its slash"


async def test_the_database_holds_no_key_in_the_clear(city_url: str) -> None:
    async with connected(city_url) as connection:
        cursor = await connection.execute("select api_key::text from api_key")
        assert all("_0123456789" not in row[0] for row in await cursor.fetchall())


async def test_every_answer_carries_the_security_headers(api: httpx.AsyncClient) -> None:
    for path, status in (("/alerts", 200), (f"/alerts/{uuid4()}", 404)):
        response = await api.get(path)
        assert response.status_code == status
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["x-frame-options"] == "DENY"
        assert "default-src 'self'" in response.headers["content-security-policy"]


async def test_metrics_name_routes_and_not_what_callers_send(address: str, api: httpx.AsyncClient) -> None:
    secret = uuid4()
    await api.get(f"/alerts/{secret}")
    await api.request("BREW", "/alerts")
    async with client(address, None) as caller:
        text = (await caller.get(f"{address}/metrics")).text
    assert 'method="GET",route="/alerts/{alert}",status="404"' in text
    assert str(secret) not in text
    assert "BREW" not in text


async def test_whatever_cannot_be_done_is_answered_with_all_that_can(api: httpx.AsyncClient) -> None:
    described = (await api.get("/openapi.json")).json()["paths"]
    addresses = {path: re.sub(r"{[^}]+}", "x", path) for path in described if path.startswith("/api/")}
    templates = {path: re.compile(re.sub(r"{[^}]+}", "[^/]+", path)) for path in addresses}
    for address in addresses.values():
        # An address may be an instance of several: a proposal is looked at, and any step is taken with an order.
        taken = {
            method.upper()
            for path, template in templates.items()
            if template.fullmatch(address)
            for method in described[path]
        }
        for method in {"DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT"} - taken:
            answer = await api.request(method, api.base_url.copy_with(path=address))
            problem_of(answer, 405, "method-not-allowed")
            assert set(answer.headers["allow"].split(", ")) == taken, f"{method} {address}"


async def test_a_wrong_method_and_an_unknown_path_are_problems_too(api: httpx.AsyncClient) -> None:
    assert (await api.delete("/alerts")).headers["content-type"] == "application/problem+json"
    problem_of(await api.get("/nothing-here"), 404, "about:blank")
