"""The report of the day before comes once, in the morning, by a real mail server, and again after a failure."""

import email
from datetime import UTC, date, datetime, timedelta
from email.policy import default
from pathlib import Path

import aiosmtplib
import pytest
from pydantic import SecretStr

from services.alerts.notify.day_mail import DayMail
from services.core.settings import ConfigurationError, Settings
from services.core.store.pool import open_pool
from tests.integration.alerts.alert_harness import ask
from tests.integration.alerts.certificates import new_authority
from tests.integration.alerts.test_channels import mail_server

BEFORE_SIX, MORNING = datetime(2026, 7, 14, 21, 59, tzinfo=UTC), datetime(2026, 7, 14, 22, 7, tzinfo=UTC)
"""In Shanghai 5:59 and 6:07 of the fifteenth."""


async def test_the_report_of_yesterday_is_mailed_once_from_six_oclock_on(city_url: str, tmp_path: Path) -> None:
    async with mail_server("smtp+plain", new_authority(tmp_path)) as (mailbox, url), open_pool(city_url, 2) as pool:
        mailbox.refusals = ["451 come back later"]
        settings = Settings(
            database_url=SecretStr(city_url),
            smtp_url=SecretStr(url),
            city="tiny",
            report_to="chief@city.example, duty@city.example",
            report_time_zone="Asia/Shanghai",
        )
        mail = DayMail.from_settings(pool, settings)
        assert mail is not None
        assert not await mail.send_if_due(BEFORE_SIX)
        with pytest.raises(aiosmtplib.SMTPException):
            await mail.send_if_due(MORNING)
        assert ask(city_url, "select from day_report") == [], "a mail that was refused counts as sent"
        sent = [await mail.send_if_due(MORNING + timedelta(hours=hours)) for hours in (1, 2, 24)]
        assert sent == [True, False, True]
    days = ask(city_url, "select day, recipients from day_report order by day")
    assert [row["day"] for row in days] == [date(2026, 7, 14), date(2026, 7, 15)]
    assert days[0]["recipients"] == ["chief@city.example", "duty@city.example"]
    letter = email.message_from_bytes(mailbox.letters[0], policy=default)
    assert letter["Message-ID"] == "<day-report-2026-07-14.tiny@lifeline>"
    assert "2026-07-14" in letter["Subject"]
    html = letter.get_body(("html",))
    assert html is not None
    assert "2026-07-14T00:00+08:00" in html.get_content(), "the day begins at midnight in the city"


@pytest.mark.parametrize(
    "settings", [{"report_to": "a@b.example"}, {"smtp_url": SecretStr("smtp://127.0.0.1")}], ids=["no server", "nobody"]
)
async def test_without_a_server_or_without_anybody_nothing_is_mailed(
    city_url: str, settings: dict[str, str | SecretStr]
) -> None:
    async with open_pool(city_url, 2) as pool:
        assert DayMail.from_settings(pool, Settings(**settings)) is None  # type: ignore[arg-type]


async def test_a_time_zone_that_is_none_is_said_at_the_start(city_url: str) -> None:
    async with open_pool(city_url, 2) as pool:
        with pytest.raises(ConfigurationError, match="LIFELINE_REPORT_TIME_ZONE"):
            DayMail.from_settings(pool, Settings(report_time_zone="Mars/Olympus"))
