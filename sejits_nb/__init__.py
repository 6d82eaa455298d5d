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
from typing import TYPE_CHECKING, Any

from .errors import (
    ArgumentError,
    BackendError,
    GmmError,
    LanguageError,
    OptionError,
    SejitsError,
    StencilError,
    WrongResult,
)

if TYPE_CHECKING:
    from .machine.placement import empty_like
    from .mixture.estimator import GaussianMixture as GaussianMixture
    from .mixture.published import GMM
    from .specializers.gmm.mixture import Mixture
    from .stencil_kernel import StencilGrid, StencilKernel

__version__ = "0.1.0"
__all__ = [
    "GMM", "ArgumentError", "BackendError", "GmmError", "LanguageError", "Mixture", "OptionError",
    "SejitsError", "StencilError", "StencilGrid", "StencilKernel", "WrongResult", "empty_like", "gmm",
    "load_ipython_extension", "stencil",
]  # fmt: skip
# GaussianMixture is not among them: "import *" would fail without scikit-learn.


def stencil(fn: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Decorator, bare or with keywords: the function as a stencil :class:`~sejits_nb.kernel.Kernel`.

    Keywords: ``backend`` ("auto", "openmp", "c", "python", or several), ``tune`` ("none", "quick",
    "full"), ``budget`` (seconds), ``set`` ("unroll=4,threads=2"), ``check`` ("fast", "strict", "off"),
    ``fallback`` (True: warn once and run the plain Python; False: raise), ``boundary`` ("keep",
    "clamp", "wrap", "reflect", "mirror", ("constant", 1.5); one, one an axis as a tuple, or one a grid
    as a dict).
    """
    return _decorated("stencil", fn, options)


def gmm(fn: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Decorator, bare or with keywords: one EM iteration of a mixture as a
    :class:`~sejits_nb.kernel.Kernel`, called with events and a :class:`Mixture`.

    Keywords: those of :func:`stencil` but ``boundary``, and ``components`` (default: as many as the
    mixture of the call has), ``covariance`` ("full", "diag", "tied", "spherical").
    """
    return _decorated("gmm", fn, options)


def _decorated(language: str, fn: Callable[..., Any] | None, options: dict[str, Any]) -> Any:
    from .decorate import kernel_of, read_options

    chosen = read_options(language, options)
    if fn is None:
        return lambda later: kernel_of(later, language, *chosen)
    return kernel_of(fn, language, *chosen)  # type: ignore[arg-type]  # a plain function


def __getattr__(name: str) -> Any:
    """Public names that are loaded when they are first asked for."""
    if name == "Mixture":
        from .specializers.gmm.mixture import Mixture

        return Mixture
    if name == "GMM":
        from .mixture.published import GMM

        return GMM
    if name == "GaussianMixture":
        from .mixture import gaussian_mixture

        return gaussian_mixture()
    if name == "empty_like":
        from .machine.placement import empty_like

        return empty_like
    if name in ("StencilGrid", "StencilKernel"):
        from . import stencil_kernel

        return getattr(stencil_kernel, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def load_ipython_extension(shell: Any) -> None:
    """``%load_ext sejits_nb``: register the magics; prints nothing."""
    from .magics import register

    register(shell)


def unload_ipython_extension(shell: Any) -> None:
    """``%unload_ext sejits_nb``."""
    from .magics import unregister

    unregister(shell)
