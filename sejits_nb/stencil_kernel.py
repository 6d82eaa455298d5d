"""The published class spellings of a stencil (SciPy 2011, figure 2; Sepya 2014, figure 1).

    from sejits_nb.stencil_kernel import *

    class ExampleKernel(StencilKernel):
        def kernel(self, in_grid, out_grid):
            for x in out_grid.interior_points():
                for y in in_grid.neighbors(x, 1):
                    out_grid[x] = out_grid[x] + in_grid[y]

A thin layer: the method's text goes through the same parser as a function's, and a call of the method
is a call of the :class:`~sejits_nb.kernel.Kernel` that results.
"""

from __future__ import annotations

import functools
import inspect
import operator
import threading
import types
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy

from .contracts import Namespace
from .decorate import Settings, kernel_of_source, read_options
from .errors import Diagnostic, LanguageError, StencilError
from .kernel import Kernel, SejitsWarning
from .options import Options
from .phase1_frontend.capture import freeze, from_function
from .specializers.stencil.neighborhoods import offsets_of
from .specializers.stencil.reference import Point, ReferenceGrid, moved
from .stages import KernelSource

__all__ = ["StencilGrid", "StencilKernel", "numpy"]

DOMAIN_METHODS = ("interior_points", "neighbors")
KERNEL_NAMES = (
    "assembly", "build", "check", "complete", "dast", "export", "iterate", "links", "measure", "passes",
    "past", "reference", "report", "roof", "script", "show", "source", "timing", "trace", "tune",
    "variants",
)  # fmt: skip
"""What a class kernel has in common with a function's: asked of the :class:`Kernel` behind it."""


class StencilGrid:
    """A grid of numbers, indexed by points: ``StencilGrid([5, 5])`` holds float64 zeros.

    ``data`` is its array, and may be replaced; :func:`numpy.asarray` of a grid gives it too.
    """

    def __init__(self, shape: Sequence[int], dtype: Any = numpy.float64) -> None:
        self.data = numpy.zeros(tuple(shape), dtype)
        self._ghost_depth: int | None = None

    @property
    def data(self) -> numpy.ndarray[Any, Any]:
        """The grid's values."""
        return self._data

    @data.setter
    def data(self, values: Any) -> None:
        self._data = numpy.asarray(values)

    @property
    def shape(self) -> tuple[int, ...]:
        """Points along each axis."""
        return self._data.shape

    @property
    def ghost_depth(self) -> int:
        """How many points at each side are no interior points; 1 unless it was set.

        A kernel deduces it from its offsets; where it was set, a deeper one counts.
        """
        return 1 if self._ghost_depth is None else self._ghost_depth

    @ghost_depth.setter
    def ghost_depth(self, depth: int) -> None:
        if operator.index(depth) < 0:
            raise ValueError(f"ghost_depth is {depth}; it counts points")
        self._ghost_depth = operator.index(depth)

    def __getitem__(self, x: Any) -> Any:
        return self._data[x]

    def __setitem__(self, x: Any, value: Any) -> None:
        self._data[x] = value

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> numpy.ndarray[Any, Any]:
        return numpy.array(self._data, dtype, copy=copy)

    def __repr__(self) -> str:
        return (
            f"StencilGrid({list(self.shape)}, {self._data.dtype}, ghost_depth={self.ghost_depth})"
        )

    def interior_points(self) -> Iterator[Point]:
        """Every point outside the ghost zone, in C order."""
        return self._points().interior_points()

    def border_points(self) -> Iterator[Point]:
        """The points of the ghost zone, in C order."""
        return self._points().border_points()

    def all_points(self) -> Iterator[Point]:
        """Every point, in C order."""
        return self._points().all_points()

    def neighbors(
        self, x: Sequence[int], r: int | Sequence[tuple[int, ...]], metric: str = "l1"
    ) -> Iterator[Point]:
        """The points within distance *r* of *x*, itself excluded, or at the offsets of a sequence."""
        return self._points().neighbors(Point(x), r, metric)

    def weighted(self, x: Sequence[int], table: Any) -> Iterator[tuple[Point, Any]]:
        """The points around *x* for which *table*, centred on it, has a weight, with that weight."""
        return self._points().weighted(Point(x), table)

    def _points(self) -> ReferenceGrid:
        view = self._data.view(ReferenceGrid)
        view.ghost = (self.ghost_depth,) * self._data.ndim
        return view


@dataclass(frozen=True, eq=False)
class _Method:
    """A method ``kernel``; its text is read when its class is made, since a file may change later."""

    written: types.FunctionType
    text: tuple[KernelSource, Namespace] | LanguageError


