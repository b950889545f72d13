"""What the API answers, one model for each thing.

Generated from the API's description by ``python -m tests.golden``: not to be changed by hand.
"""

from typing import Annotated, Any
from uuid import UUID

from pydantic import AwareDatetime, Field
from services.client.answer import Answer


class CommentAnswer(Answer):
    """A remark on an alert."""

    at: AwareDatetime
    author: str
    id: UUID
    text: str


class DeadlineAnswer(Answer):
    """When the step that an order waits for is due."""

    allowed_s: float
    due_at: AwareDatetime | None
    """null while the clock stands still"""
    is_default: bool
    """by a default, not by a rule that the centre has made"""
    since: AwareDatetime
    step: str
    warns_at: AwareDatetime | None


class DeliveryAnswer(Answer):
    """One attempt to deliver a notification."""

    attempt: int
    duration_ms: float
    error: str | None
    request: dict[str, Any] | None
    """what was sent, without secrets and signatures"""
    response: str | None
    started_at: AwareDatetime
    status: int | None


class HistoryPoint(Answer):
    """One bucket of a sensor's history; bad readings are counted in ``bad`` and not in the rest."""

    bad: int
    count: int
    """good and suspect readings"""
    last: float | None
    maximum: float | None
    mean: float | None
    minimum: float | None
    suspect: int
    time: AwareDatetime
    """start of the bucket"""


class HistorySample(Answer):
    """One good or suspect reading."""

    quality: int
    """0 good, 1 suspect, 2 bad"""
    time: AwareDatetime
    value: float


class LatestAnswer(Answer):
    """A sensor's newest value by measurement time."""

    quality: int
    """0 good, 1 suspect, 2 bad"""
    reason: str | None
    """why the value is marked, in one word"""
    received_at: AwareDatetime
    sensor: str
    time: AwareDatetime
    value: float


class LimitsAnswer(Answer):
    """To which part of the city somebody is confined; null: all of it."""

    lifelines: list[str] | None = None
    organisations: list[str] | None = None
    zones: list[str] | None = None


class MeAnswer(Answer):
    """Who asks."""

    csrf_token: str | None
    """to be sent as `X-CSRF-Token` with every change of this session"""
    is_user: bool
    """whether a person logged in, instead of a key that was presented"""
    label: str
    limits: LimitsAnswer
    name: str
    """as whom they act, in the audit trail and on orders"""
    permissions: list[str]
    roles: list[str]


class NotificationAnswer(Answer):
    """A message to a receiver and its attempts."""

    attempts: int
    created_at: AwareDatetime
    delivered_at: AwareDatetime | None
    deliveries: list[DeliveryAnswer]
    id: UUID
    receiver: str
    state: str
    subject: UUID
    subject_kind: str
    type: str


class RejectionAnswer(Answer):
    """Payloads that could not become readings: one kind of trouble of one sender."""

    count: int
    """how often it came; less those that became readings later"""
    detail: str
    """what was wrong with the newest one"""
    first_seen: AwareDatetime
    id: int
    kept: int
    """of how many the payload is still there"""
    last_seen: AwareDatetime
    payload: str
    """the first 1000 bytes of the newest one; bytes that are not UTF-8 read \\xNN"""
    reason: str
    received_at: Annotated[AwareDatetime, Field(deprecated=True)]
    """the same as `last_seen`"""
    reprocess_requested_at: AwareDatetime | None
    """until what is kept has been read again"""
    reprocess_requested_by: str | None
    reprocessed_at: AwareDatetime | None
    """when what is kept was last read again and refused again"""
    sender: str | None
    """who published it, as far as the topic or the message tells"""
    sensor: str | None
    topic: str


class TextAnswer(Answer):
    """The same words in both languages."""

    en: str
    zh: str


class ThresholdAnswer(Answer):
    """One grade of a limit."""

    clear_at: float
    off_delay_s: float
    on_delay_s: float
    raise_at: float
    severity: int
    side: str
    source: str


class TimelineEntry(Answer):
    """One step in the life of an alert, its warning or its work order."""

    action: str
    actor: str
    after: dict[str, Any] | None
    at: AwareDatetime
    subject: str
    subject_kind: str


