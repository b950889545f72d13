"""Rows outside the region that holds nearly all of a sample of normal ones."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from sklearn.svm import OneClassSVM

from services.alerts.detectors.novelty import Novelty, Oddness
from services.alerts.detectors.running_covariance import Array


class OneClass(Novelty):
    """Scores how far a row lies outside the boundary of a one-class support vector machine, beyond what is usual.

    The boundary is drawn with Gaussian kernels, wider the more columns there are, so that a share of about
    ``outside`` of the sample lies outside it. Follows bent relations between the columns that a plane does
    not; far outside it only says "far". Fitting takes a few milliseconds, once in ``refit`` learnt rows.

    Source: Schölkopf et al. (2001).
    """

    name: ClassVar[str] = "one-class"
    version: ClassVar[str] = "1"

    def __init__(
        self,
        columns: Sequence[str],
        floors: Sequence[float],
        *,
        outside: float = 0.05,
        sample: int = 256,
        warm_up: int = 256,
        refit: int = 288,
        memory_rows: int = 4032,
        seed: int = 0,
    ) -> None:
        super().__init__(
            columns, floors, sample=sample, warm_up=warm_up, refit=refit, memory_rows=memory_rows, seed=seed
        )
        self.outside = outside

    def configuration(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().configuration(), "outside": self.outside}

    def _fit(self, rows: Array) -> Oddness:
        width = 1.0 / rows.shape[1]
        machine = OneClassSVM(kernel="rbf", gamma=width, nu=self.outside).fit(rows)
        supports, weights = machine.support_vectors_, machine.dual_coef_[0]
        boundary = -float(machine.intercept_[0])

        def oddness(table: Array) -> Array:
            apart = ((table[:, np.newaxis] - supports) ** 2).sum(axis=2)
            inside: Array = np.exp(-width * apart) @ weights
            return boundary - inside

        return oddness
