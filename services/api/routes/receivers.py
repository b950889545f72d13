"""Receivers: who is told by which way, whether it works, and a message to try it with."""

import secrets as randomness
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Request
from psycopg import AsyncConnection

from services.api import problems
from services.api.receiver_answers import (
    CreatedReceiverAnswer,
    ReceiverAnswer,
    ReceiverChangeRequest,
    ReceiverRequest,
    RotatedSecretAnswer,
    RotateSecretRequest,
    TestMessageAnswer,
    audited,
    receiver_answer,
)
from services.api.security import Administrator, Connection, Operator
from services.core.channel import (
    SIGNING,
    Channel,
    ReceiverNotValidError,
    check_receiver,
    check_signing_secret,
    headers_without_secrets,
    named_secrets,
    new_signing_secret,
    without_secrets,
)
from services.core.organisation import Receiver
from services.core.store import audit, notifications, organisations, receiver_health
from services.core.trial_message import trial_message

router = APIRouter(tags=["receivers"])
_SIGNED = frozenset({Channel.WEBHOOK, Channel.DINGTALK, Channel.FEISHU})
_RANDOM_BYTES = 32


@router.get("/receivers", summary="Who is told, by which way, and whether it works")
async def list_receivers(connection: Connection, _: Operator) -> list[ReceiverAnswer]:
    """Every receiver, those that are switched off among them."""
    now = datetime.now(UTC)
    health = await receiver_health.load(connection)
    return [
        receiver_answer(receiver, health.get(receiver.id), now)
        for receiver in await organisations.load_receivers(connection, enabled_alone=False)
    ]


@router.get("/receivers/{receiver}", summary="One receiver", responses=problems.documented(404))
async def get_receiver(receiver: str, connection: Connection, _: Operator) -> ReceiverAnswer:
    """A receiver with its health."""
    return await _answer(connection, await _known(connection, receiver))


@router.post("/receivers", summary="Add a receiver", status_code=201, responses=problems.documented(409))
async def create_receiver(
    request: ReceiverRequest, connection: Connection, caller: Administrator
) -> CreatedReceiverAnswer:
    """Secrets may be sent apart and named as `{{name}}`; what stands in a query or a header is kept as one anyway."""
    if request.organisation not in await organisations.load_organisations(connection):
        raise problems.not_valid("body.organisation", "there is no such organisation")
    if await organisations.find_receiver(connection, request.id) is not None:
        raise problems.exists_already("receiver", request.id)
    made = None
    if request.secret is None and request.channel is Channel.WEBHOOK:
        made = new_signing_secret(randomness.token_bytes(_RANDOM_BYTES))
    receiver = _described(
        Receiver(
            id=request.id,
            organisation=request.organisation,
            url=request.url,
            secret=request.secret or made or "",
            minimum_severity=request.minimum_severity,
            channel=request.channel,
        ),
        request.url,
        request.settings,
        request.secrets,
    )
    await organisations.save_receiver(connection, receiver)
    await _follow(connection, receiver, actor=caller.actor, action="create", before=None)
    shown = await _answer(connection, receiver)
    return CreatedReceiverAnswer(**shown.model_dump(), secret=made)


@router.patch("/receivers/{receiver}", summary="Change or switch off a receiver", responses=problems.documented(404))
async def change_receiver(
    receiver: str, request: ReceiverChangeRequest, connection: Connection, caller: Administrator
) -> ReceiverAnswer:
    """What is not named stays. A receiver that was left alone because it failed is tried again at once."""
    known = await _known(connection, receiver)
    changed = _described(
        known,
        known.url if request.url is None else request.url,
        known.settings if request.settings is None else request.settings,
        {**known.secrets, **(request.secrets or {})},
    )
    if request.minimum_severity is not None:
        changed = replace(changed, minimum_severity=request.minimum_severity)
    if request.enabled is not None:
        changed = replace(changed, enabled=request.enabled)
    await organisations.save_receiver(connection, changed)
    await receiver_health.forget_pause(connection, receiver)
    await _follow(connection, changed, actor=caller.actor, action="change", before=known)
    return await _answer(connection, changed)


