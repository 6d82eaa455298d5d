"""Random programs of the mixture language, as source text.

    kernel  ::= def NAME(EVENTS, MIXTURE, parameter*): number* sum* E-step M-step
                [MIXTURE.covariance[:] = square] [MIXTURE.converged = condition]
    E-step  ::= for n in EVENTS.events(): [number*] for k in MIXTURE.components(): pair*  softmax
    pair    ::= local = real | local = vector | MIXTURE.NAME[n, k] = real
    M-step  ::= for k in MIXTURE.components(): (column | scalar | vector | square | store | sum)*

Functions are kept away from their poles, and a joint density within 30 of zero: what rounding does to
a result is then bounded by what it does to the data.  Expressions of each kind are written by a method
of that name; *depth* says how many more may stand inside.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any

import numpy as np
from hypothesis import strategies as st

COVARIANCES = ("full", "diag", "tied", "spherical")
_NUMBERS = ("0.5", "2.0", "1.5", "0.1", "-0.75", "3.0", "1e-3", "HALF", "THREE", "SINGLE")
_CONSTANTS: dict[str, Any] = {"HALF": 0.5, "THREE": 3, "SINGLE": np.float32(0.1)}
_HELPERS = """
def tail(q, nu=3.0):
    return 0.5 * (nu + HALF) * log(1.0 + abs(q) / nu)


def away(e, m, c):
    d = e - m
    return d @ inverse(c) @ d


def shrunk(total, value, prior):
    share = abs(total) / (abs(total) + THREE)
    return share * value + (1.0 - share) * prior


