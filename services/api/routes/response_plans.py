"""Response plans: kept by version, checked against who and what is there, set going in earnest or as an exercise."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response, status
from psycopg import AsyncConnection

from services.api import problems, schemas
from services.api.exercise_message import exercise_message
from services.api.plan_answers import (
    ActivateRequest,
    ActivationAnswer,
    DepotAnswer,
    DepotRequest,
    EndRequest,
    PlanAnswer,
    PlanGapAnswer,
    PlanRequest,
    TickRequest,
)
from services.api.routes.incidents import find_incident
from services.api.security import Approver, Connection, Handler, Operator, Reader
from services.core.cap_alert import MEDIA_TYPE
from services.core.depot import Depot, Material
from services.core.incident import Incident
from services.core.lifeline import Lifeline
from services.core.response_plan import KeptPlan, PlanActivation, ResponsePlan, Roster, best, gaps
from services.core.severity import Severity
from services.core.store import (
    alerts,
    depots,
    incidents,
    network,
    organisations,
    plan_activations,
    response_plans,
    work_orders,
)
from services.core.text import Text

router = APIRouter(tags=["response plans"])


def _answer(kept: KeptPlan, roster: Roster) -> PlanAnswer:
    found = [
        PlanGapAnswer(step=gap.step, reason=schemas.TextAnswer.model_validate(gap.reason))
        for gap in gaps(kept.plan, roster)
    ]
    fields = {name: getattr(kept, name) for name in PlanAnswer.model_fields if hasattr(kept, name)}
    return PlanAnswer(**fields, gaps=found)


def _is_wanted(plan: ResponsePlan, lifeline: Lifeline | None, text: str) -> bool:
    sought = text.strip().casefold()
    titles = (plan.title.en.casefold(), plan.title.zh.casefold())
    return (lifeline is None or plan.lifeline is lifeline) and any(sought in title for title in titles)


@router.get("/response-plans", summary="Response plans")
async def list_plans(
    connection: Connection,
    _: Reader,
    alert: Annotated[UUID | None, Query(description="only those for this alert, the closest first")] = None,
    lifeline: Lifeline | None = None,
    text: Annotated[str, Query(max_length=500, description="a part of the title, in English or Chinese")] = "",
) -> list[PlanAnswer]:
    """The version in force of each, with what it lacks today: people who left, stock that is short."""
    plans = [kept for kept in await response_plans.load_plans(connection) if _is_wanted(kept.plan, lifeline, text)]
    if alert is not None:
        known = await alerts.find(connection, alert)
        if known is None:
            raise problems.not_valid("query.alert", f"there is no alert {alert}")
        plans = best(plans, known.lifeline, known.kind, known.highest_severity, (known.zone, known.asset))
    roster = await response_plans.load_roster(connection, datetime.now(UTC))
    return [_answer(plan, roster) for plan in plans]


@router.get("/response-plans/{plan}", summary="Every version of a plan", responses=problems.documented(404))
async def get_plan(plan: str, connection: Connection, _: Reader) -> list[PlanAnswer]:
    """The newest first."""
    found = await response_plans.versions_of(connection, plan)
    if not found:
        raise problems.not_found("response plan", plan)
    roster = await response_plans.load_roster(connection, datetime.now(UTC))
    return [_answer(each, roster) for each in found]


@router.put(
    "/response-plans/{plan}", summary="Put a version of a plan in force", responses=problems.documented(404, 409)
)
async def put_plan(
    plan: Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,99}$")],
    request: PlanRequest,
    connection: Connection,
    caller: Approver,
) -> PlanAnswer:
    """A new plan, or the next version of one; plans that run keep the version with which they began."""
    now = datetime.now(UTC)
    kept = await response_plans.add(connection, plan, request.plan, author=caller.actor, reason=request.reason, now=now)
    return _answer(kept, await response_plans.load_roster(connection, now))


@router.get("/plan-activations", summary="Plans that run")
async def list_activations(
    connection: Connection,
    _: Reader,
    running: Annotated[bool, Query(description="false: those that are over, too")] = True,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> list[ActivationAnswer]:
    """Oldest first, with their steps."""
    found = await plan_activations.newest(connection, running_alone=running, limit=limit)
    return [_activation(each) for each in found]


def _activation(activation: PlanActivation) -> ActivationAnswer:
    return ActivationAnswer.model_validate(asdict(activation))


@router.post(
    "/plan-activations",
    summary="Set a plan going",
    status_code=status.HTTP_201_CREATED,
    responses=problems.documented(409),
)
async def activate(request: ActivateRequest, connection: Connection, caller: Operator) -> ActivationAnswer:
    """For an `incident`, in earnest; or as an exercise, `exercise_at` an asset: the public is told nothing then.

    An exercise sends the owner a work order, marked as one, with clocks like any other until the exercise ends.
    """
    plans = {plan.id: plan for plan in await response_plans.load_plans(connection)}
    kept = plans.get(request.plan)
    if kept is None:
        raise problems.not_valid("body.plan", f"there is no response plan {request.plan}")
    now = datetime.now(UTC)
    incident = await _incident(connection, request, kept, caller.actor, now)
    if incident.closed_at is not None:
        raise problems.over("incident", incident.id)
    owner = await organisations.responsible_organisation(connection, incident.asset, incident.lifeline)
    roster = await response_plans.load_roster(connection, now)
    order = await _exercise_order(connection, kept, incident, owner, caller.actor, now)
    activation = await plan_activations.activate(
        connection, kept, incident, roster, owner=owner, order=order, actor=caller.actor, now=now
    )
    return _activation(activation)


async def _exercise_order(
    connection: AsyncConnection, kept: KeptPlan, incident: Incident, owner: str | None, actor: str, now: datetime
) -> UUID | None:
    """The order that an exercise sends to the owner; in earnest it comes from the alert."""
    if not incident.is_exercise:
        return None
    assets = await network.find_assets(connection, [incident.asset])
    errand = work_orders.Errand(
        severity=Severity(kept.plan.severity_from), organisation=owner, title=kept.plan.title.text
    )
    zone = assets[incident.asset].zone
    return (await work_orders.begin_exercise(connection, incident, zone, errand, actor=actor, now=now)).id


async def _incident(
    connection: AsyncConnection, request: ActivateRequest, kept: KeptPlan, actor: str, now: datetime
) -> Incident:
    if (request.incident is None) == (request.exercise_at is None):
        raise problems.not_valid("body", "name an incident, or the asset of an exercise, and not both")
    if request.incident is not None:
        known = await incidents.find(connection, request.incident, lock=True)
        if known is None:
            raise problems.not_valid("body.incident", f"there is no incident {request.incident}")
        return known
    asset = request.exercise_at or ""
    if asset not in await network.find_assets(connection, [asset]):
        raise problems.not_valid("body.exercise_at", f"there is no asset {asset}")
    title = kept.plan.title.text
    begun = await incidents.begin(connection, kept.plan.lifeline, asset, title, is_exercise=True, actor=actor, now=now)
    return await find_incident(connection, begun)


async def _find(connection: AsyncConnection, activation: UUID, *, lock: bool = False) -> PlanActivation:
    known = await plan_activations.find(connection, activation, lock=lock)
    if known is None:
        raise problems.not_found("plan activation", activation)
    return known


@router.get("/plan-activations/{activation}", summary="One plan that runs", responses=problems.documented(404))
async def get_activation(activation: UUID, connection: Connection, _: Reader) -> ActivationAnswer:
    """Its steps with names and clocks."""
    return _activation(await _find(connection, activation))


@router.post(
    "/plan-activations/{activation}/steps/{number}/done",
    summary="Tick a step off",
    responses=problems.documented(404, 409),
)
async def tick(
    activation: UUID, number: int, connection: Connection, caller: Handler, request: TickRequest | None = None
) -> ActivationAnswer:
    """With the time and the name of who says so; the first one counts."""
    known = await _find(connection, activation, lock=True)
    step = next((each for each in known.steps if each.number == number), None)
    if step is None:
        raise problems.not_found("step", number)
    if known.ended_at is not None:
        raise problems.over("plan activation", activation)
    if step.done_at is not None:
        raise problems.not_possible("step", f"{step.done_by} has ticked it off at {step.done_at.isoformat()}")
    note = None if request is None else request.note
    now = datetime.now(UTC)
    return _activation(await plan_activations.tick(connection, known, step, note, actor=caller.actor, now=now))


@router.post("/plan-activations/{activation}/end", summary="End a plan", responses=problems.documented(404, 409))
async def end(activation: UUID, request: EndRequest, connection: Connection, caller: Operator) -> ActivationAnswer:
    """Done or not: which steps were open is kept."""
    known = await _find(connection, activation, lock=True)
    if known.ended_at is not None:
        raise problems.over("plan activation", activation)
    now = datetime.now(UTC)
    return _activation(await plan_activations.end(connection, known, request.note, actor=caller.actor, now=now))


@router.get(
    "/plan-activations/{activation}/cap.xml",
    summary="The public message of an exercise",
    response_class=Response,
    responses=problems.documented(404, 409) | {200: {"content": {MEDIA_TYPE: {"schema": {"type": "string"}}}}},
)
async def get_exercise_message(activation: UUID, request: Request, connection: Connection, _: Reader) -> Response:
    """What the public would have been told, as a CAP message with status `Exercise`; it goes to no channel and no feed.

    In earnest the public is told by the warning, which has a message of its own.
    """
    known = await _find(connection, activation)
    if not known.is_exercise or known.public_message is None:
        raise problems.not_possible("plan activation", "it is no exercise, or its plan has no public message")
    incident = await find_incident(connection, known.incident)
    assets = await network.find_assets(connection, [incident.asset])
    asset = assets.get(incident.asset)
    message = exercise_message(known, incident, known.public_message, asset, request.app.state.city)
    return Response(message, media_type=MEDIA_TYPE)


@router.get("/depots", summary="Where material lies")
async def list_depots(connection: Connection, _: Reader) -> list[DepotAnswer]:
    """Each depot with its stock and when it was counted."""
    return [DepotAnswer.model_validate(asdict(each)) for each in await depots.load_depots(connection)]


@router.get("/depots/{depot}", summary="One depot", responses=problems.documented(404))
async def get_depot(depot: str, connection: Connection, _: Reader) -> DepotAnswer:
    """Its stock and when it was counted."""
    found = await depots.find(connection, depot)
    if found is None:
        raise problems.not_found("depot", depot)
    return DepotAnswer.model_validate(asdict(found))


@router.put("/depots/{depot}", summary="Keep a depot and its stock", responses=problems.documented(404))
async def put_depot(
    depot: Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,99}$")],
    request: DepotRequest,
    connection: Connection,
    caller: Operator,
) -> DepotAnswer:
    """Adds it, or replaces what was known of it; plans whose material is short say so from then on."""
    if request.organisation not in await organisations.load_organisations(connection):
        raise problems.not_valid("body.organisation", f"there is no organisation {request.organisation}")
    now = datetime.now(UTC)
    materials = [
        Material(each.id, Text(each.name.en, each.name.zh), each.stock, each.unit, now, caller.actor)
        for each in request.materials
    ]
    if len({each.id for each in materials}) != len(materials):
        raise problems.not_valid("body.materials", "a material is named twice")
    kept = Depot(depot, request.organisation, Text(request.name.en, request.name.zh), request.position, materials)
    return DepotAnswer.model_validate(asdict(await depots.save(connection, kept, actor=caller.actor)))
