"""Finds, locates and follows leaks with a hydraulic model that is corrected by what the meters say."""

from collections.abc import Sequence
from math import ceil, isfinite, nan
from typing import Any, ClassVar

import numpy as np

from services.alerts.detectors.contract import UNKNOWN, Claim, Score, SearchDetector, State
from services.alerts.hydraulics.believing import believe, likeliest_beliefs
from services.alerts.hydraulics.block import Block, block_of
from services.alerts.hydraulics.block_evidence import Linear
from services.alerts.hydraulics.disbelief import LEAST_OFFSET_M, disbelieve, follow_disbelieved, is_off_now
from services.alerts.hydraulics.epanet_model import Array
from services.alerts.hydraulics.evidence_maker import EvidenceMaker
from services.alerts.hydraulics.followed import FollowedLeak
from services.alerts.hydraulics.following import follow, followed_leak
from services.alerts.hydraulics.leak_claims import LEAK, METHOD, SENSOR_OFF, leak_claim
from services.alerts.hydraulics.learning import WIDEST
from services.alerts.hydraulics.locating import Found, certainty, is_echo, locate
from services.alerts.hydraulics.metering import Channel
from services.alerts.hydraulics.model_doubts import Beliefs
from services.alerts.hydraulics.news import Likely, likeliest_news
from services.alerts.hydraulics.noise import noise_scales
from services.alerts.hydraulics.picture import Picture
from services.alerts.hydraulics.refitting import nearest_leak, refitted
from services.alerts.hydraulics.relocating import better_elsewhere, move
from services.core.finding import FindingState

__all__ = ["LEAK", "SENSOR_OFF", "LeakSearch"]

_BLOCK_S = 7200.0
_LEARN_BLOCKS = 7 * 12
"""A week is learnt from where nobody says how long: demands repeat weekly."""
_RAISE = 30.0
"""Log likelihood ratio from which something is behind the evidence: seven deviations, where some hundred places are
compared every hour for years and the noise is not quite as modelled."""
_RAISE_AT_ONCE = 60.0
"""The same for what leaks already while the model is learnt: a faulty model may well look like it."""
_RAISE_OFF = 60.0
"""The same for a sensor: nobody is in a hurry to send for one that differs by centimetres."""
_CERTAIN = 0.8
_CERTAIN_LATER = 0.6
_PATIENCE_BLOCKS = 120
_LEAST_FLOW_M3H = 0.3
_PLAIN = 6.0
"""Log ratio by which one explanation has to be better than another to be preferred."""
_DEAF_BLOCKS = (6, 24)
"""How long what could not be placed is left alone: twice as long each time, from the first to the second."""
_LOUDER = 1.5
"""Unless its ratio has become so many times as large."""
_DAY_BLOCKS = 12
_RECALIBRATE_EVERY = 7 * _DAY_BLOCKS
_SETTLING_BLOCKS = 24
"""No sensor is blamed while a leak that was just found may not yet have its right flow and place."""


