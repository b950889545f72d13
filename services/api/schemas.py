"""What the API answers: one model for each thing, times in RFC 3339 UTC, texts in English and Chinese."""

from datetime import datetime
from typing import Any, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.api.moment import Moment
from services.core.alert import AlertMove, AlertState, Verdict
from services.core.lifeline import Lifeline
from services.core.notification import NotificationState
from services.core.rejection import Obstacle, RejectionReason
from services.core.root_cause import RootCause
from services.core.severity import Scheme
from services.core.suppression import SuppressionKind
from services.core.threshold import Side
from services.core.warning import Approval, WarningMove, WarningState
from services.core.work_order import WorkOrderMove, WorkOrderState

ItemT = TypeVar("ItemT")


class Answer(BaseModel):
    """Base of every answer: built from domain records by attribute."""

    model_config = ConfigDict(from_attributes=True)


class TextAnswer(Answer):
    """The same words in both languages."""

    en: str
    zh: str


class Page(BaseModel, Generic[ItemT]):
    """A list; ``next`` is the cursor of the next page and is absent on the last one."""

    items: list[ItemT]
    next: str | None = None


class ProblemField(BaseModel):
    """A field of the request and what is wrong with it."""

    field: str
    reason: str


class ProblemAnswer(BaseModel):
    """An error as RFC 9457 problem details."""

    model_config = ConfigDict(title="Problem")

    type: str = Field(description="what kind of problem; a word to decide by")
    title: str
    status: int
    detail: str | None = Field(default=None, description="what is wrong and what to do")
    errors: list[ProblemField] | None = Field(default=None, description="422: every field that is wrong")
    state: str | None = Field(default=None, description="409: where the thing stands")
    possible: list[str] | None = Field(default=None, description="409: the steps that may be taken now")
    request_id: str | None = Field(default=None, description="what the request is called in the log, as `X-Request-ID`")


class LifelineAnswer(Answer):
    """A lifeline of this city and how it is doing."""

    id: Lifeline
    label: TextAnswer
    assets: int
    sensors: int
    open_alerts: int
    worst_severity: int = Field(description="0 normal … 4 worst, over open alerts")


class ZoneAnswer(Answer):
    """A district, catchment or bridge."""

    id: str
    lifeline: Lifeline
    name: TextAnswer
    geometry: dict[str, Any] | None


class ThresholdAnswer(Answer):
    """One grade of a limit."""

    severity: int
    side: Side
    raise_at: float
    clear_at: float
    on_delay_s: float
    off_delay_s: float
    source: str


class SensorAnswer(Answer):
    """A registered sensor."""

    id: str
    lifeline: Lifeline
    quantity: str
    label: TextAnswer = Field(description="the quantity in words")
    unit: str
    asset: str
    zone: str
    longitude: float
    latitude: float
    interval_s: float
    gateway: str | None
    plausible: tuple[float, float]
    thresholds: list[ThresholdAnswer]


class ForecastAnswer(Answer):
    """One value that is expected of a sensor."""

    sensor: str
    issued_at: datetime
    target_time: datetime
    value: float
    low: float = Field(description="the value will lie above it nine times of ten, if the detector knows its trade")
    high: float = Field(description="and below this one as often")
    detector: str
    detector_version: str
    model: str | None


class SuppressionAnswer(Answer):
    """What keeps an alert quiet."""

    kind: SuppressionKind
    source: UUID | None = Field(description="the silence, or the alert that explains it")
    reason: TextAnswer
    mutes_to: int = Field(description="a worse severity is told all the same")


class AlertAnswer(Answer):
    """An alert: one evolving record an episode."""

    id: UUID
    state: AlertState
    lifeline: Lifeline
    kind: str
    kind_label: TextAnswer
    zone: str
    asset: str
    asset_name: TextAnswer
    position: tuple[float, float] | None = Field(description="longitude, latitude")
    sensors: list[str]
    severity: int = Field(description="now: 0 normal … 4 worst")
    highest_severity: int
    label: TextAnswer = Field(description="the highest severity in the words of its scheme")
    scheme: Scheme
    sensor_fault: bool
    started_at: datetime
    detected_at: datetime
    last_at: datetime
    cleared_at: datetime | None
    finding_count: int
    peak_value: float | None
    peak_at: datetime | None
    threshold: float | None
    unit: str | None
    rule: str
    detector: str
    detector_version: str
    explanation: TextAnswer
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    verdict: Verdict | None
    verdict_reason: str | None
    root_cause: RootCause | None = Field(default=None, description="what it turned out to be")
    warning: UUID | None = Field(description="the newest warning that came of it")
    work_order: UUID | None
    suppression: SuppressionAnswer | None = Field(default=None, description="why nobody is told of it, if nobody is")
    explained_by: UUID | None = Field(default=None, description="the alert that explains it")
    reopened: int = Field(default=0, description="how often it came back soon after its end")
    assignee: str | None = Field(default=None, description="who looks after it")
    moves: list[AlertMove] = Field(description="what a person may do with it now")
    version: int


