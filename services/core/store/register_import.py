"""An import of a city's register that somebody has looked at before: what was shown is done, or nothing."""

import hashlib
import json
from dataclasses import dataclass

from psycopg import Connection

from services.core.city_folder import CityFolder
from services.core.store import audit
from services.core.store.networks import RegisteredNetwork, save_network
from services.core.store.register import lock_register, save_city
from services.core.store.register_preview import RegisterPreview, preview_city


class RegisterChangedError(Exception):
    """The import would change other things than those that were shown."""


@dataclass(frozen=True, slots=True)
class RegisterImport:
    """What an import of some content would change, or has changed."""

    preview: RegisterPreview
    fingerprint: str
    """SHA-256 of the content and the changes: another file or another register has another one."""


def look_at(connection: Connection, city: CityFolder, content: bytes) -> RegisterImport:
    """What an import of the city, read from the content, would change; nothing is.

    Raises:
        CityFolderError: it would be refused.
    """
    preview = preview_city(connection, city)
    changes = [[each.part, each.name, each.before, each.after] for each in preview.changes]
    told = json.dumps(changes, sort_keys=True, ensure_ascii=False).encode("utf-8", "surrogatepass")
    digest = hashlib.sha256(hashlib.sha256(content).digest() + told)
    return RegisterImport(preview, digest.hexdigest())


def apply(connection: Connection, city: CityFolder, content: bytes, *, seen: str, actor: str) -> RegisterImport:
    """Do what was shown under a fingerprint, with its line in the audit trail; one transaction.

    Raises:
        CityFolderError: the folder does not fit the catalogue.
        RegisterChangedError: something else would change by now.
    """
    with connection.transaction():
        lock_register(connection)
        found = look_at(connection, city, content)
        if found.fingerprint != seen:
            raise RegisterChangedError
        save_city(connection, city)
        for model in city.models:
            save_network(connection, RegisteredNetwork(model.lifeline, model.file, model.zones))
        preview = found.preview
        parts = {part: {"added": preview.added(part), "changed": preview.changed(part)} for part in preview.registered}
        audit.record_blocking(
            connection,
            actor=actor,
            action="register.import",
            subject_kind="register",
            subject=city.id,
            after={
                "fingerprint": seen,
                "parts": {part: counts for part, counts in parts.items() if any(counts.values())},
            },
        )
    return found
