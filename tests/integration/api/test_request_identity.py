"""A request has one name, in its answer and in its problem."""

import httpx
import pytest


async def test_a_request_is_named_anew_each_time(api: httpx.AsyncClient) -> None:
    names = {(await api.get("/lifelines")).headers["x-request-id"] for _ in range(3)}
    assert len(names) == 3


async def test_a_proxys_name_is_kept_and_stands_in_the_problem(api: httpx.AsyncClient) -> None:
    response = await api.get("/alerts/x", headers={"X-Request-ID": "edge-0123456789"})
    assert response.headers["x-request-id"] == response.json()["request_id"] == "edge-0123456789"


@pytest.mark.parametrize("name", ["short", "a" * 65, "with space in it", "line\tbreaker"])
async def test_a_name_that_cannot_stand_in_a_log_is_replaced(api: httpx.AsyncClient, name: str) -> None:
    response = await api.get("/lifelines", headers={"X-Request-ID": name})
    assert response.headers["x-request-id"] not in {name, ""}
