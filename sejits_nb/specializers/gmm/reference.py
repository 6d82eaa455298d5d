"""The plain Python run of an EM iteration: fall-back, oracle, and the "1x" of every speedup.

The user's function itself runs, unchanged, on :class:`~.mixture.Events` and a
:class:`~.mixture.Mixture`; this file joins them to the arrays of the native function.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from ...contracts import Namespace
from ...phase1_frontend.plain_scope import plain_scope
from ...stages import KernelSource
from .interface import E_STEP, M_STEP, WRITE, number_key, read_interface, written
from .intrinsics import factored, intrinsics
from .mixture import Events, in_iteration, log_sum_exp
from .stopping import COMPARED, Watched, compared


def reference(
    source: KernelSource, lookup: Namespace, margins: list[float] | None = None
) -> Callable[[Mapping[str, Any]], None]:
    """A function that runs the iteration on native values (``GmmInterface.native``) in place.

    Of ``steps`` it knows whole iterations and E-steps: the M-step needs the events themselves, not
    only their sums, so that a part of them cannot be kept for later.  Where a covariance is not
    positive definite, ``status`` names the component and nothing else changes.  *margins* collects how
    far apart the values are that the stopping rule compares.
    """
    function = written(source)
    function.decorator_list = []
    function.returns = None
    interface = read_interface(source)
    if margins is not None:
        function = Watched(interface.params[1]).visit(function)
    code = compile(ast.Module([function], []), f"<{source.where}>", "exec")

    def run(values: Mapping[str, Any]) -> None:
        steps = int(values["steps"])
        if steps & M_STEP and not steps & E_STEP:
            raise ValueError("the plain Python runs an iteration as a whole, not its M-step alone")
        mixture = in_iteration(values, interface.covariance)
        scope = plain_scope(source, lookup, intrinsics(interface.covariance, mixture.dimension))
        if margins is not None:
            scope[COMPARED] = partial(compared, margins)
        exec(code, scope)
        numbers = (values[number_key(name)] for name in interface.numbers)
        try:
            with np.errstate(all="ignore"):
                scope[source.name](Events(values["x"]), mixture, *numbers)
                log_prob = log_sum_exp(mixture.joint)
        except np.linalg.LinAlgError:
            wrong = first_indefinite(values["covariance"], interface.covariance)
            values["status"][0] = 1 + (wrong or 0)  # 0 where only a part of the density is not
            return
        values["log_likelihood"][0] += log_prob.sum()
        if steps & WRITE:
            values["log_prob"][...] = log_prob
            values["responsibility"][...] = mixture.responsibility
        if steps & M_STEP:
            for name, array in mixture.arrays().items():
                values[name][...] = array
            if "converged" in values:
                values["converged"][0] = bool(mixture.converged)

    return run


def first_indefinite(values: Any, covariance: str) -> int | None:
    """The first component whose covariance is not positive definite, if there is one."""
    for k, c in enumerate([values] if covariance == "tied" else values):
        try:
            factored(c if np.ndim(c) == 2 else np.diag(np.atleast_1d(c)))
        except np.linalg.LinAlgError:
            return k
    return None
