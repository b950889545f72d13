"""The chain that makes a trail show every change: digests, links, and what is signed about them. Pure.

A line's *content* is the JSON text of an array of its columns, as PostgreSQL writes ``jsonb``. Each link holds the
SHA-256 digest of the content of its line, and a digest over the link before it, its own position and that content; so a
link cannot be made without the one before it, and whoever changes a line has to make every later link anew. Whoever
can do even that is found out by a checkpoint: position and digest, signed with Ed25519 (RFC 8032) by a key that the
database does not know, and kept somewhere else.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

GENESIS = bytes(32)
"""The digest before the first link."""
_FORMAT = "lifeline-audit-checkpoint/1"


class CheckpointError(Exception):
    """What is said to be a checkpoint is none, or was not signed by the key that it names."""


class CheckpointKind(StrEnum):
    """What a checkpoint is for."""

    PERIODIC = "periodic"
    """The chain had this digest at this position."""
    ARCHIVE = "archive"
    """The same, and everything up to it may have left for an archive: the chain in the database begins behind it."""


def content_hash(content: str) -> bytes:
    """The digest of a line's content."""
    return sha256(content.encode()).digest()


def link_hash(previous: bytes, position: int, content: bytes) -> bytes:
    """The digest of a link; ``content`` is the digest of its line, ``previous`` that of the link before."""
    return sha256(previous + position.to_bytes(8) + content).digest()


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """That the chain had a digest at a position at some time, signed by the key whose public half is beside it."""

    kind: CheckpointKind
    position: int
    hash: bytes
    at: datetime
    public_key: bytes
    signature: bytes

    def is_signed(self) -> bool:
        """Whether the signature is that of its key over what it says."""
        try:
            key = Ed25519PublicKey.from_public_bytes(self.public_key)
            key.verify(self.signature, _statement(self.kind, self.position, self.hash, self.at))
        except (InvalidSignature, ValueError):
            return False
        return True

    def as_json(self) -> dict[str, Any]:
        """The checkpoint as its file holds it."""
        return {
            "format": _FORMAT,
            "kind": self.kind.value,
            "position": self.position,
            "hash": self.hash.hex(),
            "at": self.at.astimezone(UTC).isoformat(),
            "public_key": self.public_key.hex(),
            "signature": self.signature.hex(),
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "Checkpoint":
        """The inverse of ``as_json``.

        Raises:
            CheckpointError: something is missing or malformed, or the signature does not fit.
        """
        try:
            if found["format"] != _FORMAT:
                raise CheckpointError(f"{found['format']!r} is not a format of checkpoints that this version reads")
            checkpoint = cls(
                kind=CheckpointKind(found["kind"]),
                position=int(found["position"]),
                hash=bytes.fromhex(found["hash"]),
                at=datetime.fromisoformat(found["at"]),
                public_key=bytes.fromhex(found["public_key"]),
                signature=bytes.fromhex(found["signature"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise CheckpointError(f"not a checkpoint: {error}") from None
        if not checkpoint.is_signed():
            raise CheckpointError("the signature does not fit what the checkpoint says")
        return checkpoint


def sign(key: Ed25519PrivateKey, kind: CheckpointKind, position: int, digest: bytes, at: datetime) -> Checkpoint:
    """A checkpoint; ``digest`` is that of the link at ``position``, ``at`` the time of signing with its zone."""
    signature = key.sign(_statement(kind, position, digest, at))
    return Checkpoint(kind, position, digest, at, key.public_key().public_bytes_raw(), signature)


def _statement(kind: CheckpointKind, position: int, digest: bytes, at: datetime) -> bytes:
    moment = at.astimezone(UTC).isoformat(timespec="microseconds")
    return json.dumps([_FORMAT, kind.value, position, digest.hex(), moment]).encode()
