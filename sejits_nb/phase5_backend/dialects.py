"""C and its relatives as values of one record: the printer has no other knowledge of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..ir.expr import MORE_INTRINSICS


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a C-like language spells types, literals, functions and parallel loops.

    ``types`` maps a dtype's name to a type; ``suffixes`` a float dtype to what its literals end in;
    ``functions`` a PAST function and dtype kind-and-width to a name, default the function's own.
    ``storage`` are the types in memory where they are not those of values.  ``math_suffixes`` are what
    the math functions of the helpers end in; ``nonfinite`` spells NaN and infinity.
    ``team`` starts threads for a block and ``team_for`` shares a loop among them; ``line`` puts an
    array on the boundary of a cache line; ``allocate`` and ``release`` do it for large ones.
    ``address_space`` stands before a pointer's type, ``local`` before that of an array which a
    work-group shares; ``kernel`` heads a function that is launched, and ``work_item`` is where along a
    dimension it runs: in group ``work_group`` as its item ``item_of_group``.
    """

    name: str
    header: tuple[str, ...]
    types: dict[str, str]
    suffixes: dict[str, str]
    restrict: str
    entry: str
    helper: str
    table: str
    functions: dict[tuple[str, str], str] = field(default_factory=dict)
    parallel_for: str = ""
    team: str = ""
    team_for: str = ""
    line: str = ""
    allocate: str = ""
    release: str = ""
    simd: str = ""
    storage: dict[str, str] = field(default_factory=dict)
    math_suffixes: dict[str, str] = field(default_factory=dict)
    nonfinite: str = "{name}"
    address_space: str = ""
    kernel: str = ""
    local: str = ""
    work_item: str = ""
    work_group: str = ""
    item_of_group: str = ""


_C_TYPES = {
    "f32": "float", "f64": "double", "bool": "_Bool",
    **{f"{sign}{bits}": f"{'u' if sign == 'u' else ''}int{bits}_t"
       for sign in "iu" for bits in (8, 16, 32, 64)},
}  # fmt: skip
_MATH = ("sqrt", "exp", "log", "sin", "cos", "tan", "tanh", "floor", "pow", *MORE_INTRINSICS)

C_OPENMP = Dialect(
    name="c",
    header=("#include <math.h>", "#include <stdint.h>"),
    types=_C_TYPES,
    suffixes={"f32": "f", "f64": ""},
    math_suffixes={"f32": "f"},
    restrict="restrict",
    entry="void",
    helper="static inline",
    table="static const",
    functions={(f, "f32"): f"{f}f" for f in _MATH}
    | {("abs", "f32"): "fabsf", ("abs", "f64"): "fabs"},
    parallel_for="#pragma omp parallel for{simd} schedule(static) num_threads({threads})",
    team="#pragma omp parallel num_threads({threads})",
    team_for="#pragma omp for{simd} schedule(static) nowait",
    line="__attribute__((aligned(64)))",
    allocate="aligned_alloc(64, {bytes})",
    release="free({name});",
    simd="#pragma omp simd",
)

OPENCL = Dialect(
    name="opencl",
    header=(
        "#pragma OPENCL EXTENSION cl_khr_fp64 : enable",
        "#ifdef EXACT",
        "#pragma OPENCL FP_CONTRACT OFF",
        "#endif",
    ),
    types={
        "f32": "float", "f64": "double", "bool": "bool",
        "i8": "char", "i16": "short", "i32": "int", "i64": "long",
        "u8": "uchar", "u16": "ushort", "u32": "uint", "u64": "ulong",
    },
    storage={"bool": "uchar"},  # the language has no pointers to bool
    suffixes={"f32": "f", "f64": ""},
    restrict="restrict",
    entry="void",
    helper="static inline",
    table="__constant",
    functions={("abs", "f32"): "fabs", ("abs", "f64"): "fabs"},
    nonfinite="({type}){name}",  # the macros are floats, which an overloaded function would tell apart
    address_space="__global ",
    kernel="__kernel __attribute__((reqd_work_group_size({sizes})))",
    local="__local ",
    work_item="get_global_id({dimension})",
    work_group="get_group_id({dimension})",
    item_of_group="get_local_id({dimension})",
)  # fmt: skip