class TraceCandidate(Answer):
    """A suspected source; probabilities of all candidates add up to at most one."""

    asset: str
    name: TextAnswer
    probability: float
    reason: TextAnswer
    geometry: dict[str, Any] | None


class TraceAlternative(Answer):
    """What to shut instead when one valve of the isolation cannot be shut."""

    stuck: str
    isolation: list[str]
    complete: bool
    households: int = Field(description="without supply while these are shut")


class TraceCustomers(Answer):
    """Households without supply while the first candidate is isolated."""

    households: int
    is_estimated: bool = Field(description="worked out from demands or pipe lengths, for the register states none")


class TraceAsset(Answer):
    """An asset that a trace names."""

    asset: str
    kind: str | None
    name: TextAnswer
    geometry: dict[str, Any] | None


class TraceLoss(Answer):
    """What the leak loses; the price's source says whether somebody has set it."""

    flow_m3h: float
    basis: Literal["model", "excess-flow"] = Field(description="the leak's own flow by the model, or flow beyond usual")
    cost_per_day: float
    currency: str
    price_per_m3: float
    price_source: str


class TraceMeasurement(TraceAsset):
    """Where listening for the leak tells most: bits of entropy of the suspicion now, and after it on average."""

    chance: float = Field(description="probability that something is heard")
    entropy_bits: float
    expected_entropy_bits: float


class TraceSample(TraceAsset):
    """A space whose sample says much about the place of a gas leak."""

    chance: float = Field(description="probability that gas is found there")
    gain_bits: float = Field(description="by how much the entropy of the suspicion falls on average")


class TraceBuilding(TraceAsset):
    """A building within the radius of a gas leak."""

    use: str
    people: int
    distance_m: float


class TraceGas(Answer):
    """What follows from a suspected gas leak; the radius is an estimate by a model, not a measurement."""

    causes: dict[str, float] = Field(description="leak, sewage, device; empty where nothing weighed them")
    next_spaces: list[TraceSample] = Field(description="where to sample next, best first")
    centre: tuple[float, float] = Field(description="likeliest place, longitude first")
    radius_m: float = Field(description="soil gas may hold 5 %vol of methane within: keep sparks away")
    buildings: list[TraceBuilding]
    people: int
    people_is_estimated: bool


class TraceAffected(TraceAsset):
    """A road, underpass, metro entrance, hospital or the like beside water on the street."""

    water_at: str = Field(description="the asset at which the water stands or is expected")
    distance_m: float = Field(description="between the two")
    in_min: float = Field(description="in how many minutes water is expected there; 0: it stands there")


class TraceEndangered(TraceAsset):
    """What trouble of one lifeline may reach in others, from network to network."""

    part: str = Field(description="what it is to its neighbours: road, bridge-support, sewer, basement …")
    distance_m: float = Field(description="from the likeliest source, by the way told or straight, whichever is longer")
    steps: int = Field(description="from network to network")
    path: TextAnswer = Field(description="the way there, step by step")
    threat: TextAnswer = Field(description="what may happen there")


class TraceNeighbour(TraceAsset):
    """An asset of another lifeline from which the trouble may come."""

    part: str
    probability: float = Field(description="its share of the suspicion; not part of the candidates' shares")
    distance_m: float
    reason: TextAnswer
    alert: UUID | None = Field(description="an open alert that suspects this asset, which makes it likelier")


class TraceAcross(Answer):
    """What leaves the alert's own lifeline: what is endangered elsewhere, and what elsewhere may be to blame."""

    endangered: list[TraceEndangered] = Field(description="the nearest first")
    causes: list[TraceNeighbour] = Field(description="the likeliest first")
    own: float = Field(description="the share of the suspicion that stays with the alert's own network")
    rained: bool | None = Field(description="of water on a road: whether gauges saw rain before; null: not known")


