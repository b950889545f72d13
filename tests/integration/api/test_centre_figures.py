"""The centre's figures as a document and as metrics."""

import re
from datetime import UTC, datetime

import httpx

from services.core.severity import Severity
from services.core.store import alerts, audit
from tests.integration.api.harness import alert_at, client, connected, serving


def _metric(text: str, name: str) -> dict[str, float]:
    """The values of a gauge by its labels."""
    found = re.findall(rf"^lifeline_centre_{name}(\{{.*\}})? (\S+)$", text, re.MULTILINE)
    return {labels: float(value) for labels, value in found}


async def test_figures_of_the_last_day_are_metrics_whose_labels_name_no_place(
    city_url: str, city_assets: list[str]
) -> None:
    async with connected(city_url) as connection:
        for asset, severity in zip(city_assets, (1, 1, 1, 2, 4), strict=True):
            grade = Severity(severity)
            made = alert_at(asset, severity=grade, highest_severity=grade, created_at=datetime.now(UTC))
            await alerts.add(connection, made, audit.SYSTEM)
    # A server of its own: figures are counted once a minute.
    with serving(city_url) as address:
        async with httpx.AsyncClient() as scraper:
            text = (await scraper.get(f"{address}/metrics")).text
        assert _metric(text, "alerts_busiest_10min") == {"": 5.0}
        shares = {'{priority="1"}': 0.6, '{priority="2"}': 0.2, '{priority="3"}': 0.2}
        assert _metric(text, "alerts_share") == shares
        assert set(_metric(text, "top_source_alerts")) == {f'{{rank="{rank}"}}' for rank in range(1, 6)}
        assert not any(asset in text for asset in city_assets)
        async with client(address) as api:
            document = await api.get("/alarm-figures/report")
    assert document.headers["content-type"] == "text/html; charset=utf-8"
    assert all(asset in document.text for asset in city_assets), "the document names the places"
