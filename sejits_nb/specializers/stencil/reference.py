"""The plain Python run of a stencil: fall-back, oracle, and the "1x" of every speedup.

The user's function itself runs, unchanged; only its grids are arrays that know
``interior_points()`` and ``neighbors()``.  This file is the definition of what those mean.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any, SupportsIndex

import numpy as np

from ...contracts import Namespace
from ...errors import StencilError
from ...ir.expr import INTRINSICS
from ...phase1_frontend.capture import freeze
from ...phase1_frontend.plain_scope import plain_scope
from ...stages import KernelSource
from .boundaries import Boundary, boundaries_of, held, mapped
from .calls import signature_of
from .interface import inlined, parse_function, read_interface, receiver
from .neighborhoods import offsets_of, weights_of
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
    modes: tuple[Boundary, ...] = ()
    chosen: tuple[Point, ...] | None = None

    def interior_points(self) -> Iterator[Point]:
        """Every point outside the ghost zone, in C order (or the chosen points of a spot check)."""
        if self.chosen is not None:
            yield from self.chosen
            return
        axes = (range(g, n - g) for g, n in zip(self.ghost, self.shape, strict=True))
        yield from map(Point, product(*axes))

    def all_points(self) -> Iterator[Point]:
        """Every point, in C order (or the chosen points of a spot check)."""
        return iter(self.chosen) if self.chosen is not None else map(Point, np.ndindex(self.shape))

    def weighted(self, x: Point, table: Any) -> Iterator[tuple[Point, Any]]:
        """The points around *x* for which *table*, centred on it, has a weight, with that weight."""
        entries = weights_of(freeze(table), len(x))
        if entries is None:
            raise ValueError(f"the weights need {len(x)} axes of odd length")
        return ((x + offset, weight) for offset, weight in entries)

    def border_points(self) -> Iterator[Point]:
        """The points of the ghost zone, in C order."""
        inner = [range(g, n - g) for g, n in zip(self.ghost, self.shape, strict=True)]
        for x in self.all_points():
            if not all(i in axis for i, axis in zip(x, inner, strict=True)):
                yield x

    def neighbors(self, x: Point, r: int | Sequence[Offset], metric: str = "l1") -> Iterator[Point]:
        """The points within distance *r* of *x*, itself excluded (r = 0: *x* itself), or at the
        offsets of a named neighborhood."""
        return moved(x, offsets_of(len(x), r, metric))


class BoundedGrid(ReferenceGrid):
    """A grid whose boundary modes give reads outside of it a meaning."""

    def __getitem__(self, x: Any) -> Any:
        if not isinstance(x, Point):
            return super().__getitem__(x)
        at = []
        for i, n, boundary in zip(x, self.shape, self.modes, strict=True):
            if boundary.mode == "constant" and not 0 <= i < n:
                return self.dtype.type(boundary.value)
            at.append(int(mapped(i, n, boundary.mode)) if not 0 <= i < n else i)
        return super().__getitem__(tuple(at))


def moved(x: Point, offsets: Sequence[Offset]) -> Iterator[Point]:
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
    own = receiver(source, function)
    function.decorator_list = []
    function.returns = None
    module = ast.Module([function], [])
    code = compile(module, f"<{source.where}>", "exec")

    def run(values: Mapping[str, Any], points: Sequence[Offset] | None = None) -> None:
        scope = plain_scope(source, lookup, _INTRINSICS)
        exec(code, scope)
        ghost = ghost_depth(source, values)
        interface = read_interface(source)
        arguments = {
            n: _grid(
                v, ghost, points, held(boundaries_of(source, interface, n, v.ndim), n, v.dtype)
            )
            if isinstance(v, np.ndarray)
            else v
            for n, v in values.items()
        }
        with np.errstate(all="ignore"):
            scope[source.name](*([inspect.unwrap(lookup(own))] if own else []), **arguments)

    return run


def ghost_depth(source: KernelSource, values: Mapping[str, Any]) -> Offset:
    """The ghost zone that the kernel needs; outside the language, what its text shows."""
    try:
        return parse(source, signature_of(read_interface(source), values)).sweep.ghost
    except StencilError:
        grid, ndim = next(
            ((n, v.ndim) for n, v in values.items() if isinstance(v, np.ndarray)), ("", 2)
        )
        modes = boundaries_of(source, read_interface(source), grid, ndim)
        border = "border_points" in source.code
        return tuple(_deepest_in_text(source) if b.mode == "keep" or border else 0 for b in modes)


def _deepest_in_text(source: KernelSource) -> int:
    """The largest constant radius or offset component that the text mentions; at least 1."""
    settings, captured = dict(source.settings), dict(source.captured)
    function = inlined(source).function
    own, defined = receiver(source, function), settings.get("neighbor_definition")
    deepest: int = max(1, settings.get("ghost_depth", 0))
    for n in ast.walk(function):
        match n:
            case ast.Call(ast.Attribute(ast.Name(name), "neighbors"), [_, _]) if (
                name == own and defined is not None
            ):
                found = _integers(defined)
            case ast.Call(ast.Attribute(), [_, ast.Name() | ast.Attribute() as named]):
                found = _integers(captured.get(ast.unparse(named)))
            case ast.Call(ast.Attribute(), [_, reach]) | ast.BinOp(_, _, ast.Tuple() as reach):
                found = [
                    m.value
                    for m in ast.walk(reach)
                    if isinstance(m, ast.Constant) and isinstance(m.value, int)
                ]
            case _:
                continue
        deepest = max([deepest, *map(abs, found)])
    return deepest


def _integers(value: Any) -> list[int]:
    """The integers of nested tuples."""
    if isinstance(value, tuple):
        return [i for item in value for i in _integers(item)]
    return [int(value)] if isinstance(value, int | np.integer) else []


def _grid(
    array: Any, ghost: Offset, points: Sequence[Offset] | None, modes: tuple[Boundary, ...]
) -> ReferenceGrid:
    bounded = any(b.mode != "keep" for b in modes)
    grid = array.view(BoundedGrid if bounded else ReferenceGrid)
    grid.ghost, grid.modes = ghost, modes
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


def _distance(a: Sequence[int], b: Sequence[int]) -> int:
    return sum(abs(i - j) for i, j in zip(a, b, strict=True))


_INTRINSICS: dict[str, Any] = {
    name: _elementary(name) for name in INTRINSICS if name not in vars(builtins)
} | {"floor": _floor, "distance": _distance}
