"""C and its relatives as values of one record: the printer has no other knowledge of them."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a C-like language spells types, literals, functions and parallel loops.

    ``types`` maps a dtype's name to a type; ``suffixes`` a float dtype to what its literals end in;
    ``functions`` a PAST function and dtype kind-and-width to a name, default the function's own.
    """

    name: str
    header: tuple[str, ...]
    types: dict[str, str]
    suffixes: dict[str, str]
    restrict: str
    entry: str
    helper: str
    functions: dict[tuple[str, str], str] = field(default_factory=dict)
    parallel_for: str = ""
    simd: str = ""


_C_TYPES = {
    "f32": "float", "f64": "double", "bool": "uint8_t",
    **{f"{sign}{bits}": f"{'u' if sign == 'u' else ''}int{bits}_t"
       for sign in "iu" for bits in (8, 16, 32, 64)},
}  # fmt: skip
_MATH = ("sqrt", "exp", "log", "sin", "cos", "tan", "tanh", "floor", "pow")

C_OPENMP = Dialect(
    name="c",
    header=("#include <math.h>", "#include <stdint.h>"),
    types=_C_TYPES,
    suffixes={"f32": "f", "f64": ""},
    restrict="restrict",
    entry="void",
    helper="static inline",
    functions={(f, "f32"): f"{f}f" for f in _MATH}
    | {("abs", "f32"): "fabsf", ("abs", "f64"): "fabs"},
    parallel_for="#pragma omp parallel for{simd} schedule(static) num_threads({threads})",
    simd="#pragma omp simd",
)