"""
_LOCALS = ("acc", "i", "j", "d", "q", "out", "weight", "partial", "lane", "logits", "δ", "t_1",
           "double", "moments", "register", "spread", "features", "sums")  # fmt: skip
_PAIRS = ("scale", "distance", "u", "mean_", "static")


@dataclass(frozen=True)
class MixtureProgram:
    """A generated EM iteration; ``constants`` belong into its module's namespace, ``numbers`` to its
    calls."""

    name: str
    text: str
    covariance: str
    components: int
    dimension: int
    constants: dict[str, Any]
    numbers: dict[str, float]


@dataclass
class _Known:
    """Names in scope by the kind of their value."""

    names: dict[str, list[str]] = field(default_factory=dict)

    def of(self, kind: str) -> list[str]:
        return self.names.setdefault(kind, [])


def mixture_programs() -> st.SearchStrategy[MixtureProgram]:
    """Programs for any covariance, of 1 to 6 components and 1 to 5 dimensions."""
    return st.randoms(use_true_random=False).map(lambda random: _Writer(random).program())


class _Writer:
    def __init__(self, random: Random) -> None:
        self.random = random
        self.covariance = random.choice(COVARIANCES)
        self.components, self.dimension = random.randint(1, 6), random.randint(1, 5)
        self.x, self.mix = (
            random.choice(("x", "data", "grid")),
            random.choice(("mix", "m", "model")),
        )
        self.n, self.k = random.choice(("n", "lane", "event")), random.choice(("k", "c", "part"))
        roles = {self.x, self.mix, self.n, self.k}
        self.free = [name for name in random.sample(_LOCALS, len(_LOCALS)) if name not in roles]
        self.pairs: list[str] = []
        self.known = _Known()
        self.lines: list[str] = []
        self.estep = True

    def program(self) -> MixtureProgram:
        r, name = self.random, self.random.choice(("em", "gmm", "main", "kernel"))
        numbers = {
            self.free.pop(): r.choice((0.5, 2.0, 1.25, -0.75, 3)) for _ in range(r.randint(0, 2))
        }
        given = {n: v for n, v in numbers.items() if self._maybe(0.7)}
        taken = [*given, *(f"{n}={v}" for n, v in numbers.items() if n not in given)]
        self.known.of("number").extend(numbers)
        self.lines = [f"def {name}({', '.join((self.x, self.mix, *taken))}):"]
        for _ in range(r.randint(0, 2)):
            self._let(1, "number", self._number())
        sums = [self.free.pop() for _ in range(r.randint(0, 2))]
        if self.covariance == "tied":
            sums.append(self.free.pop())
        for name_of_sum in sums:
            self._line(1, f"{name_of_sum} = {r.choice(('0.0', '0'))}")
        before = {kind: [*names] for kind, names in self.known.names.items()}
        self._write_estep()
        self.known, self.estep = _Known(before), False
        self._write_mstep(sums)
        if self._maybe(0.4):
            self._line(1, f"{self.mix}.converged = {self._condition(2, sums)}")
        text = _HELPERS + "\n".join(self.lines) + "\n"
        return MixtureProgram(name, text, self.covariance, self.components, self.dimension,
                              _CONSTANTS | self._tables(), given)  # fmt: skip

    def _tables(self) -> dict[str, Any]:
        """A vector of positive numbers, and a matrix that is positive definite."""
        generator = np.random.default_rng(self.random.randrange(2**32))
        half = generator.normal(size=(self.dimension, self.dimension)) * 0.2
        vector = generator.uniform(0.5, 1.5, self.dimension)
        return {"PRIOR": self.random.choice((vector, vector.tolist())),
                "SPREAD": np.eye(self.dimension) + half @ half.T}  # fmt: skip

    # -- the steps

    def _write_estep(self) -> None:
        r, mix, at = self.random, self.mix, f"[{self.n}, {self.k}]"
        self._line(1, f"for {self.n} in {self.x}.events():")
        self._line(2, f"for {self.k} in {mix}.components():")
        for _ in range(r.randint(0, 4)):
            if self._maybe(0.2):
                self._let(3, "steady", f"0.5 + abs({self._steady()})")
            elif self._maybe(0.3):
                self._let(3, "away", r.choice((self._difference(), f"-({self._difference()})")))
            elif self._maybe(0.4) and len(self.pairs) < 3:
                pair = r.choice([p for p in _PAIRS if p not in self.pairs])
                self._line(3, f"{mix}.{pair}{at} = 1.0 / (0.5 + abs({self.scalar(2)}))")
                self.pairs.append(pair)
            else:
                self._let(3, "scalar", self.scalar(3))
        base = r.choice((self._log_normal(), f"-0.5 * {self._distance()}", self.scalar(3)))
        self._line(
            3, f"{mix}.joint{at} = log({mix}.weight[{self.k}]) + min(max({base}, -30.0), 30.0)"
        )
        self._line(2, f"{mix}.responsibility[{self.n}] = softmax({mix}.joint[{self.n}])")

    def _write_mstep(self, sums: list[str]) -> None:
        r, mix, k = self.random, self.mix, self.k
        self._line(1, f"for {k} in {mix}.components():")
        self._let(2, "positive", f"{mix}.responsibility[:, {k}]")
        shared = sums[-1] if self.covariance == "tied" else ""
        todo: list[Callable[[], object]] = [
            *(partial(self._add, s, "scalar") for s in sums if s != shared),
            partial(self._store, "weight", self.scalar), partial(self._store, "mean", self.vector),
            partial(self._add, shared, "square") if shared else (
                partial(self._store, "covariance", self.square)),
        ]  # fmt: skip
        kinds = ("column", "positive", "scalar", "vector", "square")
        todo += [partial(self._local, kind) for kind in r.choices(kinds, k=r.randint(0, 4))]
        r.shuffle(todo)
        for one in todo:
            one()
        if shared:
            others = [f"(1.0 + abs({s}))" for s in sums if s != shared]
            scaled = f" / {r.choice(others)}" if others and self._maybe(0.6) else ""
            self._line(1, f"{mix}.covariance[:] = {shared}{scaled} + 0.1 * eye")

    def _store(self, name: str, kind: Callable[[int], str]) -> None:
        if self._maybe(0.9):
            self._line(2, f"{self.mix}.{name}[{self.k}] = {kind(3)}")

    def _local(self, kind: str) -> None:
        self._let(2, kind, getattr(self, kind)(2))

    def _add(self, name: str, kind: str) -> None:
        value = getattr(self, kind)(2)
        text = (f"{name} = {name} + {value}", f"{name} += {value}", f"{name} = {value} + {name}")
        self._line(2, self.random.choice(text))

    def _condition(self, depth: int, sums: list[str]) -> str:
        r, mix = self.random, self.mix
        if depth and self._maybe(0.5):
            a, b = (self._condition(depth - 1, sums) for _ in range(2))
            return r.choice((f"({a} and {b})", f"({a} or {b})", f"not {a}"))
        numbers = [*self.known.of("number"), self._number(), f"0.1 * len({self.x})"]
        change = f"abs({mix}.log_likelihood - {mix}.previous_log_likelihood)"
        scalars = sums[: len(sums) - (self.covariance == "tied")]
        values = (
            change,
            f"{mix}.log_likelihood",
            f"{mix}.iteration",
            *(f"abs({s})" for s in scalars),
        )
        sign = r.choice(("<", ">", "<=", ">="))
        return f"({r.choice(values)} {sign} {r.choice(numbers)})"

    # -- expressions of the E-step

    def _difference(self) -> str:
        return f"{self.x}[{self.n}] - {self._centre()}"

    def _centre(self) -> str:
        mean = f"{self.mix}.mean[{self.k}]"
        scaled = [f"({mean} / {s})" for s in self.known.of("steady")]
        return self.random.choice((mean, mean, f"(0.5 * {mean})", f"({mean} + PRIOR)", *scaled))

    def _steady(self) -> str:
        """A number that is the same for all events."""
        known = [*self.known.of("steady"), *self.known.of("number")]
        return self.random.choice((f"{self.mix}.weight[{self.k}]", f"0.1 * log_det({self._spread()})",
                                   f"{self.x}.dimension", *known))  # fmt: skip

    def _spread(self) -> str:
        """A covariance, or one that is as good."""
        c = f"{self.mix}.covariance[{self.k}]"
        table = {"diag": "", "spherical": "HALF"}.get(self.covariance, "SPREAD")
        more = [f"({s} * {c})" for s in self.known.of("steady")]
        more += [f"({c} + {table})"] if table else []
        return self.random.choice((c, c, f"(2.0 * {c})", f"({c} + 0.5 * eye)", *more))

    def _distance(self) -> str:
        r, c = self.random, self._spread()
        d = r.choice(self.known.of("away")) if self.known.of("away") else f"({self._difference()})"
        event = f"{self.x}[{self.n}]"
        forms = [
            f"mahalanobis({event}, {self._centre()}, {c})", f"({d} @ inverse({c}) @ {d})",
            f"({d} @ solve({c}, {d}))", f"away({event}, {self._centre()}, {c})", f"({d} @ {d})",
            f"sum({d} ** 2)",
        ]  # fmt: skip
        if self.covariance == "diag":
            forms.append(f"sum({d} ** 2 / {c})")
        return r.choice(forms)

    def _log_normal(self) -> str:
        return f"log_normal({self.x}[{self.n}], {self._centre()}, {self._spread()})"

    def _pair(self) -> str:
        """A number of an event and a component."""
        choices = [self._distance(), self._log_normal(), f"log_det({self._spread()})",
                   f"{self.mix}.weight[{self.k}]", f"tail({self._distance()})"]  # fmt: skip
        choices += [f"{self.mix}.{p}[{self.n}, {self.k}]" for p in self.pairs]
        if self.covariance == "diag":
            choices.append(f"sum(log({self._spread()}))")
        return self.random.choice(choices)

    # -- expressions of the M-step

    def positive(self, depth: int) -> str:
        """A column whose sum is above zero."""
        r, known = self.random, self.known.of("positive")
        pairs = [f"{self.mix}.{p}[:, {self.k}]" for p in self.pairs]
        if depth == 0 or self._maybe(0.3):
            return r.choice((*known, f"{self.mix}.responsibility[:, {self.k}]"))
        a, b = self.positive(depth - 1), r.choice((*pairs, self.positive(0)))
        return r.choice((f"({a} * {b})", f"(0.5 * {a})", f"({a} + {b})", f"sqrt({a})",
                         f"({a} * exp(-{b}))", f"({a} / (1.0 + {b}))", f"{a} ** 2"))  # fmt: skip

    def column(self, depth: int) -> str:
        a, b = self.positive(depth), self.positive(max(0, depth - 1))
        return self.random.choice((f"({a} - {b})", f"-{a}", f"({a} * ({b} - 0.25))"))

    def _sum(self, depth: int) -> str:
        known = self.known.of("column")
        w = self.random.choice((self.positive(depth), self.column(depth), *known))
        return f"{self.random.choice(('sum', 'mean'))}({w})"

    def vector(self, depth: int) -> str:
        """[D]."""
        r, mix, k = self.random, self.mix, self.k
        if depth == 0 or self._maybe(0.35):
            mean = f"{mix}.mean[{k}]"
            leaves = [f"average({self.x}, {self.positive(1)})", mean, f"({mean} + PRIOR)"]
            leaves += self.known.of("vector")
            if self.covariance == "diag":
                leaves.append(f"{mix}.covariance[{k}]")
            return r.choice(leaves)
        return self._elementwise(self.vector, depth)

    def square(self, depth: int) -> str:
        """In the shape of a covariance."""
        if self.covariance == "spherical" and self._maybe(0.3):
            return self.scalar(depth)
        r, mix, k = self.random, self.mix, self.k
        if depth == 0 or self._maybe(0.35):
            centre, w = self.vector(max(0, depth - 1)), self.positive(1)
            scatter = f"scatter({self.x}, {centre}, {w})"
            leaves = [scatter, f"mean({w}) * {scatter}", f"{mix}.covariance[{k}]", "0.3 * eye",
                      f"outer({centre}, {self.vector(0)})", *self.known.of("square")]  # fmt: skip
            if self.covariance in ("full", "tied"):
                leaves.append("SPREAD")
            return f"({r.choice(leaves)})"
        return self._elementwise(self.square, depth)

    def _elementwise(self, kind: Callable[[int], str], depth: int) -> str:
        r, a, b = self.random, kind(depth - 1), kind(depth - 1)
        s = self.scalar(1)
        return r.choice((
            f"({a} + {b})", f"({a} - {b})", f"({a} / (1.0 + abs({s})))", f"(0.5 * {a})", f"-{a}",
            f"({a} * exp(-abs({s})))", f"({a} if {s} > 0.37 else {b})", f"abs({a})",
            f"shrunk({s}, {a}, {b})", f"exp(-abs({a}))",
        ))  # fmt: skip

    # -- of both

    def scalar(self, depth: int) -> str:
        """A number."""
        r = self.random
        if depth == 0 or self._maybe(0.25):
            return self._scalar_leaf()
        a, b, c = (self.scalar(depth - 1) for _ in range(3))
        return r.choice((
            f"({a} + {b})", f"({a} - {b})", f"({a} * exp(-abs({b})))", f"({a} / (1.0 + abs({b})))",
            f"sqrt(1.0 + abs({a}))", f"log(1.0 + abs({a}))", f"min({a}, {b})", f"max({a}, {b}, 0.3)",
            f"abs({a})", f"-{a}", f"({a} if {c} > 0.37 else {b})", f"0.1 * ({a}) ** 2",
            f"(1.0 + abs({a})) ** 0.5", f"({a} if {b} < 0.81 or not {c} >= -0.4 else 1.5)",
        ))  # fmt: skip

    def _scalar_leaf(self) -> str:
        r = self.random
        known = [name for kind in ("scalar", "steady", "number") for name in self.known.of(kind)]
        sizes = [f"{self.x}.dimension", f"len({self.mix}.components())"]
        if self.estep:
            return r.choice((self._pair(), self._pair(), *known, r.choice(sizes), self._number()))
        away = f"({self.vector(0)} @ {self.vector(0)})"
        weight = f"{self.mix}.weight[{self.k}]"
        return r.choice((self._sum(1), self._sum(1), weight, away, *known,
                         f"(len({self.x}) * 0.01)", r.choice(sizes), self._number()))  # fmt: skip

    def _number(self) -> str:
        return self.random.choice(_NUMBERS)

    def _let(self, indent: int, kind: str, value: str) -> None:
        if self.free:
            name = self.free.pop()
            self._line(indent, f"{name} = {value}")
            self.known.of(kind).append(name)

    def _line(self, indent: int, text: str) -> None:
        self.lines.append("    " * indent + text)

    def _maybe(self, share: float) -> bool:
        return self.random.random() < share