class StencilKernel:
    """Base class: a subclass's method ``kernel(self, in_grid, out_grid)`` is specialized when called.

    Keywords are those of :func:`sejits_nb.stencil`.  Outside the language, or with no compiler, the
    plain Python runs and that is said once; ``pure_python = True`` always runs it.  Attributes that
    the method reads as numbers (``self.alpha``) are compile-time constants; a changed one
    re-specializes.  With a ``neighbor_definition``, ``self.neighbors(x, i)`` is its *i*-th entry.
    """

    neighbor_definition: Any = None
    pure_python: bool = False
    kernel: Callable[..., Any]
    _method: _Method | None = None
    _options: tuple[Options, Settings] = Options(), ()

    def __init__(self, *, pure_python: bool | None = None, **options: Any) -> None:
        self._options = read_options("stencil", options)
        if pure_python is not None:
            self.pure_python = pure_python

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        written = cls.__dict__.get("kernel")
        if isinstance(written, types.FunctionType):
            try:
                cls._method = _Method(written, from_function(written))
            except LanguageError as error:
                cls._method = _Method(written, error)
            cls.kernel = _specialized(cls._method)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """``kernel(...)`` with all parameters, or all but the outputs, which are then returned."""
        return self._run(self._own_method(), args, kwargs)

    def interior_points(self, grid: Any) -> Iterator[Point]:
        """The interior points of *grid*."""
        return grid.interior_points()  # type: ignore[no-any-return]

    def neighbors(self, x: Sequence[int], i: int) -> Iterator[Point]:
        """The *i*-th neighborhood of ``neighbor_definition``; without one, L1 radius *i*."""
        defined = self.neighbor_definition
        return moved(Point(x), offsets_of(len(x), i if defined is None else defined[i]))

    def __getattr__(self, name: str) -> Any:
        if name not in KERNEL_NAMES:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self._kernel(self._own_method(), 0), name)

    def __getstate__(self) -> dict[str, Any]:
        """What a copy and a pickle have: the attributes; kernels are made for each object."""
        return {n: v for n, v in self.__dict__.items() if n not in ("_kernels", "_said")}

    # -- behind a call

    def _own_method(self) -> _Method:
        if self._method is None:
            raise StencilError(
                Diagnostic("L002", f"{type(self).__name__} has no method 'kernel'",
                           "a StencilKernel's kernel is a method of a subclass",
                           "start with: def kernel(self, in_grid, out_grid):")
            )  # fmt: skip
        return self._method

    def _kernel(self, method: _Method, ghost_depth: int) -> Kernel:
        """The kernel of a method as the object stands now; made once for each neighborhood table."""
        if isinstance(method.text, LanguageError):
            raise method.text
        options, settings = self._options
        if self.pure_python:
            options = replace(options, backend=("python",), fallback=True)
        known = [m for m in DOMAIN_METHODS if getattr(type(self), m) is getattr(StencilKernel, m)]
        mine: dict[str, Any] = dict(settings) | {"receiver": tuple(known)}
        if self.neighbor_definition is not None:
            mine["neighbor_definition"] = freeze(self.neighbor_definition)
        if ghost_depth:
            mine["ghost_depth"] = ghost_depth
        source, names = method.text
        source = replace(source, settings=tuple(sorted(mine.items())), title=type(self).__name__)
        own, me = method.written.__code__.co_varnames[:1], _Attributes(self)

        def lookup(name: str) -> Any:
            return me if name in own else names(name)

        key = (method, options, repr(source.settings))
        with _making:
            kernels: dict[Any, Kernel] = self.__dict__.setdefault("_kernels", {})
            if key not in kernels:
                kernels[key] = kernel_of_source(source, lookup, "stencil", options)
            return kernels[key]

    def _run(self, method: _Method, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        grids = [v for v in (*args, *kwargs.values()) if isinstance(v, StencilGrid)]
        try:
            kernel = self._kernel(method, max((g._ghost_depth or 0 for g in grids), default=0))
            if kernel.options.fallback and "__class__" in method.written.__code__.co_freevars:
                raise LanguageError(_SUPER)  # a text alone has no class; the method itself has
        except LanguageError as error:
            return self._run_as_written(method.written, args, kwargs, error)
        arrays = [v.data if isinstance(v, StencilGrid) else v for v in args]
        named = {k: v.data if isinstance(v, StencilGrid) else v for k, v in kwargs.items()}
        return kernel(*arrays, **named)

    def _run_as_written(
        self,
        written: types.FunctionType,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        error: LanguageError,
    ) -> Any:
        """The user's method itself, on grids: its text cannot be read, or is no stencil at all.

        Raises *error* without a fall-back, or where outputs would have to be allocated.
        """
        try:
            inspect.signature(written).bind(self, *args, **kwargs)
        except TypeError:
            raise error from None
        if not (self._options[0].fallback or self.pure_python):
            raise error
        said: set[types.FunctionType] = self.__dict__.setdefault("_said", set())
        if not self.pure_python and written not in said:
            said.add(written)
            text = f"{type(self).__name__} runs as plain Python; {error}"
            place = written.__code__
            warnings.warn_explicit(text, SejitsWarning, place.co_filename, place.co_firstlineno)
        return written(self, *map(_grid, args), **{k: _grid(v) for k, v in kwargs.items()})


class _Attributes:
    """A kernel's object as its method reads it: with what the class and the user gave it, and without
    what only the :class:`Kernel` behind it has, which would have to be made first."""

    def __init__(self, wrapped: StencilKernel) -> None:
        self.__wrapped__ = wrapped

    def __getattr__(self, name: str) -> Any:
        try:
            return object.__getattribute__(self.__wrapped__, name)
        except AttributeError:
            if name in KERNEL_NAMES:
                raise
        return getattr(self.__wrapped__, name)


_making = threading.RLock()
_SUPER = Diagnostic(
    "L012", "'super' is not a function that the language knows",
    "the compiled kernel cannot call back into Python", "call the other kernel outside of this one",
)  # fmt: skip


def _specialized(method: _Method) -> Callable[..., Any]:
    """What takes the place of the method in its class."""

    @functools.wraps(method.written)
    def kernel(self: StencilKernel, *args: Any, **kwargs: Any) -> Any:
        return self._run(method, args, kwargs)

    return kernel


def _grid(value: Any) -> Any:
    if not isinstance(value, numpy.ndarray) or value.ndim == 0:
        return value
    grid = StencilGrid(())
    grid.data = value
    return grid
