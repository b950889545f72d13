"""Beside the steps of a work order: who could take it, what the field says, and who presses for it."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from fastapi import APIRouter, status
from psycopg import AsyncConnection

from services.api import problems, schemas, views
from services.api.disposal_answers import (
    AssigneeAnswer,
    AttachmentAnswer,
    EscalateRequest,
    FieldFeedbackAnswer,
    FieldFeedbackRequest,
    OrderRecordAnswer,
    OrderStepAnswer,
    SuperviseRequest,
    SupervisionAnswer,
    SupervisionReplyRequest,
)
from services.api.security import Approver, Connection, Handler, Reader
from services.core.assignment import proposal
from services.core.field_feedback import FieldFeedback, Measurement
from services.core.geometry import centre
from services.core.store import (
    attachments,
    field_feedbacks,
    forces,
    network,
    order_marks,
    order_moves,
    organisations,
    work_orders,
)
from services.core.work_order import WorkOrder

router = APIRouter(tags=["work orders"])
_CLOCKS_DIFFER = timedelta(minutes=10)


async def find_order(connection: AsyncConnection, order: UUID, *, lock: bool = False) -> WorkOrder:
    """The order, or the answer that there is none."""
    known = await work_orders.find(connection, order, lock=lock)
    if known is None:
        raise problems.not_found("work order", order)
    return known


def still_running(order: WorkOrder) -> None:
    """Nothing is added to what is closed: reopen it first."""
    if order.closed_at is not None:
        raise problems.over("work order", order.id)


@router.get("/work-orders/{order}/record", summary="All that was said and done", responses=problems.documented(404))
async def get_record(order: UUID, connection: Connection, _: Reader) -> OrderRecordAnswer:
    """Steps with the moments at which they had been due, feedback, files, and what the regulator asked for."""
    await find_order(connection, order)
    return OrderRecordAnswer(
        steps=[OrderStepAnswer.model_validate(each) for each in await order_moves.steps_of(connection, [order])],
        feedback=[_feedback(each) for each in await field_feedbacks.of_orders(connection, [order])],
        attachments=[
            AttachmentAnswer.model_validate(each) for each in await attachments.of_orders(connection, [order])
        ],
        supervisions=[
            SupervisionAnswer.model_validate(each) for each in await order_marks.supervisions_of(connection, [order])
        ],
    )


def _feedback(feedback: FieldFeedback) -> FieldFeedbackAnswer:
    return FieldFeedbackAnswer.model_validate(asdict(feedback))


@router.get("/work-orders/{order}/proposal", summary="Who could take an order", responses=problems.documented(404))
async def get_proposal(order: UUID, connection: Connection, _: Reader) -> list[AssigneeAnswer]:
    """Best first: who owns the asset, is on duty, is near and has less to do; a person decides."""
    known = await find_order(connection, order)
    assets = await network.find_assets(connection, [known.asset])
    place = centre(assets[known.asset].geometry) if known.asset in assets else None
    owner = await organisations.responsible_organisation(connection, known.asset, known.lifeline)
    ranked = proposal(await forces.load_forces(connection, datetime.now(UTC)), known.lifeline, owner, place)
    return [
        AssigneeAnswer(
            organisation=each.organisation.id,
            organisation_name=schemas.TextAnswer.model_validate(each.organisation.name),
            person=None if each.person is None else each.person.id,
            person_name=None if each.person is None else each.person.name,
            phone=None if each.person is None else each.person.phone,
            owns_asset=each.owns_asset,
            on_duty=each.on_duty,
            running_orders=each.running_orders,
            distance_m=each.distance_m,
            reasons=[schemas.TextAnswer.model_validate(reason) for reason in each.reasons],
        )
        for each in ranked
    ]


@router.post(
    "/work-orders/{order}/feedback",
    summary="Say something from the field",
    status_code=status.HTTP_201_CREATED,
    responses=problems.documented(404, 409),
)
async def add_feedback(
    order: UUID, request: FieldFeedbackRequest, connection: Connection, caller: Handler
) -> FieldFeedbackAnswer:
    """Words, measurements, a place. A phone without signal sends later, under the same `id`, with `at`."""
    known = await find_order(connection, order)
    earlier = None if request.id is None else await field_feedbacks.find(connection, request.id)
    if earlier is not None:
        if earlier.work_order != order:
            raise problems.exists_already("feedback", request.id)
        return _feedback(earlier)
    still_running(known)
    now = datetime.now(UTC)
    at = request.at or now
    if at > now + _CLOCKS_DIFFER:
        raise problems.not_valid("body.at", "it lies in the future")
    feedback = FieldFeedback(
        id=request.id or uuid4(),
        work_order=order,
        round=known.round,
        author=caller.actor,
        at=min(at, now),
        received_at=now,
        text=request.text,
        measurements=[Measurement(each.quantity, each.value, each.unit) for each in request.measurements],
        position=request.position,
    )
    await field_feedbacks.add(connection, feedback)
    return _feedback(feedback)


@router.post(
    "/work-orders/{order}/escalate",
    summary="Tell those above that it does not go on",
    responses=problems.documented(404, 409),
)
async def escalate(
    order: UUID, request: EscalateRequest, connection: Connection, caller: Handler
) -> schemas.WorkOrderAnswer:
    """The regulator and the emergency bureau are told; the order stays where it stands."""
    known = await find_order(connection, order, lock=True)
    still_running(known)
    changed = await order_marks.escalate(connection, known, request.note, actor=caller.actor)
    return (await views.answer_work_orders(connection, [changed]))[0]


@router.post(
    "/work-orders/{order}/supervise",
    summary="Press for an order as its regulator",
    status_code=status.HTTP_201_CREATED,
    responses=problems.documented(404, 409),
)
async def supervise(
    order: UUID, request: SuperviseRequest, connection: Connection, caller: Approver
) -> SupervisionAnswer:
    """The organisation is told, and has to answer by then (督办)."""
    known = await find_order(connection, order, lock=True)
    still_running(known)
    now = datetime.now(UTC)
    asked = await order_marks.supervise(connection, known, request.text, request.due_at, actor=caller.actor, now=now)
    return SupervisionAnswer.model_validate(asked)


@router.post(
    "/supervisions/{supervision}/answer",
    summary="Answer the regulator",
    responses=problems.documented(404, 409),
)
async def answer_supervision(
    supervision: UUID, request: SupervisionReplyRequest, connection: Connection, caller: Handler
) -> SupervisionAnswer:
    """What was done about it; the first answer counts."""
    asked = await order_marks.find_supervision(connection, supervision)
    if asked is None:
        raise problems.not_found("supervision", supervision)
    now = datetime.now(UTC)
    answered = await order_marks.answer_supervision(connection, asked, request.text, actor=caller.actor, now=now)
    return SupervisionAnswer.model_validate(answered)