class TraceAnswer(Answer):
    """Where it comes from, what is upstream, what isolates it, and what follows from that."""

    candidates: list[TraceCandidate]
    upstream: list[str]
    isolation: list[str] = Field(description="valves or gates that cut the first candidate off")
    downstream: list[str] = Field(description="assets that are affected")
    isolation_complete: bool | None = Field(description="false where a source cannot be shut off; null: not worked out")
    isolation_alternatives: list[TraceAlternative] = Field(description="for each valve to shut: what if it is stuck")
    customers: TraceCustomers | None
    critical: list[TraceAsset] = Field(description="hospitals, schools and others without supply while it is isolated")
    loss: TraceLoss | None
    next_measurement: TraceMeasurement | None = Field(description="where to listen for the leak next")
    gas: TraceGas | None = Field(description="of a gas leak: causes, spaces to sample, radius, people; null elsewhere")
    affected: list[TraceAffected] = Field(description="whom water on the street concerns, soonest first; drainage only")
    across: TraceAcross | None = Field(description="neighbours in other lifelines; null where there is none")


class FindingAnswer(Answer):
    """One detector's claim within an alert."""

    id: UUID
    state: str
    kind: str
    severity: int
    time: datetime
    started_at: datetime
    score: float
    value: float | None
    threshold: float | None
    rule: str
    detector: str
    detector_version: str
    sensors: list[str]
    explanation: TextAnswer
    evidence: dict[str, Any]


class TimelineEntry(Answer):
    """One step in the life of an alert, its warning or its work order."""

    at: datetime
    actor: str
    action: str
    subject_kind: str
    subject: str
    after: dict[str, Any] | None


class AlertDetailAnswer(AlertAnswer):
    """Everything one page needs: what, where, how sure, why, what next."""

    trace: TraceAnswer | None
    findings: list[FindingAnswer]
    timeline: list[TimelineEntry]


class WarningAnswer(Answer):
    """A published warning."""

    id: UUID
    alert: UUID
    state: WarningState
    lifeline: Lifeline
    zone: str
    asset: str
    severity: int
    label: TextAnswer
    scheme: Scheme
    headline: TextAnswer
    instruction: TextAnswer
    organisation: str | None
    policy: str
    created_at: datetime
    published_at: datetime | None
    published_by: str | None
    received_at: datetime | None
    received_by: str | None
    lifted_at: datetime | None
    lifted_by: str | None = Field(description="ended it: lifted, cancelled or rejected, as the state says")
    ended_reason: str | None = None
    area: dict[str, Any] | None = Field(default=None, description="GeoJSON: where people are concerned")
    valid_until: datetime | None = None
    approval: Approval = Approval.NONE
    approved_at: datetime | None = None
    approved_by: str | None = None
    policy_version: int | None = Field(default=None, description="of the policy it was made under; unset: default")
    moves: list[WarningMove]
    version: int


class DeadlineAnswer(Answer):
    """When the step that an order waits for is due."""

    step: WorkOrderMove
    since: datetime
    due_at: datetime | None = Field(description="null while the clock stands still")
    warns_at: datetime | None
    allowed_s: float
    is_default: bool = Field(description="by a default, not by a rule that the centre has made")


class WorkOrderAnswer(Answer):
    """A work order with the clock of each step."""

    id: UUID
    alert: UUID | None = Field(description="null in an exercise: nothing happened")
    is_exercise: bool = Field(description="not meant in earnest; its title says so too")
    warning: UUID | None
    state: WorkOrderState
    lifeline: Lifeline
    zone: str
    asset: str
    severity: int
    organisation: str | None
    organisation_name: TextAnswer | None
    title: TextAnswer
    feedback: str | None
    feedback_by: str | None
    verification: str | None
    created_at: datetime
    dispatched_at: datetime | None
    received_at: datetime | None
    on_site_at: datetime | None
    under_control_at: datetime | None
    handled_at: datetime | None
    verified_at: datetime | None
    closed_at: datetime | None
    moves: list[WorkOrderMove] = Field(description="the steps towards the end that may be taken now")
    side_moves: list[WorkOrderMove] = Field(description="the steps that lead aside or back, and ask for a reason")
    deadline: DeadlineAnswer | None = Field(description="of the step that is waited for; null where it has none")
    incident: UUID | None = Field(description="what the order is a part of")
    is_joint: bool = Field(description="one of several orders of an incident; the first one closes last")
    person: str | None = Field(description="to whom of the organisation it is given")
    round: int = Field(description="how often it was sent out")
    held_from: WorkOrderState | None = Field(description="on hold: where it goes on")
    transferred: int = Field(description="how often it went to another organisation")
    reopened: int = Field(description="how often it was not over after all")
    escalated: int = Field(description="how often others were told that it takes too long")
    workers: list[str] = Field(description="who did the work: they neither verify nor close it")
    verified_by: str | None
    cannot_tell: str | None = Field(description="why the sensors cannot say that it is over")
    version: int