@router.post(
    "/receivers/{receiver}/secret", summary="Change the signing secret", responses=problems.documented(404, 409)
)
async def rotate_secret(
    receiver: str, request: RotateSecretRequest, connection: Connection, caller: Administrator
) -> RotatedSecretAnswer:
    """From now on messages are signed with the new secret, and with the old one as well until the overlap is over."""
    known = await _known(connection, receiver)
    if known.channel not in _SIGNED:
        raise problems.not_possible("receiver", f"{known.channel} signs nothing")
    made = None
    if request.secret is None:
        made = new_signing_secret(randomness.token_bytes(_RANDOM_BYTES))
    secret = request.secret or made or ""
    try:
        check_signing_secret(known.channel, secret)
    except ReceiverNotValidError as error:
        raise problems.not_valid(f"body.{error.field}", str(error)) from None
    overlap = timedelta(seconds=request.overlap_s)
    await organisations.rotate_secret(connection, receiver, secret, overlap=overlap)
    await _follow(connection, known, actor=caller.actor, action="rotate", before=known)
    return RotatedSecretAnswer(secret=made, previous_until=datetime.now(UTC) + overlap)


@router.post(
    "/receivers/{receiver}/test",
    summary="Send a test message",
    status_code=202,
    responses=problems.documented(404, 409),
)
async def test_receiver(receiver: str, http: Request, connection: Connection, caller: Operator) -> TestMessageAnswer:
    """It says that it is a test, takes the same way as any other, and its attempts are in `/notifications/{id}`."""
    known = await _known(connection, receiver)
    message = trial_message(known, uuid4(), http.app.state.city, datetime.now(UTC))
    await notifications.enqueue(connection, message)
    await _follow(connection, known, actor=caller.actor, action="test", before=known)
    return TestMessageAnswer(notification=message.id)


@router.post(
    "/receivers/{receiver}/resume", summary="Try a paused receiver at once", responses=problems.documented(404, 409)
)
async def resume_receiver(receiver: str, connection: Connection, caller: Operator) -> ReceiverAnswer:
    """Whatever it was left alone for is forgotten; messages that wait for it go out with their next try."""
    known = await _known(connection, receiver)
    await receiver_health.forget_pause(connection, receiver)
    await _follow(connection, known, actor=caller.actor, action="resume", before=known)
    return await _answer(connection, known)


def _described(receiver: Receiver, url: str, settings: Any, secrets: Any) -> Receiver:
    """The receiver with this description, its secrets taken out of it.

    Raises:
        Problem: the description cannot be used.
    """
    try:
        address, found = without_secrets(receiver.channel, url)
        headers = settings.get("headers", {})
        shown, proofs = headers_without_secrets(headers) if isinstance(headers, dict) else (headers, {})
        described = {**settings, **({"headers": shown} if "headers" in settings else {})}
        kept = {**secrets, **found, **proofs}
        check_receiver(receiver.channel, address, described, kept)
        check_signing_secret(receiver.channel, receiver.secret)
    except ReceiverNotValidError as error:
        raise problems.not_valid(f"body.{error.field}", str(error)) from None
    used = named_secrets(address, described)
    return replace(
        receiver,
        url=address,
        settings=described,
        secrets={name: value for name, value in kept.items() if name in used and name != SIGNING},
    )


async def _known(connection: AsyncConnection, receiver: str) -> Receiver:
    known = await organisations.find_receiver(connection, receiver)
    if known is None:
        raise problems.not_found("receiver", receiver)
    return known


async def _answer(connection: AsyncConnection, receiver: Receiver) -> ReceiverAnswer:
    health = await receiver_health.load(connection)
    return receiver_answer(receiver, health.get(receiver.id), datetime.now(UTC))


async def _follow(
    connection: AsyncConnection, receiver: Receiver, *, actor: str, action: str, before: Receiver | None
) -> None:
    await audit.record(
        connection,
        actor=actor,
        action=f"receiver.{action}",
        subject_kind="receiver",
        subject=receiver.id,
        before=None if before is None else audited(before),
        after=audited(receiver),
    )
