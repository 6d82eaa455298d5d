"""Random programs of the stencil core language, as source text.

    kernel    ::= def NAME(grid.. out.. number..): [docstring] number-statement* sweep
    sweep     ::= for x in GRID.interior_points(): statement*
    statement ::= temporary = expr | temporary op= expr | out[x] = expr | out[x] op= expr
                | if test: .. elif test: .. else: .. | for y in GRID.neighbors(point, r[, metric]): ..
    expr      ::= number | temporary | grid[point] | arithmetic | intrinsic | a if test else b | cast

Two things are kept out, because the plain Python itself raises on them: dividing by a Python number
that may be zero, and raising a Python number to a power.  *strong* below says that a value is a NumPy
scalar, whose arithmetic never raises.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np
from hypothesis import strategies as st

_GRIDS = (
    "u",
    "v",
    "w",
    "double",
    "register",
    "grid_",
    "ψ",
    "restrict",
    "int64_t",
    "kernel",
    "exp_",
)
_OUTPUTS = ("out", "res", "static", "out_", "β", "k_kernel")
_NUMBERS = ("alpha", "long", "c", "λ", "test", "M_PI", "acc_1", "struct")
_TEMPORARIES = ("acc", "t1", "test_1", "out_x", "u_x", "i", "j", "ii", "min_f64", "mod_f64", "b__1",
                "b", "pow_", "auto", "δ", "n_", "_t", "floordiv_f32")  # fmt: skip
_POINTS = ("x", "p", "ξ", "i_", "volatile")
_NEIGHBORS = ("y", "z", "q", "η", "union")
_KERNELS = ("k", "main", "sqrt_", "heat", "switch", "kernel_", "μ")
_CONSTANTS: dict[str, Any] = {
    "C0": 0.25, "ONE": 1, "weight": np.float32(0.1), "W64": np.float64(1.7), "STEPS": 3, "TABLE":
    (0.5, -2.0, 0.125), "COUNTS": [2, 5, 7], "FLAG": True,
}  # fmt: skip
_FLOATS = ("0.5", "2.0", "0.1", "1.5", "3.0", "0.3", "-0.25", "1e-3", "4.0", "7.0", "1e5")


@dataclass(frozen=True)
class Program:
    """A generated kernel and what a call of it needs.

    ``ghost`` is the depth that the offsets of its text ask for on each axis; ``dtypes`` are those of
    the grids, inputs first; ``constants`` belong into the module's namespace.
    """

    name: str
    text: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    dtypes: tuple[str, ...]
    numbers: dict[str, Any]
    ghost: tuple[int, ...]
    constants: dict[str, Any] = field(default_factory=lambda: dict(_CONSTANTS))


@dataclass(frozen=True)
class _Temporary:
    """What is known of a local: ``kind`` is ``f`` or ``i``; ``strong`` as the module says."""

    kind: str
    strong: bool


def programs(ndim: int) -> st.SearchStrategy[Program]:
    """Programs over grids of *ndim* axes; shrinks towards short ones."""
    return st.randoms(use_true_random=False).map(lambda random: _Writer(random, ndim).program())


class _Writer:
    def __init__(self, random: Random, ndim: int) -> None:
        self.random, self.ndim = random, ndim
        self.inputs = tuple(random.sample(_GRIDS, random.randint(1, 3)))
        self.outputs = tuple(random.sample(_OUTPUTS, random.choice((1, 1, 2))))
        names = random.sample(_NUMBERS, random.randint(0, 2))
        self.numbers = {name: self._number() for name in names}
        self.free = random.sample(_TEMPORARIES, len(_TEMPORARIES))
        self.temporaries: dict[str, _Temporary] = {}
        self.fixed: set[str] = set()  # set before the sweep, so not to be assigned in it
        self.ghost = [0] * ndim
        self.points = {random.choice(_POINTS): [0] * ndim}
        self.sweep = next(iter(self.points))
        self.lines: list[str] = []
        self.copies = 1

    def program(self) -> Program:
        r = self.random
        name = r.choice(_KERNELS)
        typed = self._maybe(0.2)
        params = [f"{p}: np.ndarray" if typed else p for p in (*self.inputs, *self.outputs)]
        params += [f"{p}: float" if typed else p for p in self.numbers]
        self.lines = [f"def {name}({', '.join(params)}):"]
        if self._maybe(0.2):
            self._line(1, '"""A kernel.\n\n    In two lines.\n    """')
        if self.numbers and self._maybe(0.3):
            self._assign(1, reads=False)
            self.fixed = set(self.temporaries)
        grid = r.choice((*self.inputs, *self.outputs))
        self._line(1, f"for {self.sweep} in {grid}.interior_points():")
        for _ in range(r.randint(0, 3)):
            self._statement(2, depth=2)
        for out in self.outputs:
            self._line(2, f"{out}[{self.sweep}] = {self._float(3)[0]}")
        if self._maybe(0.4):
            self._statement(2, depth=1)
        grids = (*self.inputs, *self.outputs)
        dtype = r.choice(("f4", "f8", "mixed"))
        dtypes = tuple(r.choice(("f4", "f8")) if dtype == "mixed" else dtype for _ in grids)
        text = "\n".join(self.lines) + "\n"
        return Program(name, text, self.inputs, self.outputs, dtypes, self.numbers, (*self.ghost,))

    # -- statements

    def _statement(self, level: int, depth: int) -> None:
        forms: list[Callable[[], None]] = [
            lambda: self._assign(level),
            lambda: self._assign(level),
            lambda: self._augment(level),
            lambda: self._store(level),
            lambda: self._line(level, self.random.choice(("", "# a comment", "pass"))),
        ]
        if depth:
            forms += [lambda: self._if(level, depth), lambda: self._neighbors(level, depth)] * 2
        self.random.choice(forms)()

    def _assign(self, level: int, reads: bool = True) -> None:
        if reads and self._maybe(0.3):
            text, kind, strong = self._integer(2), "i", False
        else:
            text, strong = self._float(3) if reads else self._plain(2)
            kind = "f"
        same = [n for n in self._variable() if self.temporaries[n].kind == kind]
        again = same and (self._maybe(0.3) or not self.free)
        name = self.random.choice(same) if again else self.free.pop()
        self.temporaries[name] = _Temporary(kind, strong)
        annotation = ": float" if self._maybe(0.1) else ""
        self._line(level, f"{name}{annotation} = {text}")

    def _augment(self, level: int) -> None:
        if not self._variable():
            return self._assign(level)
        name = self.random.choice(self._variable())
        old = self.temporaries[name]
        if old.kind == "i":
            return self._line(level, f"{name} {self.random.choice(('+=', '-='))} {self._digit()}")
        op = self.random.choice(("+=", "+=", "-=", "*=", "/="))
        value, strong = (self._float if op != "/=" else self._divisor)(2)
        self.temporaries[name] = _Temporary("f", old.strong or strong)
        self._line(level, f"{name} {op} {value}")

    def _store(self, level: int) -> None:
        out = self.random.choice(self.outputs)
        op = self.random.choice(("=", "+=", "-=", "*="))
        self._line(level, f"{out}[{self.sweep}] {op} {self._float(2)[0]}")

    def _if(self, level: int, depth: int) -> None:
        """What a branch assigns anew stays its own; what it changes is as weak as any branch's."""
        before = dict(self.temporaries)
        after = dict(self.temporaries)
        heads = [f"if {self._test(2)}:"]
        heads += [f"elif {self._test(1)}:"] if self._maybe(0.3) else []
        heads += ["else:"] if self._maybe(0.6) else []
        for head in heads:
            self.temporaries = dict(before)
            self._line(level, head)
            for _ in range(self.random.randint(1, 2)):
                self._statement(level + 1, depth - 1)
            self._line(level + 1, "pass")
            for name, was in after.items():
                strong = was.strong and self.temporaries[name].strong
                after[name] = _Temporary(was.kind, strong)
        self.temporaries = after

    def _neighbors(self, level: int, depth: int) -> None:
        """Nested loops stay within a few hundred copies of their body."""
        free = [n for n in _NEIGHBORS if n not in self.points]
        radius = self.random.choice((0, 1, 1, 1, 2))
        metric = self.random.choice(("", "", ", metric='moore'"))
        side = 2 * radius + 1
        count = side**self.ndim if metric else max(1, 2 * self.ndim * radius**2)
        if not free or self.copies * count > 60:
            return self._assign(level)
        centre = self.random.choice(list(self.points))
        name = self.random.choice(free)
        if not any(self.temporaries[n].kind == "f" for n in self._variable()):
            self._assign(level)
        grid = self.random.choice(self.inputs)
        self._line(level, f"for {name} in {grid}.neighbors({centre}, {radius}{metric}):")
        before = dict(self.temporaries)
        self.points[name] = [reach + radius for reach in self.points[centre]]
        self.copies *= count
        sums = [n for n in self._variable() if before[n].kind == "f"]
        if sums:
            self._line(level + 1, f"{self.random.choice(sums)} += {self._float(2)[0]}")
        for _ in range(self.random.randint(0, 2)):
            self._statement(level + 1, depth - 1)
        self._line(level + 1, "pass")
        self.copies //= count
        del self.points[name]
        self.temporaries = {
            n: _Temporary(t.kind, t.strong and self.temporaries[n].strong)
            for n, t in before.items()
        }

    # -- expressions

    def _float(self, depth: int) -> tuple[str, bool]:
        """A float expression, and whether it is strong."""
        if depth == 0 or self._maybe(0.15):
            return self._leaf()
        a, strong_a = self._float(depth - 1)
        form = self.random.randint(0, 13)
        if form <= 4:
            b, strong_b = self._float(depth - 1)
            op = ("+", "-", "*", "+", "-")[form]
            return f"({a} {op} {b})", strong_a or strong_b
        if form <= 6:
            b, strong_b = self._divisor(depth - 1)
            return f"({a} {self.random.choice(('/', '/', '//', '%'))} {b})", strong_a or strong_b
        if form == 7:
            return self._power(a, strong_a)
        if form == 8:
            b, strong_b = self._float(depth - 1)
            name = self.random.choice(("min", "max"))
            third = ", 0.5" if self._maybe(0.2) else ""
            return f"{name}({a}, {b}{third})", strong_a and strong_b and not third
        if form == 9:
            b, strong_b = self._float(depth - 1)
            return f"({a} if {self._test(depth - 1)} else {b})", strong_a and strong_b
        if form == 10:
            return f"{self.random.choice(('-', '+', '- -'))}{a}", strong_a
        if form == 11:
            return self._cast(a)
        return self._intrinsic(a, strong_a)

    def _power(self, a: str, strong: bool) -> tuple[str, bool]:
        if not strong:
            return f"abs({a})", False
        if self._maybe(0.6):
            return f"({a}) ** {self.random.choice(('2', '3', '2.0', '-1', '0', '4', '-2'))}", True
        exponent = self.random.choice(("0.5", "1.5", "-0.5", "2.5"))
        return f"pow(abs({a}), {exponent})", True

    def _intrinsic(self, a: str, strong: bool) -> tuple[str, bool]:
        safe = (f"abs({a})", f"sqrt(abs({a}))", f"tanh({a})", f"math.sqrt(abs({a}))",
                f"math.fabs({a})", f"exp(min({a}, 9.0))", f"math.exp(min({a}, 9.0))",
                f"log(abs({a}) + 0.5)", f"np.abs({a})", f"np.sqrt(abs({a}))",
                f"np.maximum({a}, 0.25)", f"np.minimum({a}, 0.25)")  # fmt: skip
        raises_if_weak = (f"floor({a})", f"sqrt({a})", f"sin({a})", f"cos({a})", f"log({a})",
                          f"np.floor({a})", f"tan({a})", f"np.exp({a})")  # fmt: skip
        chosen = self.random.choice((*safe, *raises_if_weak) if strong else safe)
        if chosen.startswith("np."):
            return chosen, True
        return chosen, strong and not chosen.startswith(("math.", "exp(min"))

    def _cast(self, a: str) -> tuple[str, bool]:
        name = self.random.choice(("float", "np.float32", "np.float64"))
        return f"{name}({a})", name != "float"

    def _divisor(self, depth: int) -> tuple[str, bool]:
        ghost = list(self.ghost)
        text, strong = self._float(depth)
        if strong:
            return text, True
        self.ghost = ghost  # what is thrown away reads nothing
        return self.random.choice(("3.0", "0.7", "-2.0", "8.0", "4", "-3")), False

    def _leaf(self) -> tuple[str, bool]:
        if self._maybe(0.6):
            return self._read(), True
        if self._maybe(0.15):
            return f"{self._integer(1)}", False
        return self._plain(0)

    def _plain(self, depth: int) -> tuple[str, bool]:
        """An expression without grids."""
        r = self.random
        if depth:
            a, b = self._plain(depth - 1), self._plain(depth - 1)
            return f"({a[0]} {r.choice('+-*')} {b[0]})", a[1] or b[1]
        numbers = list(self.numbers)
        floats = [n for n, t in self.temporaries.items() if t.kind == "f"]
        choice = r.randint(0, 4)
        if choice == 0 and numbers:
            name = r.choice(numbers)
            return name, isinstance(self.numbers[name], np.floating)
        if choice <= 2 and floats:
            name = r.choice(floats)
            return name, self.temporaries[name].strong
        if choice == 3:
            name = r.choice(
                ("C0", "weight", "W64", "TABLE[1]", "TABLE[-1]", "np.pi", "ONE", "FLAG")
            )
            return name, name in ("weight", "W64")
        return r.choice(_FLOATS), False

    def _read(self) -> str:
        r = self.random
        if self._maybe(0.08):
            written = [line for line in self.lines if f"{self.outputs[0]}[{self.sweep}]" in line]
            if written or self._maybe(0.5):
                return f"{self.outputs[0]}[{self.sweep}]"
        grid, (point, reach) = r.choice(self.inputs), r.choice(list(self.points.items()))
        offset = [0] * self.ndim
        if self._maybe(0.5):
            offset[r.randrange(self.ndim)] = r.choice((-1, 1, 1, -2, 2))
            offset[r.randrange(self.ndim)] = r.choice((-1, 0, 0, 1))
        self.ghost = [
            max(g, far + abs(o)) for g, far, o in zip(self.ghost, reach, offset, strict=True)
        ]
        if not any(offset):
            return f"{grid}[{point}]"
        sign = r.choice(("+", "-"))
        inside = ", ".join(str(o if sign == "+" else -o) for o in offset)
        return f"{grid}[{point} {sign} ({inside}{',' if self.ndim == 1 else ''})]"

    def _integer(self, depth: int) -> str:
        """An int expression of a few hundred at most; divisors are literals."""
        r = self.random
        integers = [n for n, t in self.temporaries.items() if t.kind == "i"]
        if depth == 0:
            if integers and self._maybe(0.4):
                return f"({r.choice(integers)} % 11)"
            return r.choice((str(r.randint(-9, 9)), "STEPS", "COUNTS[1]", "ONE"))
        a = self._integer(depth - 1)
        form = r.randint(0, 5)
        if form <= 2:
            return f"({a} {'+-*'[form]} {self._integer(depth - 1)})"
        if form == 3:
            return f"({a} // {self._digit()})"
        if form == 4:
            return f"({a} % {self._digit()})"
        return f"({a} if {self._test(0)} else {self._integer(depth - 1)})"

    def _digit(self) -> str:
        return self.random.choice(("1", "2", "3", "7", "-2", "-3"))

    def _test(self, depth: int) -> str:
        r = self.random
        a = self._float(min(depth, 1))[0]
        form = r.randint(0, 6) if depth else 0
        if form == 4:
            return a
        b, op = self._float(0)[0], r.choice(("<", "<=", ">", ">=", "==", "!="))
        if form == 1:
            return f"{a} {op} {b} {r.choice(('<', '>='))} {self._float(0)[0]}"
        if form == 2:
            return f"({a} {op} {b} {r.choice(('and', 'or'))} {self._test(depth - 1)})"
        if form == 3:
            return f"not {a} {op} {b}"
        return f"{a} {op} {b}"

    # -- names, text and chance

    def _variable(self) -> list[str]:
        return [n for n in self.temporaries if n not in self.fixed]

    def _number(self) -> Any:
        return self.random.choice(
            (0.3, -1.5, 2, 0, True, 1e3, np.float32(0.1), np.float64(-0.7), np.float64(2.0))
        )

    def _maybe(self, probability: float) -> bool:
        return self.random.random() < probability

    def _line(self, level: int, text: str) -> None:
        self.lines.append("    " * level + text if text else "")
