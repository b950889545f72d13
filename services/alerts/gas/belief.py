"""What is believed about a group of spaces that show gas at once: one leak, or a cause of its own in each. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from services.alerts.gas.readings import Array
from services.alerts.gas.source import Source
from services.alerts.gas.town import SEWER, Space
from services.alerts.gas.weighing import CAUSE_NAMES, CAUSES, Cause, Reason, Weighed
from services.core.text import Text

_COINCIDENCE = 3.0
"""Logarithm by which it is unlikely that a second space has a trouble of its own within the same hours."""
_SHARED_SEWER = 0.7
"""Manholes of one sewer breathe together: hardly any coincidence."""
_OTHERWISE = 0.1
"""Chance that a space near a leak shows gas for a reason of its own."""
_REASONS_TOLD = 3
_ORDER_TELLS = 1.0


@dataclass(frozen=True, slots=True)
class Belief:
    """The probabilities of the causes in a group, of each space by itself if there is no leak, and why."""

    shares: Mapping[Cause, float]
    own: Mapping[int, Mapping[Cause, float]]
    reasons: Mapping[Cause, Text]
    source: Source | None

    @property
    def words(self) -> Text:
        """The causes with their probabilities, likeliest first."""
        order = sorted(CAUSES, key=lambda cause: -self.shares[cause])
        # Nothing that was never seen in a hole in the road is certain, nor impossible.
        percent = {cause: min(99, max(1, round(100 * self.shares[cause]))) for cause in order}
        return Text(
            ", ".join(f"{CAUSE_NAMES[cause].en} {percent[cause]} %" for cause in order),
            "，".join(f"{CAUSE_NAMES[cause].zh}{percent[cause]}%" for cause in order),
        )


def believe(
    group: Sequence[int],
    leaking: Sequence[int],
    weighed: Mapping[int, Weighed],
    priors: Mapping[int, Array],
    spaces: Sequence[Space],
    *,
    source: Source | None,
) -> Belief:
    """What is believed about the spaces of a group, in the order in which they began.

    One leak explains those of ``leaking``, each with a small chance of something else; otherwise each has sewage or a
    faulty device by itself, and that this happens to several at once is a coincidence unless one sewer joins them.
    """
    leak, other = 0.0, 0.0
    own: dict[int, Mapping[Cause, float]] = {}
    for space in group:
        alone = weighed[space].logs[1:] + priors[space][1:]
        parts = np.exp(alone - np.logaddexp.reduce(alone))
        own[space] = {CAUSES[1]: float(parts[0]), CAUSES[2]: float(parts[1])}
    for number, space in enumerate(leaking):
        logs = weighed[space].logs
        both = float(np.logaddexp.reduce(logs[1:] + priors[space][1:]))
        usual = float(np.logaddexp.reduce(priors[space][1:]))
        leak += float(np.logaddexp(np.log1p(-_OTHERWISE) + logs[0], np.log(_OTHERWISE) + both - usual))
        other += both - usual
        if number == 0:
            leak += float(priors[space][0])
            other += usual
        else:
            other -= _coincidence(space, leaking[:number], spaces)
    leak = leak + source.evidence if source is not None else leak - 3.0
    certain = float(np.exp(leak - np.logaddexp(leak, other)))
    first = own[leaking[0]]
    shares = {
        Cause.LEAK: certain,
        Cause.SEWAGE: (1 - certain) * first[Cause.SEWAGE],
        Cause.DEVICE: (1 - certain) * first[Cause.DEVICE],
    }
    return Belief(shares, own, _reasons(leaking, weighed, source), source)


def _coincidence(space: int, before: Sequence[int], spaces: Sequence[Space]) -> float:
    sewered = spaces[space].sort == SEWER and any(spaces[other].sort == SEWER for other in before)
    return _SHARED_SEWER if sewered else _COINCIDENCE


def _reasons(group: Sequence[int], weighed: Mapping[int, Weighed], source: Source | None) -> Mapping[Cause, Text]:
    told: dict[Cause, Text] = {}
    for cause in CAUSES:
        found: list[Reason] = [r for space in group[:2] for r in weighed[space].reasons if r.cause is cause]
        found.sort(key=lambda reason: -reason.weight)
        words = list(dict.fromkeys(reason.words for reason in found))[:_REASONS_TOLD]
        if cause is Cause.LEAK and len(group) > 1:
            words.append(Text(f"{len(group)} spaces show it", f"{len(group)}处空间同时出现"))
            if source is not None and source.evidence > _ORDER_TELLS:
                words.append(Text("in the order and strength of a leak", "出现次序和浓度符合自管道扩散的规律"))
        if not words:
            words = [Text("nothing speaks clearly for it", "尚无明确特征")]
        told[cause] = Text(", ".join(each.en for each in words), "，".join(each.zh for each in words))
    return told
