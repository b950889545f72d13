"""How wrong a network model is, chosen by how likely each choice makes what was seen."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np

from services.alerts.hydraulics.epanet_model import Array
from services.alerts.hydraulics.evidence import Evidence
from services.alerts.hydraulics.hypotheses import Scales
from services.alerts.hydraulics.model_doubts import Beliefs, ModelDoubts

_RESISTANCES = (0.003, 0.01, 0.03, 0.1, 0.25)
_DRAWS = (0.03, 0.1, 0.3)
_OFFSETS_M = (0.003, 0.01, 0.03, 0.1, 0.3)
_INFLATIONS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""How wrong a model may be, and how much noisier than it was taken for; the learning week chooses."""
WIDEST = Beliefs(_RESISTANCES[-1], _DRAWS[-1], _OFFSETS_M[-1])


@dataclass(frozen=True, slots=True)
class Likeliest:
    """Beliefs, how many times the noise's variance is what it is taken for, and how likely that makes what was seen."""

    beliefs: Beliefs
    inflation: float
    likelihood: float


def likeliest(
    evidence: Evidence, doubts: ModelDoubts, active: Mapping[str, tuple[int, float]], *, leaking: bool
) -> Likeliest:
    """The beliefs that make the evidence likeliest, if something is ``leaking`` in it that has not been found, or not.

    Whether something leaks is told by comparing the two: each hypothesis may choose the beliefs that suit it best.
    """
    chosen = Likeliest(WIDEST, _INFLATIONS[-1], -np.inf)
    for resistance, draw, offset_m, inflation in product(_RESISTANCES, _DRAWS, _OFFSETS_M, _INFLATIONS):
        beliefs = Beliefs(resistance, draw, offset_m)
        precision = doubts.precision(beliefs)
        likely = _likelihood(evidence, precision, inflation)
        if leaking:
            verdict = Scales(evidence, precision, inflation).weigh(evidence, active, doubts.offsets)
            likely += float(verdict.leaks.ratio.max())
        if likely > chosen.likelihood:
            chosen = Likeliest(beliefs, inflation, likely)
    return chosen


def _likelihood(evidence: Evidence, precision: Array, inflation: float) -> float:
    """The log probability of what was seen under beliefs, the doubts integrated out, up to a constant."""
    factor = np.linalg.cholesky(evidence.doubts / inflation + np.diag(precision))
    reduced = np.linalg.solve(factor, evidence.doubts_seen / inflation)
    explained = float(reduced @ reduced) / 2 - float(np.log(np.diag(factor)).sum()) + float(np.log(precision).sum()) / 2
    return explained - evidence.total / inflation / 2 - evidence.values * float(np.log(inflation)) / 2