class TraceAffected(Answer):
    """A road, underpass, metro entrance, hospital or the like beside water on the street."""

    asset: str
    distance_m: float
    """between the two"""
    geometry: dict[str, Any] | None
    in_min: float
    """in how many minutes water is expected there; 0: it stands there"""
    kind: str | None
    name: TextAnswer
    water_at: str
    """the asset at which the water stands or is expected"""


class TraceAlternative(Answer):
    """What to shut instead when one valve of the isolation cannot be shut."""

    complete: bool
    households: int
    """without supply while these are shut"""
    isolation: list[str]
    stuck: str


class TraceAsset(Answer):
    """An asset that a trace names."""

    asset: str
    geometry: dict[str, Any] | None
    kind: str | None
    name: TextAnswer


class TraceBuilding(Answer):
    """A building within the radius of a gas leak."""

    asset: str
    distance_m: float
    geometry: dict[str, Any] | None
    kind: str | None
    name: TextAnswer
    people: int
    use: str


class TraceCandidate(Answer):
    """A suspected source; probabilities of all candidates add up to at most one."""

    asset: str
    geometry: dict[str, Any] | None
    name: TextAnswer
    probability: float
    reason: TextAnswer


class TraceCustomers(Answer):
    """Households without supply while the first candidate is isolated."""

    households: int
    is_estimated: bool
    """worked out from demands or pipe lengths, for the register states none"""


class TraceEndangered(Answer):
    """What trouble of one lifeline may reach in others, from network to network."""

    asset: str
    distance_m: float
    """from the likeliest source, by the way told or straight, whichever is longer"""
    geometry: dict[str, Any] | None
    kind: str | None
    name: TextAnswer
    part: str
    """what it is to its neighbours: road, bridge-support, sewer, basement …"""
    path: TextAnswer
    """the way there, step by step"""
    steps: int
    """from network to network"""
    threat: TextAnswer
    """what may happen there"""


class TraceLoss(Answer):
    """What the leak loses; the price's source says whether somebody has set it."""

    basis: str
    """the leak's own flow by the model, or flow beyond usual"""
    cost_per_day: float
    currency: str
    flow_m3h: float
    price_per_m3: float
    price_source: str


class TraceMeasurement(Answer):
    """Where listening for the leak tells most: bits of entropy of the suspicion now, and after it on average."""

    asset: str
    chance: float
    """probability that something is heard"""
    entropy_bits: float
    expected_entropy_bits: float
    geometry: dict[str, Any] | None
    kind: str | None
    name: TextAnswer


class TraceNeighbour(Answer):
    """An asset of another lifeline from which the trouble may come."""

    alert: UUID | None
    """an open alert that suspects this asset, which makes it likelier"""
    asset: str
    distance_m: float
    geometry: dict[str, Any] | None
    kind: str | None
    name: TextAnswer
    part: str
    probability: float
    """its share of the suspicion; not part of the candidates' shares"""
    reason: TextAnswer


class TraceSample(Answer):
    """A space whose sample says much about the place of a gas leak."""

    asset: str
    chance: float
    """probability that gas is found there"""
    gain_bits: float
    """by how much the entropy of the suspicion falls on average"""
    geometry: dict[str, Any] | None
    kind: str | None
    name: TextAnswer


class WarningAnswer(Answer):
    """A published warning."""

    alert: UUID
    approval: str | None = None
    approved_at: AwareDatetime | None = None
    approved_by: str | None = None
    area: dict[str, Any] | None = None
    """GeoJSON: where people are concerned"""
    asset: str
    created_at: AwareDatetime
    ended_reason: str | None = None
    headline: TextAnswer
    id: UUID
    instruction: TextAnswer
    label: TextAnswer
    lifeline: str
    lifted_at: AwareDatetime | None
    lifted_by: str | None
    """ended it: lifted, cancelled or rejected, as the state says"""
    moves: list[str]
    organisation: str | None
    policy: str
    policy_version: int | None = None
    """of the policy it was made under; unset: default"""
    published_at: AwareDatetime | None
    published_by: str | None
    received_at: AwareDatetime | None
    received_by: str | None
    scheme: str
    severity: int
    state: str
    valid_until: AwareDatetime | None = None
    version: int
    zone: str


