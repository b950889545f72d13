"""What crews handed over before there was one hand-over is still there, and one of each post waits at the most."""

import json
from pathlib import Path
from uuid import UUID

import psycopg
import sqlalchemy
from alembic import command
from alembic.config import Config

from services.core.store import limited_views, migrations
from services.core.store.migrations import migrate

_STANDING = [
    {
        "order": str(UUID(int=7)),
        "title": {"en": "Leak", "zh": "泄漏"},
        "state": "received",
        "severity": 3,
        "version": 2,
        "person": None,
        "due_at": "2026-07-01T08:00:00+00:00",
    }
]


def _back_to(url: str, revision: str) -> None:
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=sqlalchemy.NullPool
    )
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)
    engine.dispose()


def test_hand_overs_of_orders_join_those_of_shifts(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        limited_views.drop(connection)
    _back_to(database_url, "0021")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "insert into organisation (id, name_en, name_zh, role, lifelines) values ('o', 'O', 'O', 'owner', '{gas}')"
        )
        for number, (hour, taken_by) in enumerate(((1, "b"), (2, None), (3, None))):
            connection.execute(
                """
                insert into hand_over (id, organisation, given_by, given_at, note, standing, taken_by, taken_at)
                values (%(id)s, 'o', 'a', make_timestamptz(2026, 7, 1, %(hour)s, 0, 0, 'utc'), 'n', %(standing)s,
                    %(taken_by)s, case when %(taken_by)s::text is not null then now() end)
                """,
                {"id": UUID(int=number), "hour": hour, "standing": json.dumps(_STANDING), "taken_by": taken_by},
            )
    migrate(database_url)
    with psycopg.connect(database_url) as connection:
        found = connection.execute(
            "select confirmed_by, withdrawn_at is not null, open from shift_handover order by offered_at"
        ).fetchall()
        assert [(row[0], row[1]) for row in found] == [("b", False), (None, True), (None, False)]
        orders = found[0][2]["orders"]
        assert orders["count"] == 1
        (line,) = orders["named"]
        assert (line["id"], line["title_zh"], line["state"]) == (str(UUID(int=7)), "泄漏", "received")
        assert "order" not in line
        assert connection.execute("select to_regclass('hand_over')").fetchone() == (None,)
