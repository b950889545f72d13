"""The mail server that takes our letters on, as the service's settings name it: no receiver can choose another."""

import ssl
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Self
from urllib.parse import unquote, urlsplit

import aiosmtplib

from services.core.settings import ConfigurationError, Settings

_PORTS = {"smtp": 587, "smtps": 465, "smtp+plain": 25}


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where letters go, who we are there, and whether the way is encrypted from the start, after STARTTLS, or not."""

    host: str
    port: int
    scheme: str
    sender: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    authority: Path | None = None

    @classmethod
    def from_settings(cls, settings: Settings) -> Self | None:
        """The server of the settings; ``None`` where they name none.

        Raises:
            ConfigurationError: the address is of another kind.
        """
        if settings.smtp_url is None:
            return None
        wrong = ConfigurationError("LIFELINE_SMTP_URL must read smtp://[user:password@]host:port, or smtps:// for TLS")
        try:
            parts = urlsplit(settings.smtp_url.get_secret_value())
            port = parts.port
        except ValueError:
            raise wrong from None
        if parts.scheme not in _PORTS or not parts.hostname:
            raise wrong
        return cls(
            host=parts.hostname,
            port=port or _PORTS[parts.scheme],
            scheme=parts.scheme,
            sender=settings.mail_from,
            user=None if parts.username is None else unquote(parts.username),
            password=None if parts.password is None else unquote(parts.password),
            authority=settings.smtp_ca_file,
        )

    async def take(self, letter: EmailMessage, recipients: tuple[str, ...], longest_wait: timedelta) -> str:
        """Hand a letter over; returns what the server said.

        Raises:
            aiosmtplib.SMTPException: it did not take it on, for one of the recipients at least.
            OSError: it cannot be reached, or its certificate is not good.
        """
        del letter["From"]
        letter["From"] = self.sender
        context = None
        if self.scheme != "smtp+plain":
            context = ssl.create_default_context(cafile=self.authority)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
        refused, said = await aiosmtplib.send(
            letter,
            sender=self.sender,
            recipients=list(recipients),
            hostname=self.host,
            port=self.port,
            username=self.user,
            password=self.password,
            timeout=longest_wait.total_seconds(),
            use_tls=self.scheme == "smtps",
            start_tls=self.scheme == "smtp",
            tls_context=context,
        )
        if refused:
            # Some got it and some did not: it is tried again for all, and a mailbox that has it knows its Message-ID.
            address, reply = next(iter(refused.items()))
            raise aiosmtplib.SMTPRecipientsRefused(
                [aiosmtplib.SMTPRecipientRefused(reply.code, reply.message, address)]
            )
        return said