class WorkOrderAnswer(Answer):
    """A work order with the clock of each step."""

    alert: UUID | None
    """null in an exercise: nothing happened"""
    asset: str
    cannot_tell: str | None
    """why the sensors cannot say that it is over"""
    closed_at: AwareDatetime | None
    created_at: AwareDatetime
    deadline: DeadlineAnswer | None
    """of the step that is waited for; null where it has none"""
    dispatched_at: AwareDatetime | None
    escalated: int
    """how often others were told that it takes too long"""
    feedback: str | None
    feedback_by: str | None
    handled_at: AwareDatetime | None
    held_from: str | None
    """on hold: where it goes on"""
    id: UUID
    incident: UUID | None
    """what the order is a part of"""
    is_exercise: bool
    """not meant in earnest; its title says so too"""
    is_joint: bool
    """one of several orders of an incident; the first one closes last"""
    lifeline: str
    moves: list[str]
    """the steps towards the end that may be taken now"""
    on_site_at: AwareDatetime | None
    organisation: str | None
    organisation_name: TextAnswer | None
    person: str | None
    """to whom of the organisation it is given"""
    received_at: AwareDatetime | None
    reopened: int
    """how often it was not over after all"""
    round: int
    """how often it was sent out"""
    severity: int
    side_moves: list[str]
    """the steps that lead aside or back, and ask for a reason"""
    state: str
    title: TextAnswer
    transferred: int
    """how often it went to another organisation"""
    under_control_at: AwareDatetime | None
    verification: str | None
    verified_at: AwareDatetime | None
    verified_by: str | None
    version: int
    warning: UUID | None
    workers: list[str]
    """who did the work: they neither verify nor close it"""
    zone: str


class FindingAnswer(Answer):
    """One detector's claim within an alert."""

    detector: str
    detector_version: str
    evidence: dict[str, Any]
    explanation: TextAnswer
    id: UUID
    kind: str
    rule: str
    score: float
    sensors: list[str]
    severity: int
    started_at: AwareDatetime
    state: str
    threshold: float | None
    time: AwareDatetime
    value: float | None


class HistoryAnswer(Answer):
    """A sensor's history: ``points`` in the shape of buckets, ``samples`` in the other shapes."""

    bucket_s: float | None
    """length of a bucket; null for samples"""
    points: list[HistoryPoint]
    samples: list[HistorySample]
    sensor: str
    shape: str
    source: str
    """what was read: the readings or what is kept of each minute, hour or day (UTC); of these the first may begin before `start`"""
    unit: str


class LifelineAnswer(Answer):
    """A lifeline of this city and how it is doing."""

    assets: int
    id: str
    label: TextAnswer
    open_alerts: int
    sensors: int
    worst_severity: int
    """0 normal … 4 worst, over open alerts"""


class SensorAnswer(Answer):
    """A registered sensor."""

    asset: str
    gateway: str | None
    id: str
    interval_s: float
    label: TextAnswer
    """the quantity in words"""
    latitude: float
    lifeline: str
    longitude: float
    plausible: list[float]
    quantity: str
    thresholds: list[ThresholdAnswer]
    unit: str
    zone: str


class SuppressionAnswer(Answer):
    """What keeps an alert quiet."""

    kind: str
    mutes_to: int
    """a worse severity is told all the same"""
    reason: TextAnswer
    source: UUID | None
    """the silence, or the alert that explains it"""


class TraceAcross(Answer):
    """What leaves the alert's own lifeline: what is endangered elsewhere, and what elsewhere may be to blame."""

    causes: list[TraceNeighbour]
    """the likeliest first"""
    endangered: list[TraceEndangered]
    """the nearest first"""
    own: float
    """the share of the suspicion that stays with the alert's own network"""
    rained: bool | None
    """of water on a road: whether gauges saw rain before; null: not known"""


class TraceGas(Answer):
    """What follows from a suspected gas leak; the radius is an estimate by a model, not a measurement."""

    buildings: list[TraceBuilding]
    causes: dict[str, Any]
    """leak, sewage, device; empty where nothing weighed them"""
    centre: list[float]
    """likeliest place, longitude first"""
    next_spaces: list[TraceSample]
    """where to sample next, best first"""
    people: int
    people_is_estimated: bool
    radius_m: float
    """soil gas may hold 5 %vol of methane within: keep sparks away"""


