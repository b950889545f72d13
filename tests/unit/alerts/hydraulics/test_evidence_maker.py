"""Evidence is the same whether one process makes it or two."""

import numpy as np

from services.alerts.hydraulics.block import ActiveLeak
from services.alerts.hydraulics.evidence_maker import EvidenceMaker
from services.alerts.hydraulics.ledger import Entry
from services.alerts.hydraulics.metering import Channel
from services.alerts.hydraulics.model_doubts import typical_block
from tests.unit.alerts.hydraulics.small_network import CHANNELS, network_text


def test_two_processes_make_what_one_makes() -> None:
    channels = [Channel(*channel) for channel in CHANNELS]
    one, two = (EvidenceMaker(network_text(), channels, processes) for processes in (1, 2))
    leaks = (ActiveLeak("leak-1", "east1_1", 3.0),)
    entries = [
        Entry(typical_block(one.model, one.metering, hour * 3600), leaks if hour % 2 else ()) for hour in range(64)
    ]
    for alone, shared in zip(one.evidences(entries), two.evidences(entries), strict=True):
        assert alone is not None
        assert shared is not None
        assert np.array_equal(alone.mixed, shared.mixed)
        assert np.array_equal(alone.leak_seen, shared.leak_seen)
        assert alone.total == shared.total
        assert alone.flow_m3h == shared.flow_m3h
