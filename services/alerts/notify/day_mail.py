"""Mails the report of the day before, once a day, to whoever the settings name."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from email.message import EmailMessage
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog

from services.alerts.notify.mail_server import MailServer
from services.core import day_report
from services.core.settings import ConfigurationError, Settings
from services.core.store import day_reports
from services.core.store.pool import Pool

EVERY_HOUR = "7 * * * *"
_FROM_CLOCK = time(6)
"""The people of the morning shift find it when they come."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class DayMail:
    """Who gets the report, by which server, and in which time zone a day begins."""

    pool: Pool
    server: MailServer
    recipients: tuple[str, ...]
    time_zone: ZoneInfo
    city: str
    exercise: bool
    longest_wait: timedelta

    @classmethod
    def from_settings(cls, pool: Pool, settings: Settings) -> "DayMail | None":
        """As the settings say; ``None`` without recipients or without a mail server.

        Raises:
            ConfigurationError: the mail server's address is of another kind, or there is no such time zone.
        """
        try:
            time_zone = ZoneInfo(settings.report_time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ConfigurationError("LIFELINE_REPORT_TIME_ZONE: there is no such time zone") from None
        server = MailServer.from_settings(settings)
        recipients = tuple(name.strip() for name in settings.report_to.split(",") if name.strip())
        if server is None or not recipients:
            return None
        return cls(
            pool,
            server,
            recipients,
            time_zone,
            settings.city,
            settings.exercise,
            settings.webhook_timeout,
        )

    async def send_if_due(self, now: datetime) -> bool:
        """Mail yesterday's report unless it was mailed or the morning has not come; whether it was mailed now.

        The mail goes out before the transaction ends that notes it. A process that is killed between the two mails it a
        second time under the same ``Message-ID``; one whose mail server refuses it tries again in an hour.

        Raises:
            aiosmtplib.SMTPException: the server did not take it on.
            OSError: it cannot be reached.
        """
        local = now.astimezone(self.time_zone)
        if local.time() < _FROM_CLOCK:
            return False
        day = local.date() - timedelta(days=1)
        since, until = (datetime.combine(each, time(), self.time_zone) for each in (day, day + timedelta(days=1)))
        async with self.pool.connection() as connection:
            if not await day_reports.claim_mail(connection, day, self.recipients, now):
                return False
            report = await day_reports.gather(connection, self.city, since, until, now=now, exercise=self.exercise)
            identifier = f"<day-report-{day.isoformat()}.{self.city}@lifeline>"
            await self.server.take(_letter(report, self.recipients, identifier), self.recipients, self.longest_wait)
        log.info("report of the day mailed", day=day.isoformat(), recipients=len(self.recipients))
        return True


def _letter(report: day_report.DayReport, recipients: tuple[str, ...], identifier: str) -> EmailMessage:
    heading = day_report.title(report)
    letter = EmailMessage()
    letter["To"] = ", ".join(recipients)
    letter["Subject"] = f"{heading.zh} · {heading.en}"
    letter["Message-ID"] = identifier
    figures = report.figures
    letter.set_content(
        f"{heading.zh}\n报警 {figures.alerts}，已通知 {figures.told}，发布预警 {figures.warnings}。\n\n"
        f"{heading.en}\n{figures.alerts} alerts, {figures.told} told, {figures.warnings} warnings published.\n"
    )
    letter.add_alternative(day_report.written(report), subtype="html")
    return letter
