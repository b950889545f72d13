"""Who is on duty when (值班), read from a calendar, and where nobody is. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid5

from icalendar import Calendar, Component

from services.core.organisation import Person
from services.core.recurrence import RecurrenceError, recurrence_of

LARGEST_CALENDAR_BYTES = 60_000
_MOST_SHIFTS = 5_000
_LONGEST_SHIFT = timedelta(days=31)
_NAMESPACE = UUID("2c0f0a4e-7c41-4e0e-9a3e-5d1f4a4c7f10")
USUAL_ROLE = "duty"


class RotaError(ValueError):
    """A calendar cannot be used; the message names the entry and the reason."""


@dataclass(frozen=True, slots=True)
class Shift:
    """One person's time on duty; ``substitutes`` names whom they stand in for."""

    id: UUID
    organisation: str
    role: str
    person: str
    starts_at: datetime
    ends_at: datetime
    source: str
    substitutes: str | None = None


@dataclass(frozen=True, slots=True)
class Hole:
    """A time in which nobody of an organisation is on duty in a role."""

    organisation: str
    role: str
    starts_at: datetime
    ends_at: datetime


def read_rota(
    text: bytes, organisation: str, people: Iterable[Person], since: datetime, until: datetime
) -> list[Shift]:
    """The shifts of an iCalendar file that lie between two moments.

    An entry's summary names the person, by identifier or by name; its first category is the role. What comes again
    (RRULE) is laid out; what has no time zone is taken as UTC.

    Raises:
        RotaError: naming the entry and the reason; nothing of the file is used then.
    """
    if len(text) > LARGEST_CALENDAR_BYTES:
        raise RotaError(f"the calendar is larger than {LARGEST_CALENDAR_BYTES} bytes")
    try:
        calendar = Calendar.from_ical(text)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RotaError(f"not an iCalendar file: {error}") from None
    known = {name: person for person in people for name in (person.id, person.name)}
    shifts: list[Shift] = []
    for number, entry in enumerate(calendar.walk("VEVENT"), start=1):
        shifts += _shifts(entry, f"entry {number}", organisation, known, (since, until))
        if len(shifts) > _MOST_SHIFTS:
            raise RotaError(f"more than {_MOST_SHIFTS} shifts between {since:%Y-%m-%d} and {until:%Y-%m-%d}")
    return sorted(shifts, key=lambda shift: (shift.starts_at, shift.role, shift.person))


def _shifts(
    entry: Component, place: str, organisation: str, known: Mapping[str, Person], span: tuple[datetime, datetime]
) -> Iterator[Shift]:
    name = str(entry.get("SUMMARY", "")).strip()
    person = known.get(name)
    if person is None:
        raise RotaError(f"{place}: SUMMARY {name!r} is nobody of {organisation}")
    started, ended = _moment(entry, "DTSTART", place), _ended(entry, place)
    length = ended - started
    if not timedelta(0) < length <= _LONGEST_SHIFT:
        raise RotaError(f"{place} ({name}): a shift lasts more than nothing and 31 days at the most")
    role = _role(entry)
    uid = str(entry.get("UID", name))
    for start in _starts(entry, started, place, span):
        if start < span[1] and start + length > span[0]:
            identifier = uuid5(_NAMESPACE, f"{organisation}/{role}/{person.id}/{start.isoformat()}")
            yield Shift(identifier, organisation, role, person.id, start, start + length, f"calendar {uid}"[:200])


def _role(entry: Component) -> str:
    categories = entry.get("CATEGORIES")
    if categories is None:
        return USUAL_ROLE
    first = categories[0] if isinstance(categories, list) else categories
    words = first.to_ical().decode().split(",")
    return str(words[0]).strip()[:100] or USUAL_ROLE


def _moment(entry: Component, field: str, place: str) -> datetime:
    found = entry.get(field)
    if found is None:
        raise RotaError(f"{place}: {field} is missing")
    moment = found.dt
    if isinstance(moment, datetime):
        return datetime.fromtimestamp(moment.timestamp(), UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    if isinstance(moment, date):
        return datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    raise RotaError(f"{place}: {field} is no moment")


def _ended(entry: Component, place: str) -> datetime:
    if entry.get("DTEND") is not None:
        return _moment(entry, "DTEND", place)
    duration = entry.get("DURATION")
    if duration is None:
        raise RotaError(f"{place}: DTEND is missing")
    length: timedelta = duration.dt
    return _moment(entry, "DTSTART", place) + length


def _starts(entry: Component, started: datetime, place: str, span: tuple[datetime, datetime]) -> list[datetime]:
    rule = entry.get("RRULE")
    if rule is None:
        return [started]
    try:
        recurrence = recurrence_of(rule.to_ical().decode(), started)
    except RecurrenceError as error:
        raise RotaError(f"{place}: RRULE {error}") from None
    return list(recurrence.between(span[0] - _LONGEST_SHIFT, span[1], inc=True))


def holes(shifts: Iterable[Shift], since: datetime, until: datetime) -> list[Hole]:
    """When nobody is on duty, for each organisation and role that has any shift; in order of time."""
    by_post: dict[tuple[str, str], list[Shift]] = {}
    for shift in shifts:
        by_post.setdefault((shift.organisation, shift.role), []).append(shift)
    found: list[Hole] = []
    for (organisation, role), held in by_post.items():
        covered = since
        for shift in sorted(held, key=lambda each: each.starts_at):
            if shift.starts_at > covered:
                found.append(Hole(organisation, role, covered, min(shift.starts_at, until)))
            covered = max(covered, shift.ends_at)
            if covered >= until:
                break
        if covered < until:
            found.append(Hole(organisation, role, covered, until))
    return sorted(found, key=lambda hole: (hole.starts_at, hole.organisation, hole.role))
