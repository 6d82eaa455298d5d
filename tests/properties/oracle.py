"""The plain Python on numbers that carry an error bound: how far rounding alone may move a result.

The program's own text runs, on grids of this file and on :class:`Bounded` numbers.  Each operation
does what NumPy does and bounds, to first order, what other code may get for it: half a unit in the last
place more or less (a fused multiply-add), a few units from another mathematical library.  Where that
could change which way a comparison goes, or whether a value is finite, the point is *unsure* and
proves nothing.  Nothing here comes from the package: values are checked against its reference too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from itertools import product
from types import SimpleNamespace
from typing import Any

import numpy as np

from .programs import Program

Array = np.ndarray[Any, Any]
Point = tuple[int, ...]
_LIBRARY_ULPS = 16.0
_SAFETY = 4.0


class Bounded:
    """A number ``value`` (of NumPy or Python) that other code may compute up to ``error`` away."""

    __slots__ = ("error", "value")
    __array_ufunc__ = None  # NumPy scalars on the left hand leave the operation to us
    unsure = False
    """Class-wide flag: some decision at the current point lies within its error."""
    unit = 2.0**-53
    """Rounding of a Python float: that of f32 where f32 grids are about, which it may meet."""

    def __init__(self, value: Any, error: float) -> None:
        self.value, self.error = value, float(error)

    def __float__(self) -> float:
        raise TypeError("float() of the oracle's scope converts")

    def __bool__(self) -> bool:
        return bool(lift(self).__ne__(0))

    def __neg__(self) -> Bounded:
        return Bounded(-self.value, self.error)

    def __pos__(self) -> Bounded:
        return self

    def __abs__(self) -> Bounded:
        return Bounded(abs(self.value), self.error)


def lift(x: Any) -> Bounded:
    """*x* with its error; what Python computed from literals may be computed in f32 elsewhere."""
    if isinstance(x, Bounded):
        return x
    whole = isinstance(x, bool | int | np.bool_ | np.integer) or x == np.trunc(x)
    exact = isinstance(x, np.floating | np.integer) or Bounded.unit < 1e-9
    return Bounded(x, 0.0 if exact or whole else 16 * Bounded.unit * abs(float(x)))


def rounded(value: Any, error: float, operands: tuple[Bounded, ...], ulps: float = 1.0) -> Bounded:
    """*value*, just computed from *operands*, with its own rounding added to *error*."""
    size = abs(float(value))
    if isinstance(value, np.float32):
        unit, tiny, huge = 2.0**-24, 2.0**-149, float(np.finfo(np.float32).max)
    else:
        unit, tiny, huge = Bounded.unit, 2.0**-1074, float(np.finfo(np.float64).max)
    if math.isfinite(size):
        total = error + ulps * (unit * size + tiny)
        return Bounded(value, total if size + total < huge else math.inf)
    certain = all(o.error == 0 for o in operands) and any(
        not math.isfinite(float(o.value)) for o in operands
    )
    return Bounded(value, 0.0 if certain else math.inf)


def _arithmetic(
    apply: Callable[[Any, Any], Any],
    bound: Callable[[float, float, float, float, float], float],
    ulps: float = 1.0,
) -> Callable[[Any, Any], Bounded]:
    def operation(left: Any, right: Any) -> Bounded:
        a, b = lift(left), lift(right)
        value = apply(a.value, b.value)
        with np.errstate(all="ignore"):
            error = bound(float(a.value), a.error, float(b.value), b.error, float(value))
        return rounded(value, math.inf if math.isnan(error) else error, (a, b), ulps)

    return operation


def _quotient(a: float, ea: float, b: float, eb: float, value: float) -> float:
    room = abs(b) - eb
    return (ea + abs(value) * eb) / room if room > 0 else (0.0 if ea + eb == 0 else math.inf)


def _whole_steps(step: Callable[[float, float, float], float]) -> Callable[..., float]:
    """Error of ``//`` and ``%``: none if both operands are exact, all if the quotient may jump."""

    def bound(a: float, ea: float, b: float, eb: float, value: float) -> float:
        if ea + eb == 0:
            return 0.0
        room = abs(b) - eb
        if room <= 0 or not math.isfinite(a / b):
            return math.inf
        spread = (ea + abs(a / b) * eb) / room + abs(a / b) * 1e-6
        near = abs(a / b - round(a / b))
        return math.inf if near <= spread else step(ea, abs(a / b) + 1.0, eb)

    return bound


