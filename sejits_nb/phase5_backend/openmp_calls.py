"""Calls of multi-threaded code: one at a time in a process, and on one thread after a fork.

An OpenMP runtime keeps a team for every thread that calls it: N Python threads would run N teams on
the same CPUs.  They take turns instead.  After a fork the team is gone, and GCC's runtime waits for it
forever; a thread whose number of active levels is limited to 0 never looks for a team.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from .. import config

LEVELS = "omp_get_max_active_levels", "omp_set_max_active_levels"
_turn = threading.RLock()
"""Reentrant: a signal handler may call a kernel.  A forked process never waits for it."""


def in_turn(
    function: Callable[..., None], get_levels: Callable[[], int], set_levels: Callable[[int], None]
) -> Callable[..., None]:
    """*function*, which starts OpenMP threads, as it may be called from any thread and process."""

    def call(*args: Any) -> None:
        if not config.forked():
            with _turn:
                return function(*args)
        before = get_levels()
        set_levels(0)
        try:
            return function(*args)
        finally:
            set_levels(before)

    return call
