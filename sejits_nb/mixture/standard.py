"""The standard iterations as their users see them: a kernel, and NumPy in its place as long as there
is none."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ..kernel import Kernel
from ..results import Training
from ..specializers.gmm.mixture import Array, Mixture
from .by_numpy import ByNumpy
from .cells import iteration


@dataclass(frozen=True)
class Standard:
    """The EM iteration for a *covariance* on a *backend*: methods as of a kernel, for arrays of events.

    A training is expected to take *max_iter* iterations.  Where NumPy would be done with them before a
    compiler, that is not run until such trainings add up, or a platform has been named (ADR 27).
    """

    covariance: str
    backend: str = "auto"
    max_iter: int = 100

    @property
    def kernel(self) -> Kernel:
        return iteration(self.covariance, self.backend)

    def begin(self, events: Array, mixture: Mixture, *numbers: float) -> None:
        """Build the kernel in the background, for a training that is going to be asked for."""
        self._begin(events, mixture, *numbers, runs=self.max_iter)

    def train(self, events: Array, mixture: Mixture, *numbers: float, **how: Any) -> Training:
        """``kernel.train``: the mixture is trained in place; *numbers* is the regularisation."""
        meanwhile = self._begin(events, mixture, *numbers, runs=how.get("max_iter", self.max_iter))
        done = self.kernel.train(events, mixture, *numbers, meanwhile=meanwhile, **how)
        return done  # type: ignore[no-any-return]

    def evaluate(self, events: Array, mixture: Mixture, *numbers: float) -> tuple[Array, Array]:
        """``kernel.evaluate``: log-densities [N] and responsibilities [N, K]."""
        meanwhile = self._begin(events, mixture, *numbers, runs=1)
        found = self.kernel.evaluate(events, mixture, *numbers, meanwhile=meanwhile)
        return found  # type: ignore[no-any-return]

    def _begin(self, events: Array, mixture: Mixture, *numbers: float, runs: int) -> ByNumpy:
        """Who stands in for the kernel, which is begun to be built if it is worth that."""
        count, dimension = events.shape
        stand_in = ByNumpy(self.covariance, count, dimension, len(mixture.components()))
        seconds = runs * stand_in.seconds if self.backend == "auto" else math.inf
        self.kernel.begin(events, mixture, *numbers, stand_in_s=seconds)
        return stand_in
