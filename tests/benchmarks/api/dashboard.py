"""The dashboard in headless Chromium before a whole city: what it loads, when it shows, how it pans, what it keeps."""

import asyncio
import gzip
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import CDPSession, Page, Route
from psycopg import AsyncConnection

from services.api.app import DASHBOARD
from tests.benchmarks.api.city import KEY
from tests.browser.chromium import opened_page

_MOVED_AT_ONCE = 500
_DRAG_S = 5.0
_DRAGS = 5
_REST_S = 3.0
_WATCH_FRAMES = """
() => {
  const frames_ms = window.frames_ms = [];
  let last = performance.now();
  const frame = (now) => {
    if (window.frames_ms !== frames_ms) return;
    frames_ms.push(now - last);
    last = now;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}
"""
_NO_SHAPES: dict[str, Any] = {"type": "FeatureCollection", "features": []}
_NO_ITEMS: dict[str, Any] = {"items": [], "next": None}
_NO_CITY = {
    "assets": _NO_SHAPES,
    "background": _NO_SHAPES,
    "sensors": _NO_ITEMS,
    "latest": _NO_ITEMS,
    "alerts": _NO_ITEMS,
}
_FIRST_CONTENT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"


@dataclass(frozen=True, slots=True)
class Shown:
    """What a cold page did. Times are seconds from the call for the page, sizes are gzip.

    Frames a second are of the first drag of the map, and the median of all drags.
    """

    first_content_s: float
    meaningful_s: float
    whole_city_s: float | None
    loaded_kb: float
    first_frames_per_s: float
    frames_per_s: float
    slowest_frame_ms: float


@dataclass(frozen=True, slots=True)
class Limits:
    """Frames a second that the browser here gives to a page with nothing on it, and to the map of an empty city."""

    nothing: float
    empty_map: float


@dataclass(frozen=True, slots=True)
class Kept:
    """JavaScript heap after forced collections over live updates: MB, and how it grows with values that moved."""

    heaps_mb: list[float]
    kb_per_1000: float
    moved: int


def bundle_kb() -> dict[str, float]:
    """Gzip sizes of the built dashboard's scripts and styles in all, and without the page that describes the API."""
    sizes = {
        path: len(gzip.compress(path.read_bytes())) / 1000
        for path in sorted(Path(DASHBOARD).rglob("*"))
        if path.suffix in {".js", ".css", ".html"}
    }
    description = {part for part in sizes if part.name in _parts_of(DASHBOARD / "docs" / "index.html")}
    return {
        "all": sum(sizes.values()),
        "without the API's description": sum(size for path, size in sizes.items() if path not in description),
    }


def _parts_of(page: Path) -> set[str]:
    """The files that this page alone names."""
    own, main = page.read_text(encoding="utf-8"), (DASHBOARD / "index.html").read_text(encoding="utf-8")
    names = {path.name for path in (DASHBOARD / "assets").iterdir()}
    return {name for name in names if name in own and name not in main}


async def measure_page(address: str, patience_s: float) -> Shown:
    """Open the overview with an empty cache, wait for the whole city, and drag its map."""
    async with opened_page() as page:
        loaded: list[str] = []
        page.on("request", lambda request: loaded.append(request.url))
        began = time.perf_counter()
        await page.goto(f"{address}/#key={KEY}", wait_until="commit")
        await page.get_by_test_id("alert-row").first.wait_for(timeout=patience_s * 1000)
        meaningful_s = time.perf_counter() - began
        first_ms = await page.evaluate(_FIRST_CONTENT)
        whole_city_s = await _whole_city(page, began, patience_s)
        await asyncio.sleep(5)
        loaded_kb = sum(
            len(gzip.compress(path.read_bytes())) / 1000
            for path in {DASHBOARD / url.removeprefix(address).split("?")[0].lstrip("/") for url in loaded}
            if path.is_file()
        )
        drags = await _drags(page)
        rates = [_per_s(frames_ms) for frames_ms in drags]
        return Shown(
            first_ms / 1000,
            meaningful_s,
            whole_city_s,
            loaded_kb,
            rates[0],
            statistics.median(rates),
            max(max(frames_ms) for frames_ms in drags),
        )


