"""What an HTTP answer means where nothing but its status counts."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from services.alerts.notify.channels.contract import LONGEST_WAIT, Answer, Judgement

_TOO_MANY, _UNAVAILABLE, _GONE = 429, 503, 410


def judge_status(answer: Answer, now: datetime) -> Judgement:
    """2xx is delivered; 410 will never be; 429 and 503 may say how long to wait."""
    if 200 <= answer.status < 300:  # noqa: PLR2004  # the statuses of success
        return Judgement(delivered=True)
    wait = retry_after(answer.headers, now) if answer.status in {_TOO_MANY, _UNAVAILABLE} else None
    error = f"the receiver answered {answer.status}"
    return Judgement(delivered=False, error=error, wait=wait, final=answer.status == _GONE)


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """How long the answer asks to wait: seconds or a date (RFC 9110), at most an hour."""
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    if text.isascii() and text.isdigit():
        wait = timedelta(seconds=min(int(text[:9]), LONGEST_WAIT.total_seconds()))
    else:
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return None
        wait = moment.replace(tzinfo=moment.tzinfo or UTC) - now
    return min(max(wait, timedelta(0)), LONGEST_WAIT)
