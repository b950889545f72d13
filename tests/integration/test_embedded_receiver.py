"""The webhook receiver accepts what is signed, refuses the rest, and remembers both."""

import base64
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from standardwebhooks import Webhook

from services.demo.ports import free_port
from services.demo.supervisor import ChildProcess, Supervisor

SECRET = "whsec_" + base64.b64encode(b"a secret of the demo receiver").decode()
BODY = '{"warning":"leak","district":"浦东"}'


def signed(body: str, secret: str = SECRET) -> dict[str, str]:
    now = datetime.now(UTC)
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_1", now, body),
    }


@pytest.fixture
def receiver(tmp_path: Path) -> tuple[ChildProcess, str, Path]:
    """The receiver's process, which fails the first genuine delivery, its address and its log."""
    secret_file, log, port = tmp_path / "secret", tmp_path / "attempts.jsonl", free_port()
    secret_file.write_text(SECRET + "\n", encoding="utf-8")
    options = ["--port", str(port), "--secret-file", str(secret_file), "--log", str(log), "--fail-first", "1"]
    address = f"http://127.0.0.1:{port}"

    async def ready() -> None:
        async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(retries=8)) as client:
            await client.get(f"{address}/deliveries")

    return ChildProcess("receiver", [sys.executable, "-m", "services.demo.receiver", *options], ready), address, log


async def test_each_attempt_is_judged_answered_and_kept(
    receiver: tuple[ChildProcess, str, Path], tmp_path: Path
) -> None:
    child, address, log = receiver
    other = "whsec_" + base64.b64encode(b"somebody else's secret").decode()
    async with Supervisor(tmp_path) as supervisor, httpx.AsyncClient(base_url=address) as client:
        await supervisor.start(child)

        async def post(headers: dict[str, str]) -> int:
            return (await client.post("/warnings", content=BODY.encode(), headers=headers)).status_code

        assert await post(signed(BODY, other)) == 401
        assert await post(signed(BODY) | {"webhook-signature": "nonsense"}) == 401
        assert await post({}) == 401
        assert await post(signed(BODY)) == 500, "the first genuine one fails as asked"
        assert await post(signed(BODY)) == 204
        assert (await client.post("/behaviour", json={"mode": "error"})).status_code == 204
        assert await post(signed(BODY)) == 500
        await client.post("/behaviour", json={"mode": "hang"})
        with pytest.raises(httpx.ReadTimeout):
            await client.post("/warnings", content=BODY.encode(), headers=signed(BODY), timeout=0.3)
        kept = (await client.get("/deliveries")).json()
    assert [attempt["status"] for attempt in kept] == [401, 401, 401, 500, 204, 500, None]
    assert [attempt["verified"] for attempt in kept] == [False] * 3 + [True] * 4
    assert kept[4]["webhook-id"] == "msg_1"
    assert kept[4]["body"] == BODY
    assert [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()] == kept
