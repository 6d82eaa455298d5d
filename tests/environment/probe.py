"""Run in a process of its own: a decorated kernel and a ``%%stencil`` cell, and what became of them.

Prints one line of JSON (see ``conftest.Outcome``).  ``argv[1]`` is the compiler's time limit in
seconds; ``argv[2]`` is Python that runs between a first specialization and everything that is told.
"""

import contextlib
import io
import json
import os
import sys
import warnings
from typing import Any

import numpy as np
from IPython.core.interactiveshell import InteractiveShell

import sejits_nb as sj
from sejits_nb import config
from sejits_nb.errors import SejitsError

BACKENDS = ("openmp", "c", "python")
BODY = """
def blur(u, out):
    for x in out.interior_points():
        acc = 4.0 * u[x]
        for y in u.neighbors(x, 1):
            acc += u[y]
        out[x] = acc / 8.0
"""
u = np.random.default_rng(1).random((40, 48))
before = u.copy()
wanted = np.zeros_like(u)
wanted[1:-1, 1:-1] = u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:] + 4 * u[1:-1, 1:-1]
wanted /= 8


def kernel(u, out):  # type: ignore[no-untyped-def]  # a kernel
    for x in out.interior_points():
        acc = 4.0 * u[x]
        for y in u.neighbors(x, 1):
            acc += u[y]
        out[x] = acc / 8.0


def told(fallback: bool) -> dict[str, Any]:
    """One call of the decorated function."""
    made = sj.stencil(kernel, fallback=fallback, backend=BACKENDS)
    out = np.zeros_like(u)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        error = ""
        try:
            made(u, out)
        except SejitsError as problem:
            error, text = problem.code, str(problem)
            assert not out.any()
            assert text.count("\n") >= 2
    about = {"native": made.build is not None, "said": [str(w.message) for w in said]}
    return about | {"error": error, "right": bool(np.allclose(out, wanted))}


def cell() -> dict[str, Any]:
    """The same as a cell, and a call of what it binds."""
    shell: Any = InteractiveShell.instance()
    shell.run_cell("%load_ext sejits_nb")
    shell.user_ns["u"] = u
    names = set(shell.user_ns)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        done = shell.run_cell(
            f"%%stencil --on u -t none -q -b openmp -b c -b python\n{BODY.lstrip()}"
        )
    problem = done.error_in_exec or done.error_before_exec
    if problem is not None:
        assert isinstance(problem, SejitsError), problem
        assert set(shell.user_ns) <= names | {"_i", "_ii", "_iii", "_i1"}
        return {"native": False, "said": [], "error": problem.code, "right": False}
    made = shell.user_ns["blur"]
    right = bool(np.allclose(made(u), wanted))
    return {"native": made.build is not None, "said": [], "error": "", "right": right}


def main() -> None:
    """Everything, in this order."""
    if sys.argv[2:]:
        sj.stencil(kernel, backend=BACKENDS)(u)
        exec(sys.argv[2], globals())
    affinity = os.sched_getaffinity(0)
    result = {"fallback": told(True), "strict": told(False), "cell": cell()}
    assert np.array_equal(u, before)
    assert os.sched_getaffinity(0) == affinity
    print(json.dumps(result))


if __name__ == "__main__":
    config.COMPILE_TIMEOUT_S = float(sys.argv[1])
    main()