class AlertAnswer(Answer):
    """An alert: one evolving record an episode."""

    acknowledged_at: AwareDatetime | None
    acknowledged_by: str | None
    asset: str
    asset_name: TextAnswer
    assignee: str | None = None
    """who looks after it"""
    cleared_at: AwareDatetime | None
    detected_at: AwareDatetime
    detector: str
    detector_version: str
    explained_by: UUID | None = None
    """the alert that explains it"""
    explanation: TextAnswer
    finding_count: int
    highest_severity: int
    id: UUID
    kind: str
    kind_label: TextAnswer
    label: TextAnswer
    """the highest severity in the words of its scheme"""
    last_at: AwareDatetime
    lifeline: str
    moves: list[str]
    """what a person may do with it now"""
    peak_at: AwareDatetime | None
    peak_value: float | None
    position: list[float] | None
    """longitude, latitude"""
    reopened: int = 0
    """how often it came back soon after its end"""
    root_cause: str | None = None
    """what it turned out to be"""
    rule: str
    scheme: str
    sensor_fault: bool
    sensors: list[str]
    severity: int
    """now: 0 normal … 4 worst"""
    started_at: AwareDatetime
    state: str
    suppression: SuppressionAnswer | None = None
    """why nobody is told of it, if nobody is"""
    threshold: float | None
    unit: str | None
    verdict: str | None
    verdict_reason: str | None
    version: int
    warning: UUID | None
    """the newest warning that came of it"""
    work_order: UUID | None
    zone: str


class TraceAnswer(Answer):
    """Where it comes from, what is upstream, what isolates it, and what follows from that."""

    across: TraceAcross | None
    """neighbours in other lifelines; null where there is none"""
    affected: list[TraceAffected]
    """whom water on the street concerns, soonest first; drainage only"""
    candidates: list[TraceCandidate]
    critical: list[TraceAsset]
    """hospitals, schools and others without supply while it is isolated"""
    customers: TraceCustomers | None
    downstream: list[str]
    """assets that are affected"""
    gas: TraceGas | None
    """of a gas leak: causes, spaces to sample, radius, people; null elsewhere"""
    isolation: list[str]
    """valves or gates that cut the first candidate off"""
    isolation_alternatives: list[TraceAlternative]
    """for each valve to shut: what if it is stuck"""
    isolation_complete: bool | None
    """false where a source cannot be shut off; null: not worked out"""
    loss: TraceLoss | None
    next_measurement: TraceMeasurement | None
    """where to listen for the leak next"""
    upstream: list[str]


class AlertDetailAnswer(Answer):
    """Everything one page needs: what, where, how sure, why, what next."""

    acknowledged_at: AwareDatetime | None
    acknowledged_by: str | None
    asset: str
    asset_name: TextAnswer
    assignee: str | None = None
    """who looks after it"""
    cleared_at: AwareDatetime | None
    detected_at: AwareDatetime
    detector: str
    detector_version: str
    explained_by: UUID | None = None
    """the alert that explains it"""
    explanation: TextAnswer
    finding_count: int
    findings: list[FindingAnswer]
    highest_severity: int
    id: UUID
    kind: str
    kind_label: TextAnswer
    label: TextAnswer
    """the highest severity in the words of its scheme"""
    last_at: AwareDatetime
    lifeline: str
    moves: list[str]
    """what a person may do with it now"""
    peak_at: AwareDatetime | None
    peak_value: float | None
    position: list[float] | None
    """longitude, latitude"""
    reopened: int = 0
    """how often it came back soon after its end"""
    root_cause: str | None = None
    """what it turned out to be"""
    rule: str
    scheme: str
    sensor_fault: bool
    sensors: list[str]
    severity: int
    """now: 0 normal … 4 worst"""
    started_at: AwareDatetime
    state: str
    suppression: SuppressionAnswer | None = None
    """why nobody is told of it, if nobody is"""
    threshold: float | None
    timeline: list[TimelineEntry]
    trace: TraceAnswer | None
    unit: str | None
    verdict: str | None
    verdict_reason: str | None
    version: int
    warning: UUID | None
    """the newest warning that came of it"""
    work_order: UUID | None
    zone: str