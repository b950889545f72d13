"""`lifeline devices`: who may connect to the broker, how they prove it, and which topics are theirs."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.core.settings import ConfigurationError, load_settings
from services.devices import credentials as issuing
from services.devices import files, register
from services.devices.device import SERVICES, SIMULATOR, Device, DeviceKind, devices_of
from services.devices.failure import DeviceSecurityError

if TYPE_CHECKING:
    from services.devices.directory import DeviceDirectory

devices = typer.Typer(help="Certificates, passwords and topic rights of devices at the broker.", no_args_is_help=True)

_Directory = Annotated[
    Path, typer.Argument(metavar="DIR", help="holds the authority, the credentials, the brokers' files")
]
_Name = Annotated[str, typer.Argument(help="user name of a gateway, a sensor or a service")]
_BrokerNames = Annotated[
    list[str], typer.Argument(help="host names and addresses under which clients reach the broker")
]
_Days = Annotated[int, typer.Option(min=1, help="how long the certificate is valid")]
_City = Annotated[
    Path | None, typer.Option("--city", help="city folder to take the register from; default: the database")
]
_Passwords = Annotated[
    Path | None, typer.Option("--out", help="new file of mode 0600 for the passwords; default: print them")
]


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (DeviceSecurityError, ConfigurationError) as error:
        typer.echo(f"lifeline: {error}", err=True)
        raise typer.Exit(1) from None


def _held(path: Path) -> "DeviceDirectory":
    from services.devices.directory import DeviceDirectory  # noqa: PLC0415 - loads the cryptography of certificates

    return DeviceDirectory(path)


def _now() -> datetime:
    return datetime.now(UTC)


def _registered(folder: Path | None) -> tuple[str, list[Device]]:
    if folder is not None:
        city, sensors = register.from_folder(folder)
        return city, devices_of(sensors)
    settings = load_settings()
    if settings.database_url is None:
        raise DeviceSecurityError("LIFELINE_DATABASE_URL is not set; --city takes the register from a city folder")
    return settings.city, devices_of(register.from_database(settings.database_url.get_secret_value()))


@devices.command()
def authority(
    directory: _Directory,
    names: _BrokerNames,
    revocation_url: Annotated[
        str | None, typer.Option(help="where brokers fetch the list of revoked certificates; EMQX needs it")
    ] = None,
) -> None:
    """Create the certificate authority and the broker's certificate."""
    with _told():
        held = _held(directory)
        with held.held():
            held.make_authority(load_settings().city, names, revocation_url, _now())
    typer.echo(f"{held.authority_certificate} is for every client; {held.authority_key} stays secret")


@devices.command(name="broker-certificate")
def broker_certificate(directory: _Directory, names: _BrokerNames, days: _Days = 730) -> None:
    """Renew the broker's certificate, or change its names; the broker reads it on SIGHUP."""
    with _told():
        held = _held(directory)
        with held.held():
            held.make_broker_certificate(held.authority(), names, _now(), timedelta(days=days))


@devices.command()
def certificate(
    directory: _Directory,
    name: _Name,
    days: _Days = 1825,
    renew: Annotated[bool, typer.Option("--renew", help="issue another; the older one stays valid")] = False,
    request: Annotated[
        Path | None, typer.Option(help="the device's own certificate request (PEM); its key never leaves it")
    ] = None,
) -> None:
    """Issue a client certificate for a gateway, a sensor or a service."""
    with _told():
        content = None if request is None else _content(request)
        held = _held(directory)
        with held.held():
            path = held.issue_certificate(name, _now(), timedelta(days=days), renew=renew, request=content)
    typer.echo(str(path))


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DeviceSecurityError(f"{path} cannot be read: {error.strerror}") from None


@devices.command()
def revoke(
    directory: _Directory,
    name: _Name,
    older: Annotated[bool, typer.Option("--older", help="keep the newest one")] = False,
) -> None:
    """Revoke the certificates of a name; the broker reads the list on SIGHUP."""
    with _told():
        held = _held(directory)
        with held.held():
            count = held.revoke(name, _now(), keep_newest=older)
    typer.echo(f"{count} certificates are revoked")


@devices.command()
def rights(directory: _Directory, city: _City = None) -> None:
    """Write who may publish and read what, from the register."""
    with _told():
        name, registered = _registered(city)
        held = _held(directory)
        with held.held():
            held.keep_rights(name, held.with_services(registered))
    typer.echo(f"{len(registered)} devices")


@devices.command()
def credentials(
    directory: _Directory,
    city: _City = None,
    out: _Passwords = None,
    simulator: Annotated[
        bool, typer.Option("--simulator", help="also a user that may publish for every device; for tests only")
    ] = False,
) -> None:
    """Give each device and service that has no password one, and write who may publish and read what."""
    with _told():
        name, registered = _registered(city)
        services = [*SERVICES, SIMULATOR] if simulator else SERVICES
        wanted = [*registered, *(Device(service, DeviceKind.SERVICE) for service in services)]
        held = _held(directory)
        with held.held():
            kept = held.credentials()
            new, passwords = issuing.issue([device for device in wanted if device.name not in kept], _now())
            _hand_out(new, passwords, out)
            held.keep_credentials({**kept, **new})
            held.keep_rights(name, held.with_services(registered))
    typer.echo(f"{len(new)} passwords are new, {len(kept)} stay", err=True)


@devices.command()
def rotate(directory: _Directory, name: _Name, out: _Passwords = None) -> None:
    """Replace the password of a device or a service; the old one ends when the broker reads the new file."""
    with _told():
        held = _held(directory)
        with held.held():
            kept = held.credentials()
            if name not in kept:
                raise DeviceSecurityError(f"{name} has no password")
            new, passwords = issuing.issue([Device(name, kept[name].kind)], _now())
            _hand_out(new, passwords, out)
            held.keep_credentials({**kept, **new})


@devices.command()
def withdraw(directory: _Directory, name: _Name) -> None:
    """Take the password of a device or a service away; its certificate is taken by `revoke`."""
    with _told():
        held = _held(directory)
        with held.held():
            kept = held.credentials()
            if kept.pop(name, None) is None:
                raise DeviceSecurityError(f"{name} has no password")
            held.keep_credentials(kept)


def _hand_out(new: dict[str, issuing.Credential], passwords: dict[str, str], out: Path | None) -> None:
    """Before anything is kept: a password that nobody has seen would be of no use to anybody."""
    rows: Sequence[tuple[str, str, str]] = [(name, new[name].kind.value, passwords[name]) for name in sorted(new)]
    text = issuing.table(("name", "kind", "password"), rows)
    if out is not None:
        files.write_new(out, text)
    elif rows:
        sys.stdout.write(text)


@devices.command()
def check(directory: _Directory, city: _City = None) -> None:
    """Say which devices have no credential, which credentials belong to nobody, and what expires or is stale."""
    from services.devices import inspection  # noqa: PLC0415 - loads the cryptography of certificates

    with _told():
        name, registered = _registered(city)
        complaints = inspection.complaints(_held(directory), name, registered, _now())
    typer.echo("\n".join(complaints) if complaints else f"{len(registered)} devices, nothing to complain of")
    raise typer.Exit(1 if complaints else 0)
