"""Documents that are made from the code: `python -m tests.docs.published` writes them, a test compares them."""

import json
from pathlib import Path

from services.core import wire

ROOT = Path(__file__).parents[2]


def documents() -> dict[Path, str]:
    """Each published file and what it has to hold."""
    return {
        ROOT / "docs" / "wire" / name: json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        for name, schema in wire.payload_schemas().items()
    }


if __name__ == "__main__":
    for path, text in documents().items():
        path.write_text(text, encoding="utf-8")
