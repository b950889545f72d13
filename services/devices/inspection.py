"""What is wrong with a directory: devices without a credential, credentials of nobody, what expires, what is stale."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509

from services.devices import issued
from services.devices.device import SERVICES, Device
from services.devices.directory import BROKERS, DeviceDirectory

EXPIRES_SOON = timedelta(days=60)
"""Time to reach a device in the field before its certificate ends."""


def complaints(directory: DeviceDirectory, city: str, devices: Sequence[Device], now: datetime) -> list[str]:
    """One line for each thing that a person should mend; none when all is well.

    Raises:
        DeviceSecurityError: a file of the directory cannot be read.
    """
    certificates = [one for one in issued.read(directory.issued_file) if one.is_valid(now)]
    passwords = directory.credentials()
    known = {device.name for device in devices} | {*SERVICES}
    holders = passwords.keys() | {one.name for one in certificates}
    unknown_passwords = {name for name in passwords.keys() - known if passwords[name].kind != "service"}
    return [
        *(f"{device.name} ({device.kind}) has no credential" for device in devices if device.name not in holders),
        *(f"{name} has a password and is not in the register" for name in sorted(unknown_passwords)),
        *(
            f"{name} has a certificate and is not in the register"
            for name in sorted({one.name for one in certificates} - known - passwords.keys())
        ),
        *_expiring(directory, certificates, now),
        *_stale(directory, city, devices),
        *_readable(directory),
    ]


def _expiring(directory: DeviceDirectory, certificates: Sequence[issued.Issued], now: datetime) -> list[str]:
    newest = {one.name: one.expires_at for one in certificates}
    ends = [(f"the certificate of {name}", end) for name, end in sorted(newest.items())]
    for path in (directory.authority_certificate, directory.path / BROKERS[0] / "broker.pem"):
        if path.exists():
            end = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
            ends.append((path.relative_to(directory.path).as_posix(), end))
    return [f"{what} ends on {end:%Y-%m-%d}" for what, end in ends if end < now + EXPIRES_SOON]


def _stale(directory: DeviceDirectory, city: str, devices: Sequence[Device]) -> list[str]:
    wanted = {
        **directory.password_files(directory.credentials()),
        **directory.access_files(city, directory.with_services(devices)),
    }
    return [
        f"{path.relative_to(directory.path).as_posix()} is not what the register and the credentials say"
        for path, content in wanted.items()
        if not path.exists() or path.read_text(encoding="utf-8") != content
    ]


def _readable(directory: DeviceDirectory) -> list[str]:
    secret = [directory.authority_key, directory.credentials_file, *_keys(directory.path)]
    return [
        f"{path.relative_to(directory.path).as_posix()} can be read by others; chmod 600"
        for path in sorted(set(secret))
        if path.exists() and path.stat().st_mode & 0o077
    ]


def _keys(path: Path) -> list[Path]:
    secret = ("password_file", "users.csv")
    return [*path.rglob("*.key"), *(path / broker / name for broker in BROKERS for name in secret)]