class LeakSearch(SearchDetector):
    """Looks for leaks in a network with a model, pressures, and meters at the borders of its areas.

    Every two hours the model is solved with what the meters say was drawn and the leaks found. The pressures'
    residuals are explained by what may be wrong with the model for good (``ModelDoubts``), by noise of the draws, and
    by a leak at any pipe since any moment; the generalised likelihood ratio says whether there is one, the same ratio
    over all pipes where. What is found goes into the model before the next is looked for.

    Sources: Pérez et al. (2011) for leak sensitivities; Steffelbauer et al. (2022, "dual model", BattLeDIM) for
    calibrating draws and putting found leaks into the model; Willsky & Jones (1976) for the ratio; MacKay (1992) for
    choosing how wrong a model is by the evidence.
    """

    name: ClassVar[str] = METHOD
    version: ClassVar[str] = "3"

    def __init__(
        self,
        network: str,
        channels: Sequence[Sequence[str]],
        learn_until_s: float | None = None,
        processes: int = 1,
    ) -> None:
        """``network`` is the model's text, ``channels`` sensor, quantity, asset and unit of each column.

        Raises:
            NetworkUnreadableError: EPANET refuses the text.
            ArithmeticError: the model has no solution for its own patterns.
        """
        self.network = network
        self.channels = tuple(Channel(*channel) for channel in channels)
        self.columns = tuple(channel.sensor for channel in self.channels)
        self.learn_until_s = learn_until_s
        self.processes = processes
        self._maker = EvidenceMaker(network, self.channels, processes)
        self._begin()

    def _begin(self) -> None:
        self._maker.noise = np.ones_like(self._maker.noise)
        self._picture = Picture(self._maker)
        self._rows: list[list[float | None]] = []
        self._end_s: float | None = None
        self._before: list[float | None] = [None] * len(self.columns)
        self._stale = False
        self._count = 0
        self._loudest = nan
        self._deaf_until = 0
        self._deaf_ratio = 0.0
        self._deaf_blocks = _DEAF_BLOCKS[0]
        self._claims: list[Claim] = []
        self._last_linear: Linear | None = None

    @property
    def locates(self) -> bool:
        """Whether the meters close the balance of a part of the network, without which no model can be trusted."""
        return bool(self._maker.metering.areas) and bool(self._maker.metering.pressure)

    def configuration(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "network": self.network,
            "channels": [[each.sensor, each.quantity, each.asset, each.unit] for each in self.channels],
            "learn_until_s": self.learn_until_s,
            "processes": self.processes,
        }

    def score(self, time_s: float, row: Sequence[float]) -> Score:
        """The log likelihood ratio of the likeliest new leak, as of the last full block."""
        self._claims = []
        if self._end_s is not None and time_s > self._end_s:
            self._close()
        if self._end_s is None:
            self._end_s = ceil(time_s / _BLOCK_S) * _BLOCK_S
        factors = self._maker.metering.factor.tolist()
        values = [value * factor for value, factor in zip(row, factors, strict=True)]
        self._rows.append([value if isfinite(value) else None for value in values])
        if time_s >= self._end_s:
            self._close()
        return Score(self._loudest) if isfinite(self._loudest) else UNKNOWN

    def claims(self) -> Sequence[Claim]:
        """What changed with the block that ended with the row scored last."""
        return self._claims

    def _close(self) -> None:
        if self._end_s is None:
            return
        rows = [_array(row) for row in self._rows]
        block = block_of(self._maker.metering, self._end_s - _BLOCK_S, self._end_s, rows, _array(self._before))
        self._before = self._rows[-1]
        self._rows = []
        self._end_s = None
        self.take(block)

    def take(self, block: Block) -> None:
        """Take a block."""
        picture, ledger = self._picture, self._picture.ledger
        if self._stale:
            ledger.refill(self._maker.evidences)
            self._stale = False
        number = ledger.end
        entry = picture.entry_of(block)
        if picture.beliefs is None:
            ledger.add(entry, None)
            due = block.end_s >= self.learn_until_s if self.learn_until_s is not None else number + 1 >= _LEARN_BLOCKS
            if due:
                self._settle()
            return
        self._last_linear = self._maker.linear(entry)
        ledger.add(entry, self._maker.evidence(entry, self._last_linear))
        if (number - picture.learnt) % _RECALIBRATE_EVERY == 0:
            self._recalibrate()
        self._claims += follow_disbelieved(picture, self._last_linear)
        self._claims += follow(picture, number)
        self._search(number)

    def _settle(self) -> None:
        """Learn from the blocks so far how wrong the model is, and find what leaks in it already."""
        picture, ledger = self._picture, self._picture.ledger
        ledger.refill(self._maker.evidences)
        if not ledger.since(ledger.first):
            picture.beliefs = WIDEST
            return
        while True:
            believe(picture, likeliest_beliefs(picture))
            self._maker.noise = noise_scales(picture)
            ledger.refill(self._maker.evidences)
            sound, leaky = likeliest_beliefs(picture), likeliest_beliefs(picture, leaking=True)
            before = len(picture.leaks)
            if leaky.likelihood - sound.likelihood >= _RAISE_AT_ONCE:
                believe(picture, leaky)
                self._search(ledger.end - 1, whole=True)
            if len(picture.leaks) == before:
                believe(picture, sound)
                break
        # Sums of the evidence begin at such numbers.
        picture.learnt = ledger.end // _DAY_BLOCKS * _DAY_BLOCKS

    def _recalibrate(self) -> None:
        """Choose the beliefs anew by the last month, with what was found in the model."""
        picture = self._picture
        if any(part.evidence is not None for part in picture.ledger.parts):
            believe(picture, likeliest_beliefs(picture))

    def _search(self, number: int, *, whole: bool = False) -> None:
        """Look for something new since any of some moments, or (``whole``) for what leaks already while learning."""
        picture = self._picture
        if not picture.ledger.since(picture.ledger.first):
            return
        scales = picture.scales()
        news = likeliest_news(picture, scales, number, whole=whole)
        if news is None:
            return
        leak, off = news
        self._loudest = max(leak.ratio, off.ratio)
        settling = any(number - max(each.raised, each.located) < _SETTLING_BLOCKS for each in picture.leaks.values())
        if off.ratio >= _RAISE_OFF and off.ratio > leak.ratio + _PLAIN and not settling:
            if off.size >= LEAST_OFFSET_M and is_off_now(picture, scales, off.place):
                self._claims.append(disbelieve(picture, off.ratio, off.place, off.begin))
        elif (
            leak.ratio >= (_RAISE_AT_ONCE if whole else _RAISE)
            and leak.ratio > off.ratio + _PLAIN
            and (number >= self._deaf_until or leak.ratio > _LOUDER * self._deaf_ratio)
        ):
            self._investigate(leak, number)

    def _investigate(self, likely: Likely, number: int) -> None:
        picture = self._picture
        near = nearest_leak(picture, likely.place)
        if near is not None and refitted(picture, near, likely.begin):
            self._wait(likely, number)
            return
        elsewhere = better_elsewhere(picture, likely.ratio)
        if elsewhere is not None:
            self._move(*elsewhere)
            return
        if near is not None:
            self._wait(likely, number)
            return
        found = locate(picture, f"leak-{self._count + 1}", likely.place, likely.begin)
        certain = 0.0 if is_echo(picture, found) else certainty(picture, found)
        needed = _CERTAIN if number - likely.begin < _PATIENCE_BLOCKS else _CERTAIN_LATER
        leaks = _LEAST_FLOW_M3H <= found.flow_m3h < picture.draw_m3h() and found.ratio >= _RAISE
        if leaks and found.lately > 0 and found.since_repair >= _PLAIN and certain >= needed:
            self._raise(found, number)
        else:
            self._wait(likely, number)

    def _wait(self, likely: Likely, number: int) -> None:
        """Leave what could not be settled alone for a while."""
        least, most = _DEAF_BLOCKS
        again = likely.ratio <= _LOUDER * self._deaf_ratio
        self._deaf_blocks = min(2 * self._deaf_blocks, most) if again else least
        self._deaf_until, self._deaf_ratio = number + self._deaf_blocks, likely.ratio

    def _move(self, key: str, place: int, begin: int) -> None:
        picture = self._picture
        if move(picture, key, place, begin):
            picture.leaks[key] = picture.leaks[key].told()
            self._claims.append(leak_claim(picture, picture.leaks[key], FindingState.CHANGED))

    def _raise(self, found: Found, number: int) -> None:
        picture, ledger = self._picture, self._picture.ledger
        self._count += 1
        key = f"leak-{self._count}"
        ledger.rewrite(found.onset, found.change, found.parts)
        picture.leaks[key] = followed_leak(picture, key, found, number)
        self._deaf_until, self._deaf_ratio, self._deaf_blocks = 0, 0.0, _DEAF_BLOCKS[0]
        self._claims.append(leak_claim(picture, picture.leaks[key], FindingState.RAISED))

    def state(self) -> dict[str, Any]:
        """Rows of the hour, blocks of the last month, what was learnt and what is followed."""
        picture = self._picture
        beliefs = picture.beliefs
        return {
            "rows": [list(row) for row in self._rows],
            "end_s": self._end_s,
            "before": list(self._before),
            "ledger": picture.ledger.state(),
            "beliefs": None if beliefs is None else [beliefs.resistance, beliefs.draw, beliefs.offset_m],
            "inflation": picture.inflation,
            "noise": self._maker.noise.tolist(),
            "leaks": [leak.state() for leak in picture.leaks.values()],
            "muted": {sensor: list(memory) for sensor, memory in picture.muted.items()},
            "count": self._count,
            "learnt": picture.learnt,
            "repaired": picture.repaired,
            "loudest": self._loudest if isfinite(self._loudest) else None,
            "deaf": [self._deaf_until, self._deaf_ratio, self._deaf_blocks],
        }

    def restore(self, state: State) -> None:
        """Take up rows, blocks and what is followed; the evidence is made anew with the next hour."""
        self._begin()
        picture = self._picture
        self._rows = [list(row) for row in state["rows"]]
        self._end_s = state["end_s"]
        self._before = list(state["before"])
        picture.ledger.restore(state["ledger"], len(self.columns))
        beliefs = state["beliefs"]
        picture.beliefs = None if beliefs is None else Beliefs(*beliefs)
        self._stale = picture.beliefs is not None
        picture.inflation = state["inflation"]
        self._maker.noise = np.array(state["noise"])
        leaks = [FollowedLeak.restored(each) for each in state["leaks"]]
        picture.leaks = {leak.key: leak for leak in leaks}
        picture.muted = {sensor: list(memory) for sensor, memory in state["muted"].items()}
        self._count = state["count"]
        picture.learnt = state["learnt"]
        picture.repaired = state["repaired"]
        self._loudest = nan if state["loudest"] is None else state["loudest"]
        self._deaf_until, self._deaf_ratio, self._deaf_blocks = state["deaf"]


def _array(row: Sequence[float | None]) -> Array:
    return np.array([nan if value is None else value for value in row], dtype=np.float64)
