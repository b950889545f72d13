"""Random passwords, and what is kept of them: one hash a broker."""

import base64
import hashlib
import secrets
from dataclasses import dataclass
from typing import Self

ITERATIONS = 101
"""Rounds of PBKDF2, as many as ``mosquitto_passwd`` takes. The passwords are 192 random bits, which nobody guesses
however cheap a guess is; but Mosquitto, with its one thread, pays for each round when a whole city connects again after
an outage: 85 000 devices cost it 20 s with 101 rounds and 195 s with 1000 (one core of 2 GHz)."""

_PASSWORD_BYTES = 24
_MOSQUITTO_SALT_BYTES = 12
"""Mosquitto 2.0 refuses every other length (``src/security_default.c``)."""
_MOSQUITTO_HASH_BYTES = 64
_EMQX_SALT_BYTES = 16
EMQX_HASH_BYTES = 32


def new_password() -> str:
    """A random password of 192 bits that needs no quoting anywhere."""
    return secrets.token_urlsafe(_PASSWORD_BYTES)


@dataclass(frozen=True, slots=True)
class PasswordHash:
    """What is kept of a password: ``mosquitto`` as in its password file, ``emqx`` as in its user table."""

    mosquitto: str
    emqx_salt: str
    emqx: str

    @classmethod
    def of(cls, password: str) -> Self:
        """Hash a password with new salts."""
        emqx_salt = secrets.token_hex(_EMQX_SALT_BYTES)
        return cls(
            mosquitto=_mosquitto(password, secrets.token_bytes(_MOSQUITTO_SALT_BYTES), ITERATIONS),
            emqx_salt=emqx_salt,
            emqx=_emqx(password, emqx_salt),
        )

    def fits(self, password: str) -> bool:
        """Whether this is a hash of the password, at both brokers."""
        _, _, iterations, salt, _ = self.mosquitto.split("$")
        mosquitto = _mosquitto(password, base64.b64decode(salt), int(iterations))
        emqx = _emqx(password, self.emqx_salt)
        return secrets.compare_digest(mosquitto + emqx, self.mosquitto + self.emqx)


def _mosquitto(password: str, salt: bytes, iterations: int) -> str:
    """``$7$iterations$salt$hash``, PBKDF2 with SHA-512, both parts in Base64, as ``mosquitto_passwd`` writes it."""
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, iterations, _MOSQUITTO_HASH_BYTES)
    return f"$7${iterations}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def _emqx(password: str, salt: str) -> str:
    """PBKDF2 with SHA-256 in hexadecimal; EMQX takes the salt's letters as they stand (``emqx_passwd.erl``)."""
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), ITERATIONS, EMQX_HASH_BYTES).hex()
