"""What a listener is told of a race: how far it is, and about how long it still takes."""

from __future__ import annotations

import time
from typing import Any

from .. import config
from ..machine.roofs import recall_roofs
from ..results import Listener, Progress, Work
from .report import elsewhere

_BUILD_S = 0.15
_CHECK_S = 0.03
_COPY_BYTES_PER_S = 1.5e9
_SWEEP_BYTES_PER_S = 8e9
_RUNS = 8


def estimate_s(variants: int, work: Work) -> float:
    """Seconds of building, checking and timing so many variants, before anything is known of them:
    by the traffic of a sweep, on any machine of these years."""
    copied, swept = work.bytes_ / _COPY_BYTES_PER_S, _RUNS * work.bytes_ / _SWEEP_BYTES_PER_S
    return variants * (_BUILD_S / max(1, config.threads()) + _CHECK_S + copied + swept)


class Teller:
    """Tells *listen* how a runner stands, whenever it is called; does nothing without a listener."""

    def __init__(self, listen: Listener | None, kernel: str, work: Work, device: str = "") -> None:
        self._listen, self._kernel, self._work, self._device = listen, kernel, work, device
        self._runner: Any = None
        self._roofs, self._elsewhere = (recall_roofs() if listen else None), tuple[str, ...]()
        self._python_s = self._budget_s = 0.0
        self._start, self._known = time.perf_counter(), 0

    def follow(self, runner: Any, python_s: float, budget_s: float) -> None:
        """From now on tell of *runner*, which may take *budget_s* seconds; says the estimate."""
        self._runner, self._python_s, self._budget_s = runner, python_s, budget_s
        self._start, self._known = time.perf_counter(), len(runner.decided)
        if self._listen is not None:
            self._elsewhere = elsewhere({one.name for one in runner.entrants}, self._device)
        runner.tell = self
        self("starting")

    def __call__(self, phase: str) -> None:
        if self._listen is None:
            return
        runner = self._runner
        if runner is None:
            self._listen(Progress(self._kernel, "", phase, 0, 0, (), self._work, 0.0, 0.0))
            return
        self._listen(
            Progress(
                self._kernel, runner.leader, phase, len(runner.decided), runner.total,
                runner.measurements, self._work, self._python_s, self._left_s(),
                self._roofs, self._elsewhere,
            )
        )  # fmt: skip

    def _left_s(self) -> float:
        """By the pace so far, at first by :func:`estimate_s`; at most what the budget leaves."""
        passed = time.perf_counter() - self._start
        done = len(self._runner.decided) - self._known
        left = max(0, self._runner.total - len(self._runner.decided))
        estimate = left * passed / done if done else estimate_s(left, self._work) - passed
        return max(0.0, min(estimate, self._budget_s - passed))
