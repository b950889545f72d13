"""What judgements teach: how often detectors were right, and which assets are at risk."""

from datetime import timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query

from services.api import problems, question
from services.api.judgement_answers import AssetRiskAnswer, DetectorScoreAnswer, DetectorScoresAnswer
from services.api.moment import Moment
from services.api.question import time_range
from services.api.security import Connection, Reader
from services.core.asset_risk import AssetRisk, RiskColour, risk_of, worst_first
from services.core.failure_prior import NOTHING_KNOWN
from services.core.lifeline import Lifeline
from services.core.store import alerts, cases, detector_scores, network, works_permits

router = APIRouter(tags=["judgements"])
_LONGEST = timedelta(days=3660)
_RATED = ("pipe", "conduit")
"""Kinds of asset that are graded without a history; what else broke before is graded too."""


def _risk_answer(risk: AssetRisk) -> AssetRiskAnswer:
    asset = risk.asset
    fields = {name: getattr(risk, name) for name in AssetRiskAnswer.model_fields if hasattr(risk, name)}
    of_asset = {name: getattr(asset, name) for name in ("name", "lifeline", "kind", "zone")}
    return AssetRiskAnswer.model_validate(fields | of_asset | {"asset": asset.id})


@router.get("/detector-scores", summary="How often detectors were right", responses=problems.documented(422))
async def list_scores(
    connection: Connection,
    _: Reader,
    by: Literal["zone", "sensor"] = "zone",
    lifeline: Lifeline | None = None,
    start: Moment | None = None,
    end: Moment | None = None,
) -> DetectorScoresAnswer:
    """By detector, kind and zone or sensor, of alerts raised within a span of wall time, usually the last year.

    The most false alarms first, at most 500. By sensor an alert counts for each sensor that spoke in it. A score
    informs; it keeps no alert quiet.
    """
    since, until = time_range(start, end, detector_scores.USUAL_WINDOW, _LONGEST)
    found = await detector_scores.scores(connection, since, until, lifeline=lifeline, by_sensor=by == "sensor")
    return DetectorScoresAnswer(
        start=since, end=until, scores=[DetectorScoreAnswer.model_validate(each) for each in found]
    )


@router.get(
    "/alerts/{alert}/detector-score", summary="How alerts like it turned out", responses=problems.documented(404)
)
async def get_score(alert: UUID, connection: Connection, _: Reader) -> DetectorScoreAnswer:
    """Of alerts of the same detector, kind and zone in the year before it, as far as people judged them.

    `precision` is the confidence that judgements give to it. It changes neither its severity nor whom it is told to.
    """
    known = await alerts.find(connection, alert)
    if known is None:
        raise problems.not_found("alert", alert)
    return DetectorScoreAnswer.model_validate(await detector_scores.score_of(connection, known))


@router.get("/asset-risks", summary="Assets by risk, in four colours", responses=problems.documented(422))
async def list_risks(
    connection: Connection,
    _: Reader,
    lifeline: Lifeline | None = None,
    zone: str | None = None,
    colour: RiskColour | None = None,
    limit: Annotated[int, Query(ge=1, le=5000)] = 500,
) -> list[AssetRiskAnswer]:
    """Pipes and conduits, and what else broke before; the highest risk first.

    From confirmed breaks, root causes, age, material, pressure, diameter and works that are permitted beside it now.
    """
    histories = await cases.histories(connection, lifeline)
    rated = {
        asset.id: asset
        for kind in _RATED
        for asset in await network.load_assets(connection, lifeline=lifeline, zone=zone, kind=kind)
    }
    for asset in (await network.find_assets(connection, [name for name in histories if name not in rated])).values():
        if zone is None or asset.zone == zone:
            rated[asset.id] = asset
    permits, now = await works_permits.load(connection), question.now()
    holding = [permit for permit in permits if permit.holds(now.timestamp())]
    risks = (risk_of(asset, histories.get(name, NOTHING_KNOWN), holding, now=now) for name, asset in rated.items())
    worst = worst_first(risk for risk in risks if colour is None or risk.colour is colour)
    return [_risk_answer(risk) for risk in worst[:limit]]


@router.get("/assets/{asset}/risk", summary="The risk of one asset, and why", responses=problems.documented(404))
async def get_risk(asset: str, connection: Connection, _: Reader) -> AssetRiskAnswer:
    """In four colours: red 重大, orange 较大, yellow 一般, blue 低."""
    found = await network.find_assets(connection, [asset])
    if asset not in found:
        raise problems.not_found("asset", asset)
    histories = await cases.histories(connection, found[asset].lifeline)
    permits = await works_permits.load(connection)
    return _risk_answer(risk_of(found[asset], histories.get(asset, NOTHING_KNOWN), permits, now=question.now()))
