"""SEJITS for Jupyter: a kernel in restricted Python becomes fast, checked and visible.

    import sejits_nb as sj

    @sj.stencil
    def blur(u, out):
        for x in out.interior_points():
            acc = 4.0 * u[x]
            for y in u.neighbors(x, 1):
                acc += u[y]
            out[x] = acc / 8.0

    smooth = blur(image)

In a notebook: ``%load_ext sejits_nb``, then the same function in a ``%%stencil`` cell.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .errors import (
    ArgumentError,
    BackendError,
    LanguageError,
    OptionError,
    SejitsError,
    StencilError,
    WrongResult,
)

__version__ = "0.1.0"
__all__ = [
    "ArgumentError", "BackendError", "LanguageError", "OptionError", "SejitsError", "StencilError",
    "WrongResult", "load_ipython_extension", "stencil",
]  # fmt: skip


def stencil(fn: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Decorator, bare or with keywords: the function as a stencil :class:`~sejits_nb.kernel.Kernel`.

    Keywords: ``backend`` ("auto", "openmp", "c", "python", or several), ``tune`` ("none", "quick",
    "full"), ``budget`` (seconds), ``set`` ("unroll=4,threads=2"), ``check`` ("fast", "strict", "off"),
    ``fallback`` (True: warn once and run the plain Python; False: raise).
    """
    from .decorate import kernel_of
    from .options import make_options

    chosen = make_options(**options)
    if fn is None:
        return lambda later: kernel_of(later, "stencil", chosen)
    return kernel_of(fn, "stencil", chosen)  # type: ignore[arg-type]  # a plain function


def load_ipython_extension(shell: Any) -> None:
    """``%load_ext sejits_nb``: register the magics; prints nothing."""
    from .magics import register

    register(shell)