async def measure_limits(address: str) -> Limits:
    """The bounds of panning here: no page can be faster than the first, no map of MapLibre than the second."""
    async with opened_page() as page:
        await page.goto("about:blank")
        await page.evaluate(_WATCH_FRAMES)
        await asyncio.sleep(_DRAG_S)
        nothing = _per_s((await page.evaluate("window.frames_ms"))[1:])
    async with opened_page() as page:

        async def answer(route: Route) -> None:
            part = route.request.url.split("/api/v1/")[1].split("?")[0]
            await (route.fulfill(json=_NO_CITY[part]) if part in _NO_CITY else route.continue_())

        await page.route("**/api/v1/**", answer)
        await page.goto(f"{address}/#key={KEY}")
        await page.locator(".map-canvas canvas").wait_for()
        await asyncio.sleep(_REST_S)
        return Limits(nothing, statistics.median(_per_s(frames_ms) for frames_ms in await _drags(page)))


def _per_s(frames_ms: list[float]) -> float:
    return 1000 * len(frames_ms) / sum(frames_ms)


async def _drags(page: Page) -> list[list[float]]:
    """The frames of several drags, each after a rest."""
    drags = []
    for _ in range(_DRAGS):
        drags.append(await _drag(page))
        await asyncio.sleep(_REST_S)
    return drags


async def _whole_city(page: Page, began: float, patience_s: float) -> float | None:
    """Seconds until no answer is on its way any more but the stream; nothing when the patience ended before."""
    quiet = (
        "() => { const all = performance.getEntriesByType('resource');"
        " return ['assets', 'sensors', 'latest', 'zones'].every((part) =>"
        " all.some((one) => one.name.includes('/api/v1/' + part) && one.responseEnd > 0))"
        " && performance.now() - Math.max(...all.map((one) => one.responseEnd)) > 3000; }"
    )
    while time.perf_counter() - began < patience_s:
        if await page.evaluate(quiet):
            return time.perf_counter() - began - 3
        await asyncio.sleep(0.5)
    return None


async def _drag(page: Page) -> list[float]:
    """Milliseconds of each frame while a hand drags the map to and fro."""
    box = await page.locator(".map-canvas canvas").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.evaluate(_WATCH_FRAMES)
    began = time.perf_counter()
    step = 0
    while time.perf_counter() - began < _DRAG_S:
        step += 1
        there = abs(step % 80 - 40) / 40
        await page.mouse.move(x + 250 * there, y + 120 * there)
        await asyncio.sleep(0.016)
    frames_ms: list[float] = await page.evaluate("window.frames_ms")
    await page.mouse.up()
    return frames_ms[1:]


async def measure_memory(address: str, database_url: str, seconds: float, parts: int) -> Kept:
    """New values a second for many sensors, and the heap after each part of the time."""
    async with (
        await AsyncConnection.connect(database_url, autocommit=True) as connection,
        opened_page() as page,
    ):
        devtools = await page.context.new_cdp_session(page)
        await page.goto(f"{address}/#key={KEY}")
        await page.get_by_test_id("alert-row").first.wait_for(timeout=120_000)
        await asyncio.sleep(20)
        heaps, moved_by, moved = [await _heap_mb(devtools)], [0], 0
        for _ in range(parts):
            until = time.monotonic() + seconds / parts
            while time.monotonic() < until:
                moved += await _move(connection)
                await asyncio.sleep(1)
            heaps.append(await _heap_mb(devtools))
            moved_by.append(moved)
    # The first part fills what stays: every value that a page holds is replaced once.
    slope_mb = statistics.linear_regression(moved_by[1:], heaps[1:]).slope if parts > 1 else 0.0
    return Kept(heaps, slope_mb * 1000 * 1000, moved)


async def _heap_mb(devtools: CDPSession) -> float:
    for _ in range(2):
        await devtools.send("HeapProfiler.collectGarbage")
    return float((await devtools.send("Runtime.getHeapUsage"))["usedSize"]) / 1e6


async def _move(connection: AsyncConnection) -> int:
    """New values of sensors drawn by the database, told as ingest tells them."""
    cursor = await connection.execute(
        """
        update latest set time = time + interval '1 s', value = 100 + 10 * random(), received_at = now(),
            revision = nextval('latest_revision')
        where sensor_key in (select 1 + (random() * (select max(key) - 1 from sensor))::int
                             from generate_series(1, %s))
        """,
        (_MOVED_AT_ONCE,),
    )
    return cursor.rowcount
