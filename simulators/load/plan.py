"""What a load test sends: how many sensors behind how many gateways, in what form, and how much of it is wrong."""

from dataclasses import dataclass, field
from functools import cached_property

from simulators.load.form import Form

_LARGEST_BATCH = 1500
"""Readings in one message; in the longest form such a message stays below the contract's 262,144 bytes."""


@dataclass(frozen=True, slots=True)
class Shares:
    """Which part of the entries is not simply a new reading, 0 to 1 each.

    ``late`` is the part of the new readings that were measured ``LoadPlan.late_ms`` earlier. ``duplicates`` repeat an
    earlier reading, ``changed`` give an earlier moment another value, ``garbage`` cannot become a reading.
    """

    duplicates: float = 0.0
    changed: float = 0.0
    late: float = 0.0
    garbage: float = 0.0

    def __post_init__(self) -> None:
        parts = (self.duplicates, self.changed, self.late, self.garbage)
        if not all(0 <= part <= 1 for part in parts) or self.duplicates + self.changed + self.garbage >= 1:
            raise ValueError("shares lie between 0 and 1, and something new must remain")


@dataclass(frozen=True)
class LoadPlan:
    """Everything the traffic follows from: the same plan sends the same readings.

    Readings of a sensor are ``step_ms`` apart, beginning at ``start_ms`` (epoch milliseconds); both are even, and so is
    ``late_ms``, which keeps the moments of late readings apart from all others. The gateways take the
    ``forms`` in turn; one form of single readings is published on the sensors' own topics.
    """

    city: str
    start_ms: int
    sensors: int = 1000
    gateways: int = 10
    batch: int = 100
    step_ms: int = 1000
    forms: tuple[Form, ...] = (Form.parse("json-array"),)
    shares: Shares = field(default_factory=Shares)
    late_ms: int = 7_200_000
    seed: int = 1
    prefix: str = "load"

    def __post_init__(self) -> None:
        if not 1 <= self.gateways <= self.sensors:
            raise ValueError("there must be at least one gateway, and a sensor for each")
        if not 1 <= self.batch <= _LARGEST_BATCH:
            raise ValueError(f"a batch holds 1 to {_LARGEST_BATCH} readings")
        if self.step_ms < 1 or any(ms % 2 for ms in (self.start_ms, self.step_ms, self.late_ms)):
            raise ValueError("start, step and lateness are even numbers of milliseconds, the step more than 0")
        if not self.forms:
            raise ValueError("there must be a form of payload")

    @cached_property
    def sensor_names(self) -> list[str]:
        """The identifiers of the sensors; sensor ``i`` belongs to gateway ``i`` modulo the number of gateways."""
        return [f"{self.prefix}-{number}" for number in range(self.sensors)]

    @cached_property
    def gateway_names(self) -> list[str]:
        """The identifiers of the gateways."""
        return [f"{self.prefix}-gateway-{number}" for number in range(self.gateways)]

    def sensors_of(self, gateway: int) -> int:
        """How many sensors a gateway has."""
        return len(range(gateway, self.sensors, self.gateways))

    def form_of(self, gateway: int) -> Form:
        """The form in which a gateway sends."""
        return self.forms[gateway % len(self.forms)]

    def batch_of(self, gateway: int) -> int:
        """Entries in one of a gateway's messages."""
        return 1 if self.form_of(gateway).is_single else self.batch