class DeliveryAnswer(Answer):
    """One attempt to deliver a notification."""

    attempt: int
    started_at: datetime
    duration_ms: float
    status: int | None
    response: str | None
    error: str | None
    request: dict[str, Any] | None = Field(description="what was sent, without secrets and signatures")


class NotificationAnswer(Answer):
    """A message to a receiver and its attempts."""

    id: UUID
    receiver: str
    type: str
    subject_kind: str
    subject: UUID
    state: NotificationState
    attempts: int
    created_at: datetime
    delivered_at: datetime | None
    deliveries: list[DeliveryAnswer]


class RejectionAnswer(Answer):
    """Payloads that could not become readings: one kind of trouble of one sender."""

    id: int
    topic: str
    reason: RejectionReason
    sensor: str | None
    detail: str = Field(description="what was wrong with the newest one")
    sender: str | None = Field(description="who published it, as far as the topic or the message tells")
    count: int = Field(description="how often it came; less those that became readings later")
    kept: int = Field(description="of how many the payload is still there")
    first_seen: datetime
    last_seen: datetime
    reprocess_requested_at: datetime | None = Field(description="until what is kept has been read again")
    reprocess_requested_by: str | None
    reprocessed_at: datetime | None = Field(description="when what is kept was last read again and refused again")
    payload: str = Field(description="the first 1000 bytes of the newest one; bytes that are not UTF-8 read \\xNN")
    received_at: datetime = Field(description="the same as `last_seen`", deprecated=True)


class RejectedPayloadAnswer(Answer):
    """What arrived."""

    received_at: datetime
    text: str | None = Field(description="when it is UTF-8; it may hold any character, control characters too")
    base64: str | None = Field(description="when it is not UTF-8")
    encoding: str = Field(description="content type; empty when the bytes tell by themselves")
    is_cut: bool = Field(description="only the first 65,536 bytes were kept")
    obstacle: Obstacle | None = Field(
        description="why it can never be read again: `cut`, or `needs-birth` for a Sparkplug message, which means "
        "something only behind the birth of its edge node"
    )


class RejectionDetailAnswer(RejectionAnswer):
    """A rejection with the payloads that it keeps, newest first."""

    payloads: list[RejectedPayloadAnswer]


class ReprocessAnswer(Answer):
    """What was asked to be read again; it is done in the background."""

    rejections: int
    payloads: int = Field(description="of these rejections, that are still there")


class AuditAnswer(Answer):
    """One entry of the append-only trail."""

    id: int
    at: datetime
    actor: str
    action: str
    subject_kind: str
    subject: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    address: str | None
    key_name: str | None


class VerdictRequest(BaseModel):
    """What a person judges an alert to be, and why."""

    verdict: Verdict
    reason: str = Field(min_length=1, max_length=2000)
    root_cause: RootCause | None = Field(default=None, description="what it turned out to be; counted, and searched")


class AssignRequest(BaseModel):
    """Who is to look after an alert; nobody any more when it is null."""

    assignee: str | None = Field(min_length=1, max_length=200)


class GradeRequest(BaseModel):
    """A person grades a warning in force up or down."""

    severity: int = Field(ge=1, le=4)
    reason: str = Field(min_length=1, max_length=2000)


class CommentRequest(BaseModel):
    """A remark on an alert."""

    text: str = Field(min_length=1, max_length=4000)


class CommentAnswer(Answer):
    """A remark on an alert."""

    id: UUID
    at: datetime
    author: str
    text: str


class NewNormalRequest(BaseModel):
    """Why what an alert shows is normal from now on."""

    reason: str = Field(min_length=1, max_length=2000)


class PublishRequest(BaseModel):
    """A person publishes a warning for an alert."""

    severity: int = Field(ge=1, le=4)
    instruction: str | None = Field(default=None, max_length=2000, description="replaces the default instruction")
    area: dict[str, Any] | None = Field(default=None, description="GeoJSON polygon: where people are concerned")
    valid_until: Moment | None = None


class FeedbackRequest(BaseModel):
    """What the crew found and did; asked for when the order is handed back."""

    text: str = Field(min_length=1, max_length=4000)
    version: int | None = Field(default=None, description="refuse if the order has another one by now")


class MoveRequest(BaseModel):
    """An optional note with a step."""

    note: str | None = Field(default=None, max_length=2000)
