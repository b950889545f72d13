"""What a leak search knows: the blocks it remembers, how wrong the model may be, the leaks and faults it follows."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from services.alerts.hydraulics.block import ActiveLeak, Block
from services.alerts.hydraulics.epanet_model import Array
from services.alerts.hydraulics.evidence_maker import EvidenceMaker
from services.alerts.hydraulics.followed import FollowedLeak
from services.alerts.hydraulics.hypotheses import Scales
from services.alerts.hydraulics.learning import WIDEST
from services.alerts.hydraulics.ledger import Entry, Ledger, Part
from services.alerts.hydraulics.model_doubts import Beliefs
from services.alerts.hydraulics.pipe_distance import PipeDistances

_REMEMBERED_BLOCKS = 30 * 12


class Picture:
    """The network as a search sees it. Every step of the search reads it, and writes back here what it found.

    ``leaks`` are followed, by their keys. ``muted`` has by sensor that is not believed the ratio with which it was
    found off, since when (s), by how much in the mean (m), and over how many blocks that mean goes. ``learnt`` is the
    number of the block from which on something new may have begun, ``repaired`` that from which on the leak that was
    cleared last is gone.
    """

    def __init__(self, maker: EvidenceMaker) -> None:
        """Know nothing but the model."""
        self.maker = maker
        self.distances = PipeDistances(maker.model)
        self.links = maker.model.links
        self.link_index = maker.model.link_index
        self.columns = tuple(channel.sensor for channel in maker.metering.channels)
        self.prior: Array = np.where(maker.model.is_pipe, maker.model.length_m, 0.0)
        self.prior /= self.prior.sum()
        self.ledger = Ledger(_REMEMBERED_BLOCKS, maker.doubts.size)
        self.beliefs: Beliefs | None = None
        self.inflation = 1.0
        self.leaks: dict[str, FollowedLeak] = {}
        self.muted: dict[str, list[float]] = {}
        self.learnt = 0
        self.repaired = 0

    @property
    def believed(self) -> Beliefs:
        """How wrong the model is taken to be; as wrong as models come until a week has been learnt."""
        return self.beliefs or WIDEST

    def entry_of(self, block: Block) -> Entry:
        """A block with what is known now."""
        leaks = tuple(ActiveLeak(leak.key, leak.asset, leak.flow_m3h) for leak in self.leaks.values())
        return Entry(block, leaks, tuple(sorted(self.muted_positions())))

    def muted_positions(self) -> list[int]:
        """Which residuals are those of sensors that are not believed."""
        channels = self.maker.metering.pressure
        return [position for position, column in enumerate(channels) if self.columns[column] in self.muted]

    def active(self, without: str | None = None) -> dict[str, tuple[int, float]]:
        """Link and flow (m3/h) of the leaks found, by their keys."""
        leaks = self.leaks.items()
        return {key: (self.link_index[leak.asset], leak.flow_m3h) for key, leak in leaks if key != without}

    def draw_m3h(self) -> float:
        """A leak loses no more than everything that is drawn; what would is no leak."""
        block, metering = self.ledger.entry(self.ledger.end - 1).block, self.maker.metering
        return float(sum(abs(block.mean[column]) for column in metering.flow.values()))

    def scales(self, parts: Sequence[Part] | None = None) -> Scales:
        """All evidence, as it is or as ``parts`` have it, against which windows of it are weighed."""
        said = [part.evidence for part in (self.ledger.parts if parts is None else parts) if part.evidence is not None]
        doubts, seen = self.ledger.old_doubts, self.ledger.old_seen
        for evidence in said:
            doubts = doubts + evidence.doubts
            seen = seen + evidence.doubts_seen
        whole = replace(said[-1], doubts=doubts, doubts_seen=seen)
        return Scales(whole, self.maker.doubts.precision(self.believed), self.inflation)

    def misfit(self, parts: Sequence[Part], begin: int) -> float:
        """The squares that the doubts leave over since a block, and what doubts cost: by the solver, not its slope."""
        doubts = self.scales(parts).doubts
        cost = float(doubts**2 @ self.maker.doubts.precision(self.believed))
        return self._left_over(doubts, parts, begin) + cost

    def gain(self, parts: Sequence[Part], begin: int) -> float:
        """The log likelihood that what was seen since a block gains if the evidence is as ``parts`` have it."""
        now = self._left_over(self.scales().doubts, self.ledger.parts, begin)
        return (now - self._left_over(self.scales(parts).doubts, parts, begin)) / 2

    def _left_over(self, doubts: Array, parts: Sequence[Part], begin: int) -> float:
        said = [part.evidence for part in parts if part.first >= begin and part.evidence is not None]
        left = (each.total - 2 * doubts @ each.doubts_seen + doubts @ each.doubts @ doubts for each in said)
        return float(sum(left)) / self.inflation

    def doubt(self) -> float:
        """How wrong the responses to a leak may be, relative."""
        return 0.03 + 0.3 * self.believed.resistance
