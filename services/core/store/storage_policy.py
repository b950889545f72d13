"""How long readings and their summaries are kept, and in which form; from the settings."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from services.core.settings import Settings

LATENESS = timedelta(minutes=5)
"""How far behind the newest reading minutes are taken as over; what is younger is read from the readings themselves.

A device that sends once a minute and a gateway that holds back a few messages are then summarised once, not twice.
"""


@dataclass(frozen=True, slots=True)
class StoragePolicy:
    """What the settings ``storage_…`` ask for; an age of ``None`` means for ever.

    The default chunk is a day. At the 85,000 sensors of a prefecture-level city with a reading a minute a day is
    122 million rows, 13 GB with its index (104 bytes a row, measured). Memory has to hold the page of the index that
    each sensor writes to, 0.7 GB whatever the length of the chunk, so it need not hold the chunk; a sensor's 1,440
    values of a day fill the batches of 1,000 that compression works in; and a year is 365 chunks. Planning a question
    to a summary takes 0.2 ms for each chunk under the Apache licence, so whoever keeps readings for many years there
    takes longer chunks. Compression waits three days by default: the backlog of a gateway that was cut off over a
    weekend comes before it.
    """

    chunk_interval: timedelta = timedelta(days=1)
    compress_after: timedelta | None = timedelta(days=3)
    refresh_every: timedelta = timedelta(minutes=1)
    keep_raw: timedelta | None = None
    keep_1m: timedelta | None = None
    keep_1h: timedelta | None = None
    keep_1d: timedelta | None = None

    @classmethod
    def of_settings(cls, settings: Settings) -> Self:
        """The policy of a process."""
        return cls(
            chunk_interval=settings.storage_chunk_interval,
            compress_after=settings.storage_compress_after or None,
            refresh_every=settings.storage_refresh_every,
            keep_raw=settings.storage_keep_raw,
            keep_1m=settings.storage_keep_1m,
            keep_1h=settings.storage_keep_1h,
            keep_1d=settings.storage_keep_1d,
        )
