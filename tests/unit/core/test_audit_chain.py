"""The chain of the audit trail is made as it is published."""

import hashlib
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.core.audit_chain import GENESIS, Checkpoint, CheckpointKind, content_hash, link_hash, sign

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def test_a_link_is_made_of_the_one_before_its_position_and_its_content() -> None:
    content = content_hash('[1, "甲"]')
    assert content == hashlib.sha256('[1, "甲"]'.encode()).digest()
    expected = hashlib.sha256(bytes(32) + b"\0\0\0\0\0\0\0\1" + content).digest()
    assert link_hash(GENESIS, 1, content) == expected
    assert link_hash(GENESIS, 2, content) != expected


def test_a_checkpoint_reads_back_as_it_was_signed_whatever_the_zone_of_its_time() -> None:
    taken = sign(KEY, CheckpointKind.PERIODIC, 7, bytes(32), datetime(2026, 7, 14, 6, 0, 0, 5, UTC))
    assert Checkpoint.from_json(taken.as_json()) == taken
    assert taken.is_signed()
