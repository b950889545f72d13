"""Signs from time to time where the audit trail ends."""

import asyncio
from datetime import UTC, datetime

import psycopg
import structlog

from services.core.audit_chain import Checkpoint
from services.core.audit_key import signing_key
from services.core.settings import Settings
from services.core.store.audit_checkpoints import take_checkpoint

log = structlog.get_logger()


async def sign_from_time_to_time(settings: Settings) -> None:
    """Sign the trail as often as the settings say, for ever; what keeps it from being signed is logged and tried again.

    A trail in which nothing was written since is not signed anew.
    """
    while True:
        await asyncio.sleep(settings.audit_checkpoint_every.total_seconds())
        try:
            signed = await asyncio.to_thread(sign_now, settings)
        except (OSError, ValueError, psycopg.Error) as error:
            log.warning("the audit trail could not be signed", reason=str(error).strip().split("\n")[0])
            continue
        if signed is not None:
            log.info("audit trail signed", position=signed.position, hash=signed.hash.hex())


def sign_now(settings: Settings) -> Checkpoint | None:
    """Sign where the trail ends with the key of this machine; ``None`` where nothing was written since the last time.

    Raises:
        OSError: the key cannot be read or made.
        ValueError: the key's file holds something else.
        psycopg.Error: the database is away or does not let us.
    """
    if settings.database_url is None:
        return None
    key = signing_key(settings.data_dir)
    with psycopg.connect(settings.database_url.get_secret_value(), autocommit=True) as connection:
        return take_checkpoint(connection, key, datetime.now(UTC), if_moved=True)
