"""The key that signs statements about the audit trail: a file beside the service, never in the database."""

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

NAME = "audit-key.pem"
_PRIVATE = 0o600


def signing_key(data_dir: Path) -> Ed25519PrivateKey:
    """The key in ``DATA_DIR/secrets``; made when it is first asked for, readable by its owner alone.

    Raises:
        OSError: the directory cannot be written.
        ValueError: the file holds another kind of key, or none.
    """
    path = data_dir / "secrets" / NAME
    if not path.exists():
        _make(path)
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{path} holds no Ed25519 key")  # noqa: TRY004 - the file is wrong, not the program
    return key


def known_key(data_dir: Path) -> bytes | None:
    """The public half of the key of this machine; ``None`` where there is no key yet.

    Raises:
        ValueError: the file holds another kind of key, or none.
    """
    if not (data_dir / "secrets" / NAME).exists():
        return None
    return signing_key(data_dir).public_key().public_bytes_raw()


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    text = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    part = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    try:
        # Two processes that start at once keep one key: a link is made only where there is none.
        os.link(part, path)
    except FileExistsError:
        pass
    finally:
        part.unlink()