def _power(a: float, ea: float, b: float, eb: float, value: float) -> float:
    if ea + eb == 0 or b == 0:
        return 0.0
    if ea >= abs(a):
        return math.inf
    slope = abs(value * b / a) * ea * (1.0 + abs(b) * ea / abs(a))
    return slope + abs(value * math.log(abs(a))) * eb


_ARITHMETIC: dict[str, Callable[[Any, Any], Bounded]] = {
    "add": _arithmetic(lambda a, b: a + b, lambda a, ea, b, eb, v: ea + eb),
    "sub": _arithmetic(lambda a, b: a - b, lambda a, ea, b, eb, v: ea + eb),
    "mul": _arithmetic(
        lambda a, b: a * b,
        lambda a, ea, b, eb, v: (
            (abs(a) * eb if eb else 0.0) + (abs(b) * ea if ea else 0.0) + ea * eb
        ),
    ),
    "truediv": _arithmetic(lambda a, b: a / b, _quotient),
    "floordiv": _arithmetic(lambda a, b: a // b, _whole_steps(lambda ea, q, eb: 0.0)),
    "mod": _arithmetic(lambda a, b: a % b, _whole_steps(lambda ea, q, eb: ea + q * eb)),
    "pow": _arithmetic(lambda a, b: a**b, _power, _LIBRARY_ULPS),
}


def _compared(apply: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def comparison(left: Any, right: Any) -> Any:
        a, b = lift(left), lift(right)
        error = a.error + b.error
        with np.errstate(all="ignore"):
            near = error > 0 and not abs(float(a.value) - float(b.value)) > error
        if near:
            Bounded.unsure = True
        return apply(a.value, b.value)

    return comparison


for _name, _operation in _ARITHMETIC.items():
    setattr(Bounded, f"__{_name}__", _operation)
    setattr(Bounded, f"__r{_name}__", lambda self, other, op=_operation: op(other, self))
for _name, _apply in {
    "lt": lambda a, b: a < b, "le": lambda a, b: a <= b, "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b, "eq": lambda a, b: a == b, "ne": lambda a, b: a != b,
}.items():  # fmt: skip
    setattr(Bounded, f"__{_name}__", _compared(_apply))


def _function(apply: Callable[[Any], Any], convert: bool = False) -> Callable[[Any], Bounded]:
    """An elementary function; ``convert`` makes its argument a Python float, as ``math`` does."""

    def function(x: Any) -> Bounded:
        a = lift(x)
        value = apply(float(a.value) if convert else a.value)
        error = 0.0
        if a.error:
            sides = [float(apply(float(a.value) + s * a.error)) for s in (-1.0, 1.0)]
            error = max(abs(side - float(value)) for side in sides)
        return rounded(value, math.inf if math.isnan(error) else error, (a,), _LIBRARY_ULPS)

    return function


def _named(name: str) -> Callable[[Any], Any]:
    ufunc: Any = getattr(np, name)
    return lambda v: ufunc(v) if isinstance(v, np.generic) else float(ufunc(float(v)))


def _lipschitz(apply: Callable[[Any], Any]) -> Callable[[Any], Bounded]:
    def function(x: Any) -> Bounded:
        a = lift(x)
        return rounded(apply(a.value), a.error, (a,), _LIBRARY_ULPS)

    return function


def _choice(first: Callable[[Any, Any], bool]) -> Callable[..., Any]:
    """``min`` and ``max``: near a tie either operand will do."""

    def choice(*args: Any) -> Bounded:
        best = lift(args[0])
        for b in map(lift, args[1:]):
            value = b.value if first(best.value, b.value) else best.value
            apart = abs(float(best.value) - float(b.value))
            error = max(best.error, b.error)
            best = Bounded(value, error + (apart if apart <= best.error + b.error else 0.0))
        return best

    return choice


def _cast(kind: Callable[[Any], Any]) -> Callable[[Any], Bounded]:
    def cast(x: Any) -> Bounded:
        a = lift(x)
        return rounded(kind(a.value), a.error, (a,))

    return cast


def _nan_for_errors(apply: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def quiet(v: Any) -> Any:
        try:
            return apply(v)
        except (ValueError, OverflowError):
            return math.nan

    return quiet


def _namespace() -> dict[str, Any]:
    functions = {n: _function(_named(n)) for n in ("sqrt", "exp", "log", "tan", "tanh", "floor")}
    functions |= {n: _lipschitz(_named(n)) for n in ("sin", "cos")}
    of_numpy = {n: _function(getattr(np, n)) for n in ("sqrt", "exp", "floor")}
    smallest = _choice(lambda a, b: not (a < b or a != a))
    largest = _choice(lambda a, b: not (a > b or a != a))
    return functions | {
        "min": _choice(lambda a, b: b < a), "max": _choice(lambda a, b: b > a),
        "pow": lambda a, b: a**b, "float": _cast(float),
        "math": SimpleNamespace(
            sqrt=_function(_nan_for_errors(math.sqrt), True),
            exp=_function(_nan_for_errors(math.exp), True),
            fabs=_cast(lambda v: abs(float(v))),
        ),
        "np": SimpleNamespace(
            **of_numpy, abs=_cast(np.abs), pi=np.pi, ndarray=np.ndarray,
            float32=_cast(np.float32), float64=_cast(np.float64),
            minimum=lambda a, b: _as_numpy(smallest(a, b), a, b),
            maximum=lambda a, b: _as_numpy(largest(a, b), a, b),
        ),
    }  # fmt: skip


def _as_numpy(chosen: Bounded, *args: Any) -> Bounded:
    kind: Any = np.result_type(*(lift(a).value for a in args))
    return rounded(kind.type(chosen.value), chosen.error, (chosen,))


class Grid:
    """An array with error bounds beside its values, and the points of a ghost zone left out."""

    def __init__(self, values: Array, ghost: Point) -> None:
        self.values, self.ghost = values.copy(), ghost
        self.errors = np.zeros(values.shape)
        self.unsure = np.zeros(values.shape, bool)

    def __getitem__(self, x: Any) -> Bounded:
        return Bounded(self.values[x], self.errors[x])

    def __setitem__(self, x: Any, new: Any) -> None:
        a = lift(new)
        stored = rounded(self.values.dtype.type(a.value), a.error, (a,))
        self.values[x], self.errors[x] = stored.value, stored.error

    def interior_points(self) -> Iterator[Any]:
        axes = (range(g, n - g) for g, n in zip(self.ghost, self.values.shape, strict=True))
        for point in product(*axes):
            Bounded.unsure = False
            yield _Moving(point)
            self.unsure[point] = Bounded.unsure

    def neighbors(self, x: Point, r: int, metric: str = "l1") -> Iterator[Any]:
        for offset in product(range(-r, r + 1), repeat=len(x)):
            near = metric == "moore" or sum(map(abs, offset)) <= r
            if near and (any(offset) or r == 0):
                yield _Moving(a + b for a, b in zip(x, offset, strict=True))


class _Moving(tuple[int, ...]):
    def __add__(self, offset: Any) -> _Moving:
        return _Moving(a + b for a, b in zip(self, offset, strict=True))

    def __sub__(self, offset: Any) -> _Moving:
        return _Moving(a - b for a, b in zip(self, offset, strict=True))


def expect(program: Program, values: Mapping[str, Any]) -> dict[str, tuple[Array, Array, Array]]:
    """Output name -> (values, largest legitimate differences, points that prove something).

    Raises what the plain Python raises on these values.
    """
    grids = {n: Grid(v, program.ghost) for n, v in values.items() if isinstance(v, np.ndarray)}
    single = any(g.values.dtype == np.float32 for g in grids.values())
    Bounded.unit = 2.0**-24 if single else 2.0**-53
    scope = program.constants | _namespace()
    exec(compile(program.text, program.name, "exec"), scope)
    with np.errstate(all="ignore"):
        scope[program.name](**{n: grids.get(n, v) for n, v in values.items()})
    unsure = np.any([g.unsure for g in grids.values()], axis=0)
    return {
        n: (grids[n].values, _SAFETY * grids[n].errors, ~unsure & np.isfinite(grids[n].errors))
        for n in program.outputs
    }
