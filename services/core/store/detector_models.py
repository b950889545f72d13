"""Models of detectors as rows."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from services.core.detector_model import DetectorModel, HoldBack, ModelState
from services.core.store import audit, register
from services.core.text import Text

SUBJECT = "detector-model"
"""How the audit trail calls a model."""


def _model(row: Mapping[str, Any]) -> DetectorModel:
    return DetectorModel(
        rule=row["rule"],
        target=row["target"],
        zone=row["zone"],
        version=row["version"],
        state=ModelState(row["state"]),
        detector=row["detector"],
        detector_version=row["detector_version"],
        configuration=row["configuration"],
        code_version=row["code_version"],
        trained_from=row["trained_from"],
        trained_until=row["trained_until"],
        held_back_until=row["held_back_until"],
        fingerprint=row["fingerprint"],
        parameters=row["parameters"],
        scores=HoldBack(**row["scores"]),
        predecessor=None if row["predecessor"] is None else HoldBack(**row["predecessor"]),
        reason=None if row["reason_en"] is None else Text(row["reason_en"], row["reason_zh"]),
        created_at=row["created_at"],
        promoted_at=row["promoted_at"],
    )


async def add(connection: AsyncConnection, model: DetectorModel) -> DetectorModel:
    """Keep a new model under the next number of its rule and target; it is a candidate."""
    await connection.execute(
        "select pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"detector_model {model.rule} {model.target}",)
    )
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            """
            insert into detector_model (rule, target, version, zone, state, detector, detector_version, configuration,
                code_version, trained_from, trained_until, held_back_until, fingerprint, parameters, scores,
                predecessor, reason_en, reason_zh)
            select %(rule)s, %(target)s, coalesce(max(version), 0) + 1, %(zone)s, 'candidate', %(detector)s,
                %(detector_version)s, %(configuration)s, %(code_version)s, %(trained_from)s, %(trained_until)s,
                %(held_back_until)s, %(fingerprint)s, %(parameters)s, %(scores)s, %(predecessor)s, %(reason_en)s,
                %(reason_zh)s
            from detector_model where rule = %(rule)s and target = %(target)s
            returning version, created_at
            """,
            {
                "rule": model.rule,
                "target": model.target,
                "zone": model.zone,
                "detector": model.detector,
                "detector_version": model.detector_version,
                "configuration": model.configuration,
                "code_version": model.code_version,
                "trained_from": model.trained_from,
                "trained_until": model.trained_until,
                "held_back_until": model.held_back_until,
                "fingerprint": model.fingerprint,
                "parameters": Jsonb(dict(model.parameters)),
                "scores": Jsonb(asdict(model.scores)),
                "predecessor": None if model.predecessor is None else Jsonb(asdict(model.predecessor)),
                "reason_en": None if model.reason is None else model.reason.en,
                "reason_zh": None if model.reason is None else model.reason.zh,
            },
        )
        row = await cursor.fetchone()
    if row is None:
        raise AssertionError("an insert that returns gave no row")
    return replace(model, version=row["version"], state=ModelState.CANDIDATE, created_at=row["created_at"])


async def promote(connection: AsyncConnection, rule: str, target: str, version: int, *, actor: str) -> None:
    """Put a model into use, and the one before it out of use; detection takes it up at once.

    Raises:
        LookupError: there is no such model.
    """
    async with connection.transaction():
        cursor = await connection.execute(
            "select version, state from detector_model where rule = %s and target = %s order by version for update",
            (rule, target),
        )
        states: dict[int, str] = {row[0]: row[1] for row in await cursor.fetchall()}
        if version not in states:
            raise LookupError(f"{rule} has no model {version} of {target}")
        before = [each for each, state in states.items() if state == ModelState.ACTIVE]
        if before == [version]:
            return
        await connection.execute(
            "update detector_model set state = 'retired' where rule = %s and target = %s and state = 'active'",
            (rule, target),
        )
        await connection.execute(
            """
            update detector_model set state = 'active', promoted_at = now()
            where rule = %s and target = %s and version = %s
            """,
            (rule, target, version),
        )
        await audit.record(
            connection,
            actor=actor,
            action="promote",
            subject_kind=SUBJECT,
            subject=f"{rule} {target}",
            before={"version": before[0]} if before else None,
            after={"version": version},
        )
        # The zone engines are built anew when the register changes, and so they are when a model does.
        await connection.execute("select pg_notify(%s, '')", (register.CHANNEL,))


async def in_use(connection: AsyncConnection) -> list[DetectorModel]:
    """Every active model."""
    return await _select(connection, "state = 'active'", ())


async def find(connection: AsyncConnection, rule: str, target: str, version: int | None = None) -> DetectorModel | None:
    """One version of a model; without a number the active one."""
    chosen = "state = 'active'" if version is None else "version = %s"
    numbers = () if version is None else (version,)
    found = await _select(connection, f"rule = %s and target = %s and {chosen}", (rule, target, *numbers))
    return found[0] if found else None


async def list_models(
    connection: AsyncConnection, *, rule: str | None = None, target: str | None = None, state: ModelState | None = None
) -> list[DetectorModel]:
    """The models that match, by rule, target and version."""
    return await _select(
        connection,
        "(%s::text is null or rule = %s) and (%s::text is null or target = %s) and (%s::text is null or state = %s)",
        (rule, rule, target, target, state, state),
    )


async def _select(connection: AsyncConnection, where: str, parameters: tuple[Any, ...]) -> list[DetectorModel]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            f"select * from detector_model where {where} order by rule, target, version".encode(), parameters
        )
        return [_model(row) for row in await cursor.fetchall()]
