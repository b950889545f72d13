"""The catalogue of quantities, declared by the lifelines and kept where every service can read it."""

from collections.abc import Iterable

from psycopg import Connection
from psycopg.types.json import Jsonb

from services.core.quantity import Quantity
from services.core.store import thresholds


def save_quantities(connection: Connection, quantities: Iterable[Quantity]) -> int:
    """Write the catalogue; a quantity that is there already is brought up to date. Returns how many there are."""
    rows = [
        (
            quantity.lifeline,
            quantity.name,
            quantity.unit,
            quantity.label.en,
            quantity.label.zh,
            *quantity.plausible,
            Jsonb(thresholds.to_json(quantity.thresholds)),
        )
        for quantity in quantities
    ]
    connection.cursor().executemany(
        """
        insert into quantity (lifeline, name, unit, label_en, label_zh, plausible_low, plausible_high, thresholds)
        values (%s, %s, %s, %s, %s, %s, %s, %s)
        on conflict (lifeline, name) do update set unit = excluded.unit, label_en = excluded.label_en,
            label_zh = excluded.label_zh, plausible_low = excluded.plausible_low,
            plausible_high = excluded.plausible_high, thresholds = excluded.thresholds
        """,
        rows,
    )
    return len(rows)
