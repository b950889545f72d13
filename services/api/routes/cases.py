"""Cases: what was done last time, here or somewhere like it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from services.api import problems
from services.api.case_answers import CaseAnswer, answer_of
from services.api.security import Connection, Reader
from services.core.case import Sought, words_of
from services.core.geometry import centre
from services.core.lifeline import Lifeline
from services.core.store import alerts, cases, network

router = APIRouter(tags=["cases"])
_Limit = Annotated[int, Query(ge=1, le=50)]


@router.get("/cases", summary="Search what people have judged or closed", responses=problems.documented(422))
async def search_cases(
    connection: Connection,
    _: Reader,
    text: Annotated[str, Query(max_length=500, description="words, in English or Chinese")] = "",
    lifeline: Lifeline | None = None,
    kind: str | None = None,
    asset: str | None = None,
    limit: _Limit = 10,
) -> list[CaseAnswer]:
    """The most alike first; ask for a text, a kind or an asset at least."""
    words = words_of(text)
    if not words and kind is None and asset is None:
        raise problems.not_valid("query.text", "give a text with words, a kind or an asset to search for")
    known = await network.find_assets(connection, [] if asset is None else [asset])
    place = next((centre(each.geometry) for each in known.values()), None)
    sought = Sought(lifeline=lifeline, kind=kind, asset=asset, place=place, words=words)
    return [answer_of(each) for each in await cases.similar(connection, sought, limit)]


@router.get(
    "/alerts/{alert}/similar-cases",
    summary="What was done last time, here or somewhere like it",
    responses=problems.documented(404),
)
async def list_similar_cases(alert: UUID, connection: Connection, _: Reader, limit: _Limit = 5) -> list[CaseAnswer]:
    """Cases like an alert by kind, asset, place and words, without its own; the most alike first."""
    known = await alerts.find(connection, alert)
    if known is None:
        raise problems.not_found("alert", alert)
    asset = (await network.find_assets(connection, [known.asset])).get(known.asset)
    sought = Sought(
        lifeline=known.lifeline,
        kind=known.kind,
        asset=known.asset,
        asset_kind=None if asset is None else asset.kind,
        place=None if asset is None else centre(asset.geometry),
        words=words_of(known.explanation.en, known.explanation.zh),
    )
    return [answer_of(each) for each in await cases.similar(connection, sought, limit, without=alert)]
