"""The answers of ``services/client/``, generated from the committed description of the API."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from datamodel_code_generator import generate
from datamodel_code_generator.enums import DataModelType, InputFileType
from datamodel_code_generator.format import DatetimeClassType, Formatter, PythonVersion

ROOT = Path(__file__).parents[2]
DESCRIPTION = ROOT / "tests" / "golden" / "openapi.json"
ANSWERS = ROOT / "services" / "client" / "answers.py"
NAMES = (
    "AlertAnswer",
    "AlertDetailAnswer",
    "CommentAnswer",
    "HistoryAnswer",
    "LatestAnswer",
    "LifelineAnswer",
    "MeAnswer",
    "NotificationAnswer",
    "RejectionAnswer",
    "SensorAnswer",
    "WarningAnswer",
    "WorkOrderAnswer",
)
"""What the calls of the client are answered with; what these are made of comes along."""
_REFERENCE = "#/components/schemas/"
_LEFT_OUT = {"title", "additionalProperties", "maxItems", "maxLength", "minItems", "minLength", "pattern"}
"""Titles repeat the names; limits are for whoever writes, and here somebody reads."""
_HEADER = '''"""What the API answers, one model for each thing.

Generated from the API's description by ``python -m tests.golden``: not to be changed by hand.
"""'''


def written() -> str:
    """The module as it has to be."""
    schemas = json.loads(DESCRIPTION.read_text("utf-8"))["components"]["schemas"]
    chosen = {name: _for_readers(schemas[name], schemas) for name in sorted(_closure(NAMES, schemas))}
    text = generate(
        json.dumps({"openapi": "3.1.0", "info": {"title": "", "version": ""}, "components": {"schemas": chosen}}),
        input_file_type=InputFileType.OpenAPI,
        output_model_type=DataModelType.PydanticV2BaseModel,
        target_python_version=PythonVersion.PY_311,
        output_datetime_class=DatetimeClassType.Awaredatetime,
        base_class="services.client.answer.Answer",
        collapse_root_models=True,
        custom_file_header=_HEADER,
        formatters=[Formatter.BUILTIN],
        disable_future_imports=True,
        field_constraints=True,
        strict_nullable=True,
        use_annotated=True,
        use_double_quotes=True,
        use_exact_imports=True,
        use_field_description=True,
        use_schema_description=True,
        use_single_line_docstring=True,
        use_standard_collections=True,
        use_union_operator=True,
    )
    assert isinstance(text, str)
    return text


def _closure(names: tuple[str, ...], schemas: Mapping[str, Any]) -> set[str]:
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found or "enum" in schemas[name]:
            continue
        found.add(name)
        waiting += _named(schemas[name])
    return found


def _named(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"].removeprefix(_REFERENCE)
        for inner in part.values():
            yield from _named(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _named(inner)


def _for_readers(part: Any, schemas: Mapping[str, Any]) -> Any:
    """A schema as a reader needs it: words of a closed list are any words, for the next version may have one more."""
    if isinstance(part, list):
        return [_for_readers(inner, schemas) for inner in part]
    if not isinstance(part, dict):
        return part
    named = schemas.get(str(part.get("$ref", "")).removeprefix(_REFERENCE), part)
    if "enum" in named or "const" in named:
        return {"type": "string"} | {key: part[key] for key in ("description",) if key in part}
    read: dict[str, Any] = {}
    for key, inner in part.items():
        if key == "prefixItems":
            # The generator would make a class of every pair; its parts are of one kind.
            read["items"] = _for_readers(inner[0], schemas)
        elif key == "properties":
            read[key] = {name: _for_readers(field, schemas) for name, field in inner.items()}
        elif key not in _LEFT_OUT or inner is True:
            read[key] = _for_readers(inner, schemas)
    return read
