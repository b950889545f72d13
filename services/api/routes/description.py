"""The description of the API itself."""

from typing import Any

from fastapi import APIRouter, Request

from services.api.security import Reader

router = APIRouter(tags=["description"])


@router.get("/openapi.json", summary="This description (OpenAPI)")
async def get_description(request: Request, _: Reader) -> dict[str, Any]:
    """Every route with what it takes, what it answers and how it can fail."""
    described: dict[str, Any] = request.app.openapi()
    return described
