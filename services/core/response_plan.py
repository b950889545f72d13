"""Response plans (预案): what is done in which order, by whom, by when, with what; data of the city, by version."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.core.lifeline import Lifeline
from services.core.organisation import Organisation, OrganisationRole, Person
from services.core.severity import Severity
from services.core.text import Text

_Name = Annotated[str, Field(min_length=1, max_length=200)]
_Words = Annotated[str, Field(min_length=1, max_length=2000)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PlanText(_Part):
    """The same words in both languages."""

    en: _Words
    zh: _Words

    @property
    def text(self) -> Text:
        """As a text of the service."""
        return Text(self.en, self.zh)


class NamedPerson(_Part):
    """Somebody by name and post, as they were when the plan was written (名单到人、岗位到人)."""

    id: _Name
    name: _Name
    post: PlanText


class PlanStep(_Part):
    """One thing to do. Without a person it is whoever of the organisation, or of the role, is on duty then."""

    label: PlanText
    role: OrganisationRole
    organisation: _Name | None = None
    person: NamedPerson | None = None
    within_s: float = Field(gt=0, le=30 * 86_400, description="of the activation")


class PlanMaterial(_Part):
    """What has to be there."""

    id: _Name
    name: PlanText
    needed: float = Field(gt=0, allow_inf_nan=False)
    unit: Annotated[str, Field(min_length=1, max_length=20)]


class PhoneNumber(_Part):
    """Whom else to call."""

    name: PlanText
    phone: Annotated[str, Field(min_length=1, max_length=40)]


class ResponsePlan(_Part):
    """A plan; what is not given of kind, zone and asset fits everything."""

    lifeline: Lifeline
    kind: _Name | None = None
    severity_from: int = Field(default=1, ge=1, le=4)
    zone: _Name | None = None
    asset: _Name | None = None
    title: PlanText
    steps: tuple[PlanStep, ...] = Field(min_length=1, max_length=100)
    materials: tuple[PlanMaterial, ...] = Field(default=(), max_length=100)
    phones: tuple[PhoneNumber, ...] = Field(default=(), max_length=50)
    exclusion_radius_m: float = Field(default=0, ge=0, le=10_000)
    public_message: PlanText | None = None

    @model_validator(mode="after")
    def _names_materials_once(self) -> Self:
        if len({material.id for material in self.materials}) != len(self.materials):
            raise ValueError("a material is named twice")
        return self

    def fits(self, lifeline: Lifeline, kind: str, severity: Severity, zone: str, asset: str) -> bool:
        """Whether the plan is for such trouble at such a place."""
        return (
            self.lifeline is lifeline
            and self.kind in {None, kind}
            and severity >= self.severity_from
            and self.zone in {None, zone}
            and self.asset in {None, asset}
        )

    @property
    def closeness(self) -> tuple[bool, bool, bool, int]:
        """How closely it speaks of one case: its place first, then its kind, then its severity."""
        return (self.asset is not None, self.zone is not None, self.kind is not None, self.severity_from)


@dataclass(frozen=True, slots=True)
class KeptPlan:
    """A version of a plan, who made it and why; version 0 is a default that nobody has changed."""

    id: str
    version: int
    plan: ResponsePlan
    is_default: bool
    author: str | None = None
    reason: str | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Roster:
    """Who there is now: people of the register, who is on duty, organisations, and stock by material."""

    people: Mapping[str, Person]
    on_duty: Sequence[Person]
    organisations: Mapping[str, Organisation]
    stock: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class PlanGap:
    """Something that the plan relies on and that is not there; ``step`` counts from one."""

    step: int | None
    reason: Text


@dataclass(frozen=True, slots=True)
class ActivatedStep:
    """A step of a plan that runs."""

    number: int
    label: Text
    role: OrganisationRole
    organisation: str | None
    person: str | None
    person_name: str | None
    post: Text | None
    phone: str | None
    due_at: datetime
    done_at: datetime | None = None
    done_by: str | None = None
    note: str | None = None
    told_overdue_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PlanActivation:
    """A plan that runs, in earnest or as an exercise (演练), of which the public is told nothing."""

    id: UUID
    plan: str
    plan_version: int
    title: Text
    incident: UUID
    work_order: UUID | None
    is_exercise: bool
    exclusion_radius_m: float
    public_message: Text | None
    activated_at: datetime
    activated_by: str
    ended_at: datetime | None
    ended_by: str | None
    steps: Sequence[ActivatedStep]


EXERCISE = Text("EXERCISE — ", "【演练】")
"""Stands before every title of an exercise."""


def marked(title: Text, *, is_exercise: bool) -> Text:
    """The title as it is told: nobody is to take an exercise for earnest."""
    return Text(EXERCISE.en + title.en, EXERCISE.zh + title.zh) if is_exercise else title


def best(
    plans: Iterable[KeptPlan], lifeline: Lifeline, kind: str, severity: Severity, place: tuple[str, str]
) -> list[KeptPlan]:
    """The plans for such trouble at a zone and asset, the one that speaks most closely of it first."""
    fitting = [plan for plan in plans if plan.plan.fits(lifeline, kind, severity, *place)]
    return sorted(fitting, key=lambda plan: (plan.plan.closeness, not plan.is_default, plan.id), reverse=True)


def whose(step: PlanStep, plan: ResponsePlan, roster: Roster, owner: str | None = None) -> str | None:
    """The organisation of a step: the one it names, the owner of the place, or the first of that role."""
    if step.organisation is not None:
        return step.organisation if step.organisation in roster.organisations else None
    if step.role is OrganisationRole.OWNER and owner is not None:
        return owner
    return next(
        (
            organisation.id
            for organisation in sorted(roster.organisations.values(), key=lambda each: each.id)
            if organisation.role is step.role and plan.lifeline in organisation.lifelines
        ),
        None,
    )


def who(step: PlanStep, organisation: str | None, roster: Roster) -> Person | None:
    """The person of a step: who is named and still there, else who is on duty, else the first of the organisation."""
    if step.person is not None:
        known = roster.people.get(step.person.id)
        return known if known is not None and organisation in {None, known.organisation} else None
    of_it = [person for person in roster.on_duty if person.organisation == organisation]
    of_it += sorted((p for p in roster.people.values() if p.organisation == organisation), key=lambda each: each.id)
    return next(iter(of_it), None)


def gaps(plan: ResponsePlan, roster: Roster) -> list[PlanGap]:
    """What the plan relies on and is not there: people who left or changed their post, stock that is short."""
    found: list[PlanGap] = []
    for number, step in enumerate(plan.steps, start=1):
        organisation = whose(step, plan, roster)
        if organisation is None:
            named = step.organisation or step.role
            found.append(PlanGap(number, Text(f"there is no organisation {named}", f"无此单位：{named}")))
        found += [PlanGap(number, reason) for reason in _person_gaps(step, organisation, roster)]
    for material in plan.materials:
        stock = roster.stock.get(material.id, 0.0)
        if stock < material.needed:
            en = f"{material.name.en}: {material.needed:g} {material.unit} needed, {stock:g} in stock"
            zh = f"{material.name.zh}：需 {material.needed:g} {material.unit}，库存 {stock:g}"
            found.append(PlanGap(None, Text(en, zh)))
    return found


def _person_gaps(step: PlanStep, organisation: str | None, roster: Roster) -> Iterable[Text]:
    person = who(step, organisation, roster)
    named = step.person
    if named is None:
        if person is None and organisation is not None:
            yield Text(f"the register names nobody of {organisation}", f"{organisation} 无登记人员")
        return
    if person is None:
        yield Text(f"{named.name} ({named.post.en}) is no longer there", f"{named.name}（{named.post.zh}）已不在岗")
    elif (person.name, person.post) != (named.name, named.post.text):
        yield Text(
            f"{named.name} ({named.post.en}) is now {person.name} ({person.post.en})",
            f"{named.name}（{named.post.zh}）现为 {person.name}（{person.post.zh}）",
        )
