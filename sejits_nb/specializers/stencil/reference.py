"""The plain Python run of a stencil: fall-back, oracle, and the "1x" of every speedup.

The user's function itself runs, unchanged; only its grids are arrays that know
``interior_points()`` and ``neighbors()``.  This file is the definition of what those mean.
"""

from __future__ import annotations

import ast
import builtins
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any, SupportsIndex

import numpy as np

from ...contracts import Namespace
from ...errors import StencilError
from ...ir.expr import INTRINSICS
from ...phase1_frontend.capture import free_names
from ...stages import KernelSource
from .calls import signature_of
from .interface import parse_function, read_interface
from .neighborhoods import neighborhood
from .py_to_dast import parse

Offset = tuple[int, ...]


class Point(tuple[int, ...]):
    """A grid point: a tuple of indices, moved by adding an offset of the same length."""

    __slots__ = ()

    def __add__(self, offset: Sequence[int]) -> Point:  # type: ignore[override]
        return Point([a + b for a, b in zip(self, offset, strict=True)])

    def __sub__(self, offset: Sequence[int]) -> Point:
        return Point([a - b for a, b in zip(self, offset, strict=True)])

    def __mul__(self, count: SupportsIndex) -> Point:
        raise TypeError("a point cannot be multiplied; add an offset: x + (0, 1)")


class ReferenceGrid(np.ndarray[Any, np.dtype[Any]]):
    """A NumPy array with the stencil language's methods; indexing by points is NumPy's own."""

    ghost: Offset = ()
    chosen: tuple[Point, ...] | None = None

    def interior_points(self) -> Iterator[Point]:
        """Every point outside the ghost zone, in C order (or the chosen points of a spot check)."""
        if self.chosen is not None:
            yield from self.chosen
            return
        axes = (range(g, n - g) for g, n in zip(self.ghost, self.shape, strict=True))
        yield from map(Point, product(*axes))

    def neighbors(self, x: Point, r: int, metric: str = "l1") -> Iterator[Point]:
        """The points within distance *r* of *x*, itself excluded (r = 0: *x* itself)."""
        return _moved(x, neighborhood(len(x), r, metric))


def _moved(x: Point, offsets: Sequence[Offset]) -> Iterator[Point]:
    """*x* plus each offset.  Spelled out by dimension: the plain Python should be no slower than a
    person would write it, or every speedup would flatter."""
    match x:
        case (i,):
            yield from [Point((i + di,)) for (di,) in offsets]
        case (i, j):
            yield from [Point((i + di, j + dj)) for di, dj in offsets]
        case (i, j, k):
            yield from [Point((i + di, j + dj, k + dk)) for di, dj, dk in offsets]
        case _:
            yield from (x + offset for offset in offsets)


def reference(source: KernelSource, lookup: Namespace) -> Callable[..., None]:
    """A function that runs the kernel on values (parameter -> array or number) in place.

    It takes ``points`` to visit only those; free names are looked up anew at each run.
    """
    function = parse_function(source)
    function.decorator_list = []
    function.returns = None
    module = ast.Module([function], [])
    code = compile(module, f"<{source.where}>", "exec")
    names = {dotted.partition(".")[0] for dotted in free_names(source.code, source.name)}

    def run(values: Mapping[str, Any], points: Sequence[Offset] | None = None) -> None:
        scope: dict[str, Any] = {"__builtins__": builtins} | _INTRINSICS
        for name in names:
            try:
                scope[name] = lookup(name)
            except (KeyError, NameError, ValueError):  # a builtin, or unknown: Python will say
                continue
        exec(code, scope)
        ghost = ghost_depth(source, values)
        arguments = {n: _grid(v, ghost, points) if isinstance(v, np.ndarray) else v
                     for n, v in values.items()}  # fmt: skip
        with np.errstate(all="ignore"):
            scope[source.name](**arguments)

    return run


def ghost_depth(source: KernelSource, values: Mapping[str, Any]) -> Offset:
    """The ghost zone that the kernel needs; outside the language, what its text shows."""
    try:
        return parse(source, signature_of(read_interface(source), values)).sweep.ghost
    except StencilError:
        ndim = next((v.ndim for v in values.values() if isinstance(v, np.ndarray)), 2)
        return (_deepest_in_text(source),) * ndim


def _deepest_in_text(source: KernelSource) -> int:
    """The largest constant radius or offset component that the text mentions; at least 1."""
    deepest = 1
    for n in ast.walk(parse_function(source)):
        if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) and len(n.args) == 2:
            inside: list[ast.AST] = [n.args[1]]
        elif isinstance(n, ast.BinOp) and isinstance(n.right, ast.Tuple):
            inside = list(n.right.elts)
        else:
            continue
        numbers = (m.value for i in inside for m in ast.walk(i) if isinstance(m, ast.Constant))
        deepest = max([deepest, *(abs(v) for v in numbers if isinstance(v, int))])
    return deepest


def _grid(array: Any, ghost: Offset, points: Sequence[Offset] | None) -> ReferenceGrid:
    grid = array.view(ReferenceGrid)
    grid.ghost = ghost
    grid.chosen = None if points is None else tuple(map(Point, points))
    return grid  # type: ignore[no-any-return]


def _elementary(name: str) -> Callable[[Any], Any]:
    ufunc = getattr(np, name)

    def intrinsic(a: Any) -> Any:
        return ufunc(a) if isinstance(a, np.generic) else float(ufunc(float(a)))

    intrinsic.__name__ = name
    return intrinsic


def _floor(a: Any) -> Any:
    if isinstance(a, int | np.integer):
        return a
    return np.floor(a) if isinstance(a, np.generic) else float(math.floor(a))


_INTRINSICS: dict[str, Any] = {
    name: _elementary(name) for name in INTRINSICS if name not in vars(builtins)
} | {"floor": _floor}
