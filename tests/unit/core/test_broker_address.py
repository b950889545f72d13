"""The broker's address and the TLS files that go with it."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from services.core.broker_address import BrokerAddress
from services.core.settings import ConfigurationError, Settings
from services.devices.directory import DeviceDirectory


def settings(url: str, **files: Path) -> Settings:
    return Settings(mqtt_url=SecretStr(url), **files)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> DeviceDirectory:
    directory = DeviceDirectory(tmp_path_factory.mktemp("devices") / "held")
    now = datetime.now(UTC)
    with directory.held():
        directory.make_authority("demo", ["localhost"], None, now)
        directory.issue_certificate("ingest", now, timedelta(days=1))
        directory.issue_certificate("other", now, timedelta(days=1))
    return directory


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mqtt://broker", ("broker", 1883, None, None, False)),
        ("mqtts://broker", ("broker", 8883, None, None, True)),
        ("mqtts://in%40gest:p%2Fw@10.0.0.5:8885", ("10.0.0.5", 8885, "in@gest", "p/w", True)),
    ],
)
def test_address_is_taken_apart(url: str, expected: tuple[object, ...]) -> None:
    address = BrokerAddress.parse(url)
    assert (address.host, address.port, address.user, address.password, address.encrypted) == expected


@pytest.mark.parametrize(
    "url", ["http://broker", "mqtt://", "broker:1883", "mqtt://broker:port", "mqtt://broker:99999"]
)
def test_other_addresses_are_refused_in_one_line_without_the_password(url: str) -> None:
    with pytest.raises(ConfigurationError, match="LIFELINE_MQTT_URL"):
        BrokerAddress.parse(url)


def test_plain_address_has_no_tls() -> None:
    assert BrokerAddress.from_settings(settings("mqtt://broker")).ssl_context() is None


def test_context_verifies_the_broker_and_its_name(issued: DeviceDirectory) -> None:
    context = BrokerAddress.from_settings(
        settings("mqtts://broker", mqtt_ca_file=issued.authority_certificate)
    ).ssl_context()
    assert context is not None
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert len(context.get_ca_certs()) == 1, "the system's authorities are trusted beside the one that was given"


def test_renewed_certificate_is_read_with_the_next_connection(issued: DeviceDirectory, tmp_path: Path) -> None:
    copy = tmp_path / "authority.pem"
    copy.write_bytes(issued.authority_certificate.read_bytes())
    address = BrokerAddress.from_settings(settings("mqtts://broker", mqtt_ca_file=copy))
    copy.write_text("broken")
    with pytest.raises(OSError, match=r".*"):
        address.ssl_context()


def test_wrong_files_are_named_before_anything_starts(issued: DeviceDirectory, tmp_path: Path) -> None:
    certificate, key = issued.certificates / "ingest.pem", issued.certificates / "ingest.key"
    wrong: list[tuple[str, str, dict[str, Path]]] = [
        ("mqtts://broker", "belong together", {"mqtt_certificate_file": certificate}),
        ("mqtts://broker", "belong together", {"mqtt_key_file": key}),
        ("mqtt://broker", "mqtts://", {"mqtt_ca_file": issued.authority_certificate}),
        ("mqtts://broker", "none.pem", {"mqtt_ca_file": tmp_path / "none.pem"}),
        ("mqtts://broker", "ingest.key", {"mqtt_ca_file": key}),
        (
            "mqtts://broker",
            "other.key",
            {"mqtt_certificate_file": certificate, "mqtt_key_file": issued.certificates / "other.key"},
        ),
    ]
    for url, words, files in wrong:
        with pytest.raises(ConfigurationError, match=words):
            BrokerAddress.from_settings(settings(url, **files))


def test_encrypted_key_is_an_error_and_asks_nobody(issued: DeviceDirectory, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key((issued.certificates / "ingest.key").read_bytes(), None)
    locked = tmp_path / "locked.key"
    locked.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"passphrase"),
        )
    )
    files = {"mqtt_certificate_file": issued.certificates / "ingest.pem", "mqtt_key_file": locked}
    with pytest.raises(ConfigurationError, match=r"locked\.key"):
        BrokerAddress.from_settings(settings("mqtts://broker", **files))
