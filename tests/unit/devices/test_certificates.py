"""Certificates: OpenSSL, which brokers use, agrees with what is issued."""

import stat
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from services.devices import inspection
from services.devices.device import Device, DeviceKind
from services.devices.directory import DeviceDirectory
from services.devices.failure import DeviceSecurityError

NOW = datetime.now(UTC)
YEAR = timedelta(days=365)


@pytest.fixture
def directory(tmp_path: Path) -> DeviceDirectory:
    made = DeviceDirectory(tmp_path / "devices")
    with made.held():
        made.make_authority("demo", ["broker.example", "10.0.0.5"], None, NOW)
    return made


def openssl(*arguments: object) -> tuple[int, str]:
    command = ["openssl", *(str(argument) for argument in arguments)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.returncode, result.stdout + result.stderr


def verified(directory: DeviceDirectory, certificate: Path, purpose: str, *more: object) -> bool:
    code, _ = openssl(
        "verify", "-x509_strict", "-CAfile", directory.authority_certificate, "-purpose", purpose, *more, certificate
    )
    return code == 0


def test_client_certificate_is_good_for_a_client_and_for_nothing_else(directory: DeviceDirectory) -> None:
    path = directory.issue_certificate("gw-1", NOW, YEAR)
    assert verified(directory, path, "sslclient")
    assert not verified(directory, path, "sslserver")
    code, text = openssl("x509", "-in", path, "-noout", "-subject")
    assert code == 0
    assert text.strip().replace(" ", "") == "subject=CN=gw-1"


def test_broker_certificate_is_good_for_its_names_and_for_no_client(directory: DeviceDirectory) -> None:
    path = directory.path / "mosquitto" / "broker.pem"
    assert verified(directory, path, "sslserver", "-verify_hostname", "broker.example")
    assert verified(directory, path, "sslserver", "-verify_ip", "10.0.0.5")
    assert not verified(directory, path, "sslserver", "-verify_hostname", "other.example")
    assert not verified(directory, path, "sslclient")


def test_device_certificate_signs_no_further_certificates(directory: DeviceDirectory) -> None:
    certificate = x509.load_pem_x509_certificate(directory.issue_certificate("gw-1", NOW, YEAR).read_bytes())
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert not constraints.value.ca


def test_revoked_certificate_stands_on_the_list_and_others_do_not(directory: DeviceDirectory) -> None:
    revoked, kept = (directory.issue_certificate(name, NOW, YEAR) for name in ("gw-1", "gw-2"))
    listed = ("-crl_check", "-CRLfile", directory.path / "mosquitto" / "revoked.crl")
    assert verified(directory, revoked, "sslclient", *listed)
    directory.revoke("gw-1", NOW)
    assert not verified(directory, revoked, "sslclient", *listed)
    assert verified(directory, kept, "sslclient", *listed)
    with pytest.raises(DeviceSecurityError, match="no certificate that is still valid"):
        directory.revoke("gw-1", NOW)


def test_list_of_revoked_certificates_is_not_outdated_before_the_authority_is(directory: DeviceDirectory) -> None:
    listed = x509.load_pem_x509_crl((directory.path / "mosquitto" / "revoked.crl").read_bytes())
    assert listed.next_update_utc == directory.authority().certificate.not_valid_after_utc


def test_certificate_ends_with_the_authority_at_the_latest(directory: DeviceDirectory) -> None:
    path = directory.issue_certificate("gw-1", NOW, 100 * YEAR)
    end = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    assert end == directory.authority().certificate.not_valid_after_utc


def test_keys_can_be_read_by_their_owner_alone(directory: DeviceDirectory) -> None:
    directory.issue_certificate("gw-1", NOW, YEAR)
    keys = list(directory.path.rglob("*.key"))
    assert len(keys) == 4  # the authority's, the broker's twice, the device's
    assert {stat.S_IMODE(key.stat().st_mode) for key in keys} == {0o600}
    assert stat.S_IMODE(directory.path.stat().st_mode) == 0o700


def test_authority_is_not_overwritten(directory: DeviceDirectory) -> None:
    before = directory.authority_key.read_bytes()
    with pytest.raises(DeviceSecurityError, match="not overwritten"):
        directory.make_authority("demo", ["broker.example"], None, NOW)
    assert directory.authority_key.read_bytes() == before


@pytest.mark.parametrize("name", ["", "a b", "../x", "a/b", "+", "a:b", "CN=x", "x\n", "-x", "x" * 65])
def test_certificate_for_no_name_is_refused(directory: DeviceDirectory, name: str) -> None:
    with pytest.raises(DeviceSecurityError, match="is no name"):
        directory.issue_certificate(name, NOW, YEAR)


@pytest.mark.parametrize(
    "arguments", [["-newkey", "rsa:1024"], ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp224r1"]]
)
def test_request_with_a_weak_key_is_refused(directory: DeviceDirectory, tmp_path: Path, arguments: list[str]) -> None:
    request = tmp_path / "weak.csr"
    code, text = openssl(
        "req", "-new", *arguments, "-nodes", "-subj", "/CN=x", "-keyout", tmp_path / "weak.key", "-out", request
    )
    assert code == 0, text
    with pytest.raises(DeviceSecurityError, match="requested key must be"):
        directory.issue_certificate("gw-1", NOW, YEAR, request=request.read_bytes())
    with pytest.raises(DeviceSecurityError, match="cannot be read"):
        directory.issue_certificate("gw-1", NOW, YEAR, request=b"no request")


def test_two_commands_at_once_keep_out_of_each_others_way(directory: DeviceDirectory) -> None:
    with (
        directory.held(),
        pytest.raises(DeviceSecurityError, match="another command"),
        DeviceDirectory(directory.path).held(),
    ):
        raise AssertionError("both were let in")


def test_inspection_names_what_a_person_should_mend(directory: DeviceDirectory) -> None:
    from services.devices import credentials

    devices = [Device("gw-1", DeviceKind.GATEWAY), Device("gw-2", DeviceKind.GATEWAY)]
    kept, _ = credentials.issue([devices[0], Device("gone-1", DeviceKind.GATEWAY)], NOW)
    directory.keep_credentials(kept)
    directory.keep_rights("demo", devices)
    directory.issue_certificate("gone-2", NOW, timedelta(days=30))
    directory.authority_key.chmod(0o640)
    (directory.path / "emqx" / "acl.conf").write_text("{allow, all}.\n")
    assert inspection.complaints(directory, "demo", devices, NOW) == [
        "gw-2 (gateway) has no credential",
        "gone-1 has a password and is not in the register",
        "gone-2 has a certificate and is not in the register",
        f"the certificate of gone-2 ends on {NOW + timedelta(days=30):%Y-%m-%d}",
        "emqx/acl.conf is not what the register and the credentials say",
        "authority.key can be read by others; chmod 600",
    ]


def test_inspection_of_a_sound_directory_is_silent(directory: DeviceDirectory) -> None:
    from services.devices import credentials

    devices = [Device("gw-1", DeviceKind.GATEWAY), Device("gw-2", DeviceKind.GATEWAY)]
    kept, _ = credentials.issue(devices[:1], NOW)
    directory.keep_credentials(kept)
    directory.keep_rights("demo", devices)
    directory.issue_certificate("gw-2", NOW, YEAR)
    assert inspection.complaints(directory, "demo", devices, NOW) == []
