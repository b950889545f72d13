"""A webhook receiver to try warnings with: checks each signature and keeps what it got.

It verifies with the ``standardwebhooks`` library alone, so that it agrees with receivers in the field and not
with the sender's code. Started with ``python -m services.demo.receiver``.
"""

import argparse
import asyncio
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import uvicorn
from fastapi import Body, FastAPI, Request, Response
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from services.demo.ports import LOOPBACK

Mode = Literal["ok", "error", "hang"]
LONGEST_HANG_S = 3600.0


@dataclass
class Behaviour:
    """How deliveries are answered: the first ``fail_first`` with 500, then by ``mode``."""

    mode: Mode = "ok"
    fail_first: int = 0

    def status(self, *, verified: bool) -> int:
        """The status for one delivery; counts down the failures to come."""
        if not verified:
            return 401
        if self.fail_first > 0:
            self.fail_first -= 1
            return 500
        return 500 if self.mode == "error" else 204


def is_genuine(secret: str, body: bytes, headers: Mapping[str, str]) -> bool:
    """Whether the body was signed with this secret, recently."""
    try:
        Webhook(secret).verify(body, dict(headers), json_parse=False)
    except (WebhookVerificationError, ValueError):  # ValueError: a signature that is no base64, a body no UTF-8
        return False
    return True


def create_app(secret: str, log: Path, fail_first: int = 0) -> FastAPI:
    """The receiver as an application; every attempt becomes a line of ``log`` before it is answered."""
    app = FastAPI(title="Lifeline demo receiver", docs_url=None, redoc_url=None, openapi_url=None)
    behaviour = Behaviour(fail_first=fail_first)

    @app.get("/deliveries")
    def deliveries() -> list[dict[str, Any]]:
        return read_attempts(log)

    @app.post("/behaviour", status_code=204)
    def behave(mode: Annotated[Mode, Body(embed=True)]) -> None:
        behaviour.mode = mode

    @app.post("/{path:path}")
    async def receive(path: str, request: Request) -> Response:
        body = await request.body()
        verified = is_genuine(secret, body, request.headers)
        hangs = verified and behaviour.mode == "hang" and behaviour.fail_first == 0
        status = None if hangs else behaviour.status(verified=verified)
        append_attempt(log, path=path, headers=request.headers, verified=verified, status=status, body=body)
        if status is None:
            await asyncio.sleep(LONGEST_HANG_S)
        return Response(status_code=status or 504)

    return app


def append_attempt(
    log: Path, *, path: str, headers: Mapping[str, str], verified: bool, status: int | None, body: bytes
) -> None:
    """Add one line and force it to the disk; ``status`` is None for an attempt that was never answered."""
    attempt = {
        "received_at": datetime.now(UTC).isoformat(),
        "path": f"/{path}",
        "webhook-id": headers.get("webhook-id"),
        "verified": verified,
        "status": status,
        "body": body.decode(errors="replace"),
    }
    with log.open("a", encoding="utf-8") as file:
        file.write(json.dumps(attempt, ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())


def read_attempts(log: Path) -> list[dict[str, Any]]:
    """Every attempt so far, oldest first."""
    if not log.exists():
        return []
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]


def main() -> None:
    """Serve on loopback until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m services.demo.receiver", description=main.__doc__)
    parser.add_argument("--port", type=int, required=True, help="loopback port")
    parser.add_argument("--secret-file", type=Path, required=True, help="file with the signing secret (whsec_…)")
    parser.add_argument("--log", type=Path, required=True, help="file that gets one JSON line an attempt")
    parser.add_argument("--fail-first", type=int, default=0, help="answer so many genuine deliveries with 500")
    arguments = parser.parse_args()
    secret = arguments.secret_file.read_text(encoding="utf-8").strip()
    app = create_app(secret, arguments.log, arguments.fail_first)
    uvicorn.run(app, host=LOOPBACK, port=arguments.port, log_level="warning", timeout_graceful_shutdown=1)


if __name__ == "__main__":
    main()
