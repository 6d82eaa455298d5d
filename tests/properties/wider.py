"""Random programs of the whole stencil language, exact by construction.

Boundary modes, integer and bool grids beside float ones, tables, weights, named neighborhoods,
distances and coordinates.  Floats are multiples of a power of two that stay below 2**22 of them, so
that no operation rounds in f32 and every right answer is the same; integers may wrap.  Each expression
knows its range.  Kept out is what raises in the plain Python: a Python integer that does not fit the
array element it meets, ``-`` on truth values, stores of Python integers that do not fit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import product
from random import Random
from typing import Any

import numpy as np
from hypothesis import strategies as st

from .exact_values import (
    Value,
    alike,
    combined,
    either,
    fits,
    is_exact,
    storable,
    total_of,
    wrapped,
)
from .programs import Program

Array = np.ndarray[Any, Any]
MODES = ("keep", "constant", "clamp", "wrap", "reflect", "mirror")
_DTYPES = ("f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?")
_TABLES: dict[str, Any] = {
    "HALVES": (0.5, -1.0, 2.0, 1.5, 0.0),
    "RULE": [0, 3, 1, 2, 5],
    "SINGLE": np.array([0.5, -0.25, 1.0, 3.0, -2.0], np.float32),
    "SHORT": np.array([7, 100, 0, 3, 12], np.int16),
}
_RANGES = {"HALVES": (-1, 2, 1), "RULE": (0, 5, 0), "SINGLE": (-2, 3, 2), "SHORT": (0, 100, 0)}


@dataclass(frozen=True)
class WiderProgram(Program):
    """``boundary`` is the decorator's option, ``modes`` the same as one (mode, constant) an axis;
    ``wild`` names the grids whose integers take all values of their dtype."""

    boundary: Any = "keep"
    modes: tuple[tuple[str, float], ...] = ()
    wild: frozenset[str] = frozenset()


def wider_programs(ndim: int) -> st.SearchStrategy[WiderProgram]:
    """Programs over grids of *ndim* axes."""
    return st.randoms(use_true_random=False).map(lambda random: _Writer(random, ndim).program())


@dataclass
class _Writer:
    random: Random
    ndim: int
    lines: list[str] = field(default_factory=list)
    copies: int = 1

    def __post_init__(self) -> None:
        r, ndim = self.random, self.ndim
        self.inputs = tuple(("u", "v", "w")[: r.randint(1, 3)])
        self.outputs = ("out", "res")[: r.choice((1, 1, 2))]
        grids = (*self.inputs, *self.outputs)
        palette = r.sample(_DTYPES, 3)
        self.dtypes = {n: np.dtype(r.choice(palette)) for n in grids}
        self.wild = frozenset(n for n in grids if self.dtypes[n].kind in "iu" and r.random() < 0.4)
        self.none = (0,) * ndim
        self.ghost = self.none
        self.points: dict[str, tuple[int, ...]] = {"x": self.none}
        self.tables = dict(_TABLES)
        self.locals: dict[str, Value] = {}
        self.numbers: dict[str, Any] = r.choice(({}, {"m": 3}, {"s": 0.5}, {"s": np.float32(1.5)}))
        modes = [r.choice(MODES)] * ndim if r.random() < 0.5 else r.choices(MODES, k=ndim)
        self.modes = tuple((m, r.choice((0, 1, 2)) if m == "constant" else 0) for m in modes)

    def program(self) -> WiderProgram:
        r = self.random
        params = ", ".join((*self.inputs, *self.outputs, *self.numbers))
        self.lines = [f"def k({params}):"]
        whole = all(mode != "keep" for mode, _ in self.modes) and r.random() < 0.5
        grid = r.choice((*self.inputs, *self.outputs))
        self._line(1, f"for x in {grid}.{'all_points' if whole else 'interior_points'}():")
        for _ in range(r.randint(1, 3)):
            self._statement(2)
        for out in self.outputs:
            self._store(2, out)
        if r.random() < 0.3:
            self._statement(2)
            self._store(2, r.choice(self.outputs), r.choice("+-*"))
        ghost = tuple(
            g if mode == "keep" else 0 for g, (mode, _) in zip(self.ghost, self.modes, strict=True)
        )
        each = tuple(("constant", c) if m == "constant" else m for m, c in self.modes)
        boundary = each[0] if len(set(each)) == 1 else each
        grids = (*self.inputs, *self.outputs)
        return WiderProgram(
            "k", "\n".join(self.lines) + "\n", self.inputs, self.outputs,
            tuple(self.dtypes[n].str for n in grids), self.numbers, ghost, self.tables,
            boundary, self.modes, self.wild,
        )  # fmt: skip

    # -- statements

    def _line(self, level: int, text: str) -> None:
        self.lines.append("    " * level + text)

    def _take(self, value: Value) -> str:
        """The text of *value*, which the program now holds."""
        self.ghost = tuple(map(max, self.ghost, value.reach))
        return value.text

    def _statement(self, level: int) -> None:
        self.random.choice((self._assign, self._sum, self._sum, self._branch))(level)

    def _assign(self, level: int) -> None:
        value = self._expression(2)
        self._hold(level, f"t{len(self.locals)}", value)

    def _hold(self, level: int, name: str, value: Value) -> None:
        self._line(level, f"{name} = {self._take(value)}")
        self.locals[name] = replace(value, text=name, reach=self.none)

    def _branch(self, level: int) -> None:
        """A temporary that is set anew in a branch keeps its type."""
        name = f"t{len(self.locals)}"
        self._hold(level, name, self._expression(2))
        old = self.locals[name]
        self._line(level, f"if {self._take(self._test())}:")
        new = self._expression(1)
        if not alike(old, new):
            new = old
        self._line(level + 1, f"{name} = {self._take(new)}")
        if self.random.random() < 0.5:
            self._line(level, "else:")
            self._line(level + 1, f"{name} = {name}")
        self.locals[name] = either(name, old, new)

    def _sum(self, level: int) -> None:
        """A sum over a neighborhood: named, weighted, by radius, or with distances."""
        r = self.random
        offsets, head, weight = self._neighborhood()
        reach = tuple(max(abs(o[axis]) for o in offsets) for axis in range(self.ndim))
        start = len(self.lines)
        self._line(level, head)
        before = dict(self.locals)
        self.points["y"] = reach
        if weight is not None:
            self.locals["weight"] = weight
        grid = r.choice(self.inputs)
        term = self._read(grid, "y")
        factor = self._near_factor(reach) if weight is None else weight
        product_ = combined("*", factor, term) if r.random() < 0.8 else None
        term = product_ or term
        if r.random() < 0.5:
            term = combined(r.choice("+-"), term, self._expression(1)) or term
        total = total_of(term, len(offsets), self.none)
        if total is None:
            term = self._literal("i")
            total = total_of(term, len(offsets), self.none)
            assert total is not None
        within = level + 1
        if r.random() < 0.25 and (total.weak or total.kind == "f"):
            # The type of a sum of NumPy integers would depend on the data.
            self._line(within, f"if {self._take(self._test())}:")
            within += 1
        self._line(within, f"acc += {self._take(term)}")
        self.lines.insert(start, "    " * level + f"acc = {'0.0' if total.kind == 'f' else '0'}")
        del self.points["y"]
        self.locals = before
        name = f"t{len(self.locals)}"
        self._line(level, f"{name} = acc")
        self.locals[name] = replace(total, text=name)

    def _neighborhood(self) -> tuple[list[tuple[int, ...]], str, Value | None]:
        r, n = self.random, self.ndim
        grid = r.choice(self.inputs)
        form = r.choice(("named", "weighted", "weighted", "radius"))
        if form == "radius":
            radius = r.choice((1, 1, 2)) if n < 3 else 1
            moore = r.random() < 0.4
            metric = ", metric='moore'" if moore else ""
            text = f"for y in {grid}.neighbors(x, {radius}{metric}):"
            return list(around(n, radius, moore)), text, None
        table = f"{form.upper()}_{len(self.tables)}"
        if form == "named":
            count = r.randint(1, 5)
            offsets = [
                tuple(r.choice((-2, -1, 0, 0, 1, 3)) for _ in range(n)) for _ in range(count)
            ]
            self.tables[table] = r.choice((list, tuple))(offsets)
            return offsets, f"for y in {grid}.neighbors(x, {table}):", None
        shape = [r.choice((1, 3, 3, 5 if n < 3 else 3)) for _ in range(n)]
        whole = r.random() < 0.5
        entries = (0, 0, 1, 2, 3) if whole else (0.0, 0.5, -1.0, 1.5, 0.0)
        weights = np.array([r.choice(entries) for _ in range(int(np.prod(shape)))]).reshape(shape)
        weights[tuple(s // 2 for s in shape)] = 1
        self.tables[table] = weights.tolist() if whole or r.random() < 0.5 else weights
        found = [tuple(int(i) - s // 2 for i, s in zip(at, shape, strict=True))
                 for at in np.argwhere(weights)]  # fmt: skip
        value = Value("weight", int if whole else float, 0 if whole else -1, 3, self.none,
                       0 if whole else 1)  # fmt: skip
        return found, f"for y, weight in {grid}.weighted(x, {table}):", value

    def _near_factor(self, reach: tuple[int, ...]) -> Value:
        """Something of the distance of the point and its neighbor."""
        most = sum(reach)
        text = self.random.choice(("distance(x, y)", "distance(y, x)"))
        if most > 4 or self.random.random() < 0.5:
            return Value(text, int, 0, most, self.none)
        return self._entry(self.random.choice(("HALVES", "RULE", "SINGLE")), text)

    def _store(self, level: int, out: str, op: str = "") -> None:
        dtype = self.dtypes[out]
        value = self._expression(3)
        if op:
            old = replace(self._read(out, "x"), reach=self.none)
            changed = combined(op, old, value)
            if changed is None or not storable(changed, dtype):
                return
            self._line(level, f"{out}[x] {op}= {self._take(value)}")
            return
        if not storable(value, dtype) and value.kind == "i" and not value.weak:
            if dtype.kind == "f":
                value = replace(value, text=f"({value.text} % 9)", lo=0, hi=8)
            else:
                value = replace(value, text=f"np.{dtype.name}({value.text})", lo=0, hi=0)
        if not storable(value, dtype):
            value = self._literal("i")
        self._line(level, f"{out}[x] = {self._take(value)}")

    # -- expressions

    def _expression(self, depth: int) -> Value:
        r = self.random
        if depth == 0 or r.random() < 0.1:
            return self._leaf()
        a = self._expression(depth - 1)
        form = r.randint(0, 9)
        if form <= 4:
            return combined(r.choice("+-*+-"), a, self._expression(depth - 1)) or a
        if form == 5:
            b = self._expression(depth - 1)
            if not alike(a, b):
                return a
            test = self._test()
            chosen = either(f"({a.text} if {test.text} else {b.text})", a, b)
            return replace(chosen, reach=tuple(map(max, chosen.reach, test.reach)))
        if form == 6:
            b = self._expression(depth - 1)
            if not alike(a, b) or a.kind == "b":
                return a
            return either(f"{r.choice(('min', 'max'))}({a.text}, {b.text})", a, b)
        if form == 7 and a.kind == "i":
            return self._looked_up(a)
        if form == 8:
            return self._halved(a)
        return self._of_integers(a)

    def _halved(self, a: Value) -> Value:
        """Division by a power of two, which is exact."""
        by = self.random.choice((1, 2))
        made = float if a.weak else np.result_type(a.type, np.float32)
        value = replace(a, text=f"({a.text} / {2**by}{self.random.choice(('', '.0'))})",
                        type=made, lo=a.lo / 2**by, hi=a.hi / 2**by, scale=a.scale + by)  # fmt: skip
        return value if is_exact(a, value) and a.kind != "b" else a

    def _of_integers(self, a: Value) -> Value:
        r = self.random
        if a.kind == "b":
            return replace(a, text=f"(~{a.text})") if r.random() < 0.5 else a
        if a.kind == "f":
            cast = replace(a, text=f"int({a.text})", type=int, scale=0)
            return cast if r.random() < 0.3 else replace(
                a, text=f"abs({a.text})", lo=0, hi=max(abs(a.lo), abs(a.hi)))  # fmt: skip
        form, n = r.randint(0, 6), r.randint(1, 7)
        if form == 0:
            return replace(a, text=f"({a.text} % {n})", lo=0, hi=n - 1)
        if form == 1:
            return replace(a, text=f"({a.text} // {n})", lo=a.lo // n, hi=a.hi // n)
        if form == 2:
            return wrapped(replace(a, text=f"({a.text} << 2)", lo=a.lo * 4, hi=a.hi * 4))
        if form == 3:
            return replace(a, text=f"({a.text} >> 1)", lo=a.lo // 2, hi=a.hi // 2)
        if form == 4:
            return replace(a, text=f"({a.text} & {n})", lo=0, hi=n)
        if a.weak:
            return replace(a, text=f"(-{a.text})", lo=-a.hi, hi=-a.lo)
        if form == 5 and a.type.itemsize < 8:  # never chosen, whatever the data
            far = int(np.iinfo(a.type).max) + n
            return replace(
                a, text=r.choice((f"min({a.text}, {far})", f"max(-{far + 1}, {a.text})"))
            )
        made = np.dtype(r.choice(("i2", "i4", "i8", "u1", "u2")))
        return wrapped(replace(a, text=f"np.{made.name}({a.text})", type=made))

    def _looked_up(self, a: Value) -> Value:
        """A table at a computed index that stays within it."""
        name = self.random.choice(list(_RANGES))
        form = self.random.randint(0, 2 if fits(a, np.dtype("i8")) else 1)
        index = (f"{a.text} % 5", f"max(0, min(4, {a.text}))", f"int({a.text}) % 5 - 5")[form]
        return self._entry(name, index, a.reach)

    def _entry(self, name: str, index: str, reach: tuple[int, ...] | None = None) -> Value:
        table, (lo, hi, scale) = _TABLES[name], _RANGES[name]
        made = table.dtype if isinstance(table, np.ndarray) else type(table[0])
        return Value(f"{name}[{index}]", made, lo, hi, reach or self.none, scale)

    def _leaf(self) -> Value:
        r = self.random
        choice = r.randint(0, 9)
        if choice <= 4:
            return self._read(r.choice(self.inputs), r.choice(list(self.points)))
        if choice <= 6 and self.locals:
            return r.choice(list(self.locals.values()))
        if choice == 7:
            axis = r.randrange(-self.ndim, self.ndim)
            return Value(f"x[{axis}]", int, 0, 60, self.none)
        if choice == 8 and self.numbers:
            name, value = next(iter(self.numbers.items()))
            made = value.dtype if isinstance(value, np.generic) else type(value)
            return Value(name, made, value, value, self.none, 1)
        return self._literal(r.choice("fi"))

    def _literal(self, kind: str) -> Value:
        if kind == "i":
            n = self.random.choice((0, 1, 2, 5))
            return Value(str(n), int, n, n, self.none)
        value = self.random.choice((0.5, 2.0, -1.5, 0.25))
        return Value(f"({value})", float, value, value, self.none, 2)

    def _read(self, grid: str, point: str) -> Value:
        r, dtype = self.random, self.dtypes[grid]
        offset = self.none
        if grid in self.inputs and r.random() < 0.5:
            offset = tuple(r.choice((0, 0, -1, 1, 2)) for _ in range(self.ndim))
        reach = tuple(abs(o) + far for o, far in zip(offset, self.points[point], strict=True))
        text = f"{grid}[{point} + {offset}]" if any(offset) else f"{grid}[{point}]"
        lo, hi = limits(dtype, grid in self.wild)
        return Value(text, dtype, lo, hi, reach)

    def _test(self) -> Value:
        """A truth value; its range and type are of no use."""
        r = self.random
        bools = [n for n in self.inputs if self.dtypes[n].kind == "b"]
        if bools and r.random() < 0.4:
            return self._read(r.choice(bools), r.choice(list(self.points)))
        if r.random() < 0.2:
            first = self._test()
            word = r.choice(("and", "or", "and not"))
            return replace(first, text=f"({first.text} {word} x[0] > {r.randint(0, 4)})")
        a, b = self._expression(1), self._expression(1)
        if a.kind != b.kind or a.kind == "b" or r.random() < 0.2:
            n = r.choice((0, 2, -1, 200, 300, -70_000, 2**33))  # compared by value, fit or not
            b = Value(f"({n})", int, n, n, self.none)
        op = r.choice(("<", "<=", ">", ">=", "==", "!="))
        return Value(f"{a.text} {op} {b.text}", bool, 0, 1, tuple(map(max, a.reach, b.reach)))


def limits(dtype: np.dtype[Any], wild: bool) -> tuple[int, int]:
    """The least and the largest of the data of a grid."""
    if wild:
        return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
    return {"f": (-3, 3), "i": (-3, 3), "u": (0, 5), "b": (0, 1)}[dtype.kind]


def around(ndim: int, radius: int, moore: bool) -> Iterator[tuple[int, ...]]:
    for offset in product(range(-radius, radius + 1), repeat=ndim):
        if any(offset) and (moore or sum(map(abs, offset)) <= radius):
            yield offset
