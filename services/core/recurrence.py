"""What comes again every day, week or month, written as an iCalendar rule (RFC 5545). Pure."""

import re
from datetime import datetime

from dateutil.rrule import rrule, rruleset, rrulestr

# Rules come from people and from files of other programs. The library follows a rule step by step, and some (an
# interval of nothing, every second of a year) would keep it busy without end; these few forms it is through with fast.
_DAY = r"(MO|TU|WE|TH|FR|SA|SU)"
_KNOWN = re.compile(
    r"FREQ=(DAILY|WEEKLY|MONTHLY)"
    rf"(;(INTERVAL=[1-9]\d?|COUNT=[1-9]\d{{0,3}}|UNTIL=\d{{8}}(T\d{{6}}Z)?|BYDAY={_DAY}(,{_DAY})*|WKST={_DAY}"
    r"|BYMONTHDAY=([1-9]|1\d|2[0-8])))*"
)


class RecurrenceError(ValueError):
    """A rule is none, or of a form that is not taken; the message says which are."""


def recurrence_of(rule: str, start: datetime) -> rrule | rruleset:
    """The moments at which something begins again, from ``start`` on.

    Raises:
        RecurrenceError: not a rule of days, weeks or months.
    """
    if not _KNOWN.fullmatch(rule):
        raise RecurrenceError(
            "must be like FREQ=WEEKLY;BYDAY=TU,TH: DAILY, WEEKLY or MONTHLY with INTERVAL (1 to 99), BYDAY, "
            "BYMONTHDAY (1 to 28), COUNT and UNTIL"
        )
    try:
        return rrulestr(rule, dtstart=start)
    except ValueError as error:
        raise RecurrenceError(str(error)) from None
