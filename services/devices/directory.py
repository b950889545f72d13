"""The directory that holds everything: what stays with the authority, and what a broker gets.

``DIR/mosquitto`` and ``DIR/emqx`` can be handed to a broker as they are. What lies beside them, the authority's key
first of all, never leaves the machine that issues.
"""

import fcntl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from services.devices import credentials, emqx, files, issued, mosquitto
from services.devices.certificate import (
    Authority,
    certificate_pem,
    client_certificate,
    key_pem,
    load_authority,
    new_authority,
    new_key,
    requested_key,
    revocation_list,
    server_certificate,
)
from services.devices.credentials import Credential
from services.devices.device import Device, DeviceKind, check_user_name
from services.devices.failure import DeviceSecurityError

BROKERS = ("mosquitto", "emqx")


@dataclass(frozen=True, slots=True)
class DeviceDirectory:
    """The files of one city's device security."""

    path: Path

    @property
    def authority_certificate(self) -> Path:
        """Public: every client needs it to know the broker by."""
        return self.path / "authority.pem"

    @property
    def authority_key(self) -> Path:
        """The most secret file of all: who has it can be any device and any broker."""
        return self.path / "authority.key"

    @property
    def revocation_url_file(self) -> Path:
        """Where brokers fetch the list of revoked certificates; missing where they read it from a file."""
        return self.path / "revocation-url"

    @property
    def issued_file(self) -> Path:
        """Which client certificates there are."""
        return self.path / "issued.csv"

    @property
    def credentials_file(self) -> Path:
        """Which passwords there are, hashed."""
        return self.path / "credentials.csv"

    @property
    def certificates(self) -> Path:
        """``NAME.pem`` and ``NAME.key`` of each client."""
        return self.path / "certificates"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other commands out while this one changes something; makes the directory when it is not there.

        Raises:
            DeviceSecurityError: another command is at work, or the directory cannot be made.
        """
        for directory in (self.path, self.certificates, *(self.path / broker for broker in BROKERS)):
            files.private_directory(directory)
        with (self.path / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise DeviceSecurityError(f"another command is at work in {self.path}") from None
            yield

    def make_authority(self, city: str, broker_names: Sequence[str], revocation_url: str | None, now: datetime) -> None:
        """Create the authority, the broker's certificate and an empty list of revoked ones.

        Raises:
            DeviceSecurityError: there is an authority already, or a file cannot be written.
        """
        for path in (self.authority_certificate, self.authority_key):
            if path.exists():
                raise DeviceSecurityError(f"{path} is there already and is not overwritten")
        authority = new_authority(f"Lifeline {city} devices", revocation_url, now)
        if revocation_url is not None:
            files.write(self.revocation_url_file, f"{revocation_url}\n")
        self.make_broker_certificate(authority, broker_names, now, timedelta(days=730))
        self._write_revocation_list(authority, [], now)
        files.write_new(self.authority_key, key_pem(authority.key))
        files.write_new(self.authority_certificate, certificate_pem(authority.certificate), files.PUBLIC)

    def authority(self) -> Authority:
        """The authority of this directory.

        Raises:
            DeviceSecurityError: there is none, or its files cannot be used.
        """
        try:
            url = self.revocation_url_file.read_text(encoding="utf-8").strip() if self._has_url else None
            return load_authority(self.authority_certificate.read_bytes(), self.authority_key.read_bytes(), url)
        except OSError as error:
            raise DeviceSecurityError(f"{self.path} holds no authority: {error.strerror}: {error.filename}") from None

    @property
    def _has_url(self) -> bool:
        return self.revocation_url_file.exists()

    def make_broker_certificate(
        self, authority: Authority, names: Sequence[str], now: datetime, lifetime: timedelta
    ) -> None:
        """Give each broker's folder a new key, its certificate, and the authority's certificate.

        Raises:
            DeviceSecurityError: a name is no host name, or a file cannot be written.
        """
        key = new_key()
        certificate = server_certificate(authority, key.public_key(), names, now, lifetime)
        for broker in BROKERS:
            files.write(self.path / broker / "broker.key", key_pem(key))
            files.write(self.path / broker / "broker.pem", certificate_pem(certificate), files.PUBLIC)
            files.write(self.path / broker / "authority.pem", certificate_pem(authority.certificate), files.PUBLIC)

    def issue_certificate(
        self, name: str, now: datetime, lifetime: timedelta, *, renew: bool = False, request: bytes | None = None
    ) -> Path:
        """A certificate for a device or a service; returns its file. Without a ``request`` its key is made here too.

        A renewed certificate does not end the older one, so that the device can change over when it is reached.

        Raises:
            DeviceSecurityError: it has a valid one and is not renewed, or something cannot be read or written.
        """
        check_user_name(name)
        known = issued.read(self.issued_file)
        if not renew and any(one.name == name and one.is_valid(now) for one in known):
            raise DeviceSecurityError(f"{name} has a valid certificate; --renew issues another")
        authority = self.authority()
        key = new_key() if request is None else None
        public = key.public_key() if key is not None else requested_key(request or b"")
        certificate = client_certificate(authority, public, name, now, lifetime)
        end = certificate.not_valid_after_utc
        one = issued.Issued(certificate.serial_number, name, now.replace(microsecond=0), end)
        # First the register: a certificate that is in nobody's list could never be revoked.
        issued.write(self.issued_file, [*known, one])
        if key is not None:
            files.write(self.certificates / f"{name}.key", key_pem(key))
        else:
            (self.certificates / f"{name}.key").unlink(missing_ok=True)  # it belonged to an earlier certificate
        path = self.certificates / f"{name}.pem"
        files.write(path, certificate_pem(certificate), files.PUBLIC)
        return path

    def revoke(self, name: str, now: datetime, *, keep_newest: bool = False) -> int:
        """Revoke the certificates of a name; returns how many are revoked in all.

        Raises:
            DeviceSecurityError: there is none to revoke, or something cannot be read or written.
        """
        authority = self.authority()
        known = issued.revoke(issued.read(self.issued_file), name, now, keep_newest=keep_newest)
        issued.write(self.issued_file, known)
        self._write_revocation_list(authority, known, now)
        return len(issued.revocations(known))

    def _write_revocation_list(self, authority: Authority, known: Sequence[issued.Issued], now: datetime) -> None:
        # The number has to grow with each list, and no list is made twice in a microsecond.
        number = int(now.timestamp() * 1_000_000)
        content = revocation_list(authority, issued.revocations(known), number, now)
        for broker in BROKERS:
            files.write(self.path / broker / "revoked.crl", content, files.PUBLIC)

    def credentials(self) -> dict[str, Credential]:
        """The passwords that were issued, hashed, by user name.

        Raises:
            DeviceSecurityError: the file cannot be read.
        """
        return credentials.read(self.credentials_file)

    def keep_credentials(self, kept: Mapping[str, Credential]) -> None:
        """Keep these and no others, and give them to the brokers.

        Raises:
            DeviceSecurityError: a file cannot be written.
        """
        credentials.write(self.credentials_file, kept)
        for path, content in self.password_files(kept).items():
            files.write(path, content)

    def with_services(self, devices: Sequence[Device]) -> list[Device]:
        """The devices, and those services that not every city has but that were given a password here.

        Raises:
            DeviceSecurityError: the credentials cannot be read.
        """
        kept = self.credentials().values()
        return [*devices, *(Device(one.name, one.kind) for one in kept if one.kind is DeviceKind.SERVICE)]

    def keep_rights(self, city: str, devices: Sequence[Device]) -> None:
        """Tell the brokers who may publish and read what.

        Raises:
            DeviceSecurityError: a file cannot be written.
        """
        for path, content in self.access_files(city, devices).items():
            files.write(path, content)

    def password_files(self, kept: Mapping[str, Credential]) -> dict[Path, str]:
        """What the brokers' password files have to hold."""
        return {
            self.path / "mosquitto" / "password_file": mosquitto.password_file(kept),
            self.path / "emqx" / "users.csv": emqx.users_csv(kept),
        }

    def access_files(self, city: str, devices: Sequence[Device]) -> dict[Path, str]:
        """What the brokers' access lists have to hold."""
        return {
            self.path / "mosquitto" / "acl_file": mosquitto.acl_file(city, devices),
            self.path / "emqx" / "acl.conf": emqx.acl_conf(city, devices),
        }
