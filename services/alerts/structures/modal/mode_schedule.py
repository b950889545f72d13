"""Looking for modes in what the gateways of bridges uploaded: a periodic job of the alert process."""

from collections.abc import Callable
from datetime import UTC, datetime

import structlog
from procrastinate import App

from services.alerts.structures.modal.examination import Examined, Examiner, examining, is_available
from services.core.store import bridge_modes, vibration_windows
from services.core.store.pool import Pool
from services.core.store.vibration_windows import StoredWindow

_EVERY_MINUTE = "* * * * *"
"""So that a mode's frequency is judged in the row of ten minutes that it belongs to."""
_WINDOWS_AT_ONCE = 20
_UNFIT = (ValueError, ArithmeticError)

log = structlog.get_logger()


async def identify_windows(pool: Pool, now: Callable[[], datetime]) -> int:
    """Look at every window that nobody has looked at, oldest first; returns how many there were."""
    looked_at = 0
    async with examining() as examiner:
        while True:
            async with pool.connection() as connection:
                waiting = await vibration_windows.unidentified(connection, _WINDOWS_AT_ONCE)
            for stored in waiting:
                await _identify(pool, examiner, stored, now)
            looked_at += len(waiting)
            if len(waiting) < _WINDOWS_AT_ONCE:
                return looked_at


async def _identify(pool: Pool, examiner: Examiner, stored: StoredWindow, now: Callable[[], datetime]) -> None:
    window = stored.window
    async with pool.connection() as connection:
        known = await bridge_modes.known(connection, window.zone)
    examined: Examined | None = None
    try:
        examined = await examiner.examine(window, known)
    except _UNFIT as error:
        log.warning("a window could not be decomposed", gateway=window.gateway, start=window.started_at, why=str(error))
    async with pool.connection() as connection:
        found = 0 if examined is None else examined.modes_found
        is_first = await vibration_windows.mark_identified(connection, stored.number, now(), found)
        if is_first and examined is not None:
            tracked = examined.tracked
            await bridge_modes.save(connection, window.zone, tracked.modes, tracked.sightings)
            await bridge_modes.store_readings(connection, window.zone, tracked.sightings, now())


def schedule_identification(app: App, pool: Pool, queue: str) -> None:
    """Let the worker of ``queue`` look; without the library windows are kept and nobody looks at them."""
    if not is_available():
        log.info("modes are not identified: the extra 'modes' is not installed")
        return

    @app.periodic(cron=_EVERY_MINUTE)
    @app.task(name="identify-modes", queue=queue, lock="identify-modes", queueing_lock="identify-modes")
    async def identify_all(timestamp: int) -> None:
        try:
            await identify_windows(pool, lambda: datetime.now(UTC))
            async with pool.connection() as connection:
                await vibration_windows.drop_old(connection, datetime.fromtimestamp(timestamp, UTC))
        except Exception:
            # The job library keeps what failed and says nothing; the next minute is another attempt.
            log.exception("identifying modes failed")
            raise
