"""Passwords: what is asked of them, and their argon2id hashes."""

import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LENGTH = (12, 256)
"""Shortest and longest password, in characters; length is asked for, not kinds of characters (NIST SP 800-63B)."""

# The library's defaults are the second recommended option of RFC 9106: 64 MiB, three passes, four lanes.
_hasher = PasswordHasher()
# Somebody without a password is checked against this, so that a name that exists takes as long as one that does not.
_NOBODYS = _hasher.hash(secrets.token_urlsafe(16))


class PasswordNotGoodError(ValueError):
    """The password must not be used; the message says why."""


def check_password(password: str, name: str) -> None:
    """Refuse a password that is easily guessed.

    Raises:
        PasswordNotGoodError: too short, too long, or made of the user's name.
    """
    shortest, longest = LENGTH
    if not shortest <= len(password) <= longest:
        raise PasswordNotGoodError(f"a password has {shortest} to {longest} characters")
    if name.casefold() in password.casefold() or len(set(password)) < 5:  # noqa: PLR2004 - one letter again and again
        raise PasswordNotGoodError("a password that holds the name, or hardly any different characters, is guessed")


def new_password() -> str:
    """A random password with 120 bits of entropy."""
    return secrets.token_urlsafe(15)


def hash_password(password: str) -> str:
    """The salted argon2id hash, in its usual text form; takes tens of milliseconds and 64 MiB."""
    return _hasher.hash(password)


def is_password(password: str, password_hash: str | None) -> bool:
    """Whether a password has this hash; takes as long where there is no hash."""
    try:
        return _hasher.verify(password_hash or _NOBODYS, password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(password_hash: str) -> bool:
    """Whether a hash was made with less effort than is asked for today."""
    return _hasher.check_needs_rehash(password_hash)
