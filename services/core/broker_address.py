"""Where the broker is, who we are to it, and how both sides prove it."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import unquote, urlsplit

from services.core.settings import ConfigurationError, Settings


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files of an encrypted connection.

    ``authority`` holds the certificates that may have signed the broker's; without it those of the operating system
    count. ``certificate`` and ``key`` are ours for mutual TLS, and come together or not at all.
    """

    authority: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def context(self) -> ssl.SSLContext:
        """A client's TLS context: at least TLS 1.2, the broker's certificate and its name are checked.

        The files are read each time, so that a renewed certificate is taken up with the next connection.

        Raises:
            OSError: a file cannot be read, holds no usable certificate, or the key does not belong to it
                (``ssl.SSLError`` is one of them).
        """
        context = ssl.create_default_context(cafile=self.authority)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.certificate is not None:
            # An empty password makes an encrypted key an error; without one OpenSSL would ask at the terminal.
            context.load_cert_chain(self.certificate, self.key, password="")
        return context


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where the broker is and who we are to it."""

    host: str
    port: int
    user: str | None
    password: str | None
    encrypted: bool
    tls: TlsFiles = TlsFiles()

    @classmethod
    def parse(cls, url: str, tls: TlsFiles | None = None) -> Self:
        """Read ``mqtt://[user:password@]host[:port]``, or ``mqtts`` for TLS.

        Raises:
            ConfigurationError: the address is of another kind.
        """
        wrong = ConfigurationError("LIFELINE_MQTT_URL must read mqtt://[user:password@]host:port, or mqtts:// for TLS")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise wrong from None
        if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname:
            raise wrong
        encrypted = parts.scheme == "mqtts"
        user = None if parts.username is None else unquote(parts.username)
        password = None if parts.password is None else unquote(parts.password)
        return cls(parts.hostname, port or (8883 if encrypted else 1883), user, password, encrypted, tls or TlsFiles())

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The broker of the settings, with the TLS files read once to see that they can be.

        Raises:
            ConfigurationError: there is no address or a wrong one; TLS files are given for an address without TLS,
                one of certificate and key is missing, or a file cannot be used.
        """
        if settings.mqtt_url is None:
            raise ConfigurationError("LIFELINE_MQTT_URL is not set")
        tls = TlsFiles(settings.mqtt_ca_file, settings.mqtt_certificate_file, settings.mqtt_key_file)
        address = cls.parse(settings.mqtt_url.get_secret_value(), tls)
        if (tls.certificate is None) != (tls.key is None):
            raise ConfigurationError("LIFELINE_MQTT_CERTIFICATE_FILE and LIFELINE_MQTT_KEY_FILE belong together")
        if tls != TlsFiles() and not address.encrypted:
            raise ConfigurationError("LIFELINE_MQTT_URL must begin with mqtts:// for the TLS files to be used")
        try:
            address.ssl_context()
        except OSError as error:
            files = ", ".join(str(file) for file in (tls.authority, tls.certificate, tls.key) if file is not None)
            raise ConfigurationError(f"the TLS files of LIFELINE_MQTT_URL ({files}) cannot be used: {error}") from None
        return address

    def ssl_context(self) -> ssl.SSLContext | None:
        """What a connection is encrypted with, made anew; ``None`` for an address without TLS.

        Raises:
            OSError: a TLS file cannot be used.
        """
        return self.tls.context() if self.encrypted else None
