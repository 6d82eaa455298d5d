"""Calls of a stencil: binding arguments, allocating outputs, and the signature that results."""

from __future__ import annotations

import ast
from array import array as buffer
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...contracts import BoundCall, Interface
from ...errors import ArgumentError, Diagnostic, did_you_mean
from ...ir.dtypes import F64, from_numpy, of_value
from ...machine.placement import zeros_like
from ...stages import ArrayType, KernelSource, ScalarType, Signature
from .interface import inlined
from .rules import CALL_RULES

_MOST_AXES = 4
_OVERLAP_EFFORT = 10_000
_SAMPLE_SHAPES = {1: (65_536,), 2: (256, 256), 3: (64, 64, 64), 4: (24, 24, 24, 24)}


def bind(interface: Interface, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> BoundCall:
    """Arguments by name, as a Python function binds them: all parameters, or all but the outputs.

    Missing outputs are allocated: shape and dtype of the first grid argument, zeros.
    Lists, tuples and ``array.array`` are copied.  Raises :class:`ArgumentError`.
    """
    given = _match(interface, interface.params, args, kwargs)
    if given is None or not all(map(_is_array, (given[o] for o in interface.outputs))):
        inputs = tuple(p for p in interface.params if p not in interface.outputs)
        shorter = _match(interface, inputs, args, kwargs)
        _refuse_copied_outputs(interface, given or {}, shorter)
        if shorter is None:
            raise _misfit(interface, args, kwargs)
        given = shorter
    grids = [p for p in interface.grids if p in given]
    values: dict[str, Any] = dict(given)
    for name, value in given.items():
        values[name] = (
            _array(name, value, name in interface.outputs)
            if name in grids
            else _scalar(name, value)
        )
    missing = tuple(o for o in interface.outputs if o not in given)
    shaped = [p for p in (*grids, *given) if isinstance(values[p], np.ndarray)]
    if missing and not shaped:
        raise _error(
            "A001",
            f"{missing[0]!r} cannot be allocated: there is no grid argument",
            "an output takes the first grid argument's shape",
            f"pass {missing[0]}",
        )
    for number, name in enumerate(missing):
        values[name] = zeros_like(values[shaped[0]], number)
    ordered = {p: values[p] for p in interface.params}
    _check(interface, ordered, missing)
    copied = tuple((n, kind) for n in grids if (kind := _copied(given[n])))
    return BoundCall(ordered, missing, shaped[0] if missing else "", zeros_like, copied=copied)


def _refuse_copied_outputs(
    interface: Interface, given: Mapping[str, Any], shorter: Mapping[str, Any] | None
) -> None:
    """A020 for what must be copied in the place of an output, unless it can be meant as an input."""
    numbers = {*interface.params} - {*interface.grids}
    meant = shorter is not None and not any(_copied(shorter[p]) for p in numbers)
    for name in () if meant else (o for o in interface.outputs if o in given):
        value = given[name]
        foreign = hasattr(value, "__array__") and not isinstance(value, np.ndarray | np.generic)
        if kind := _copied(value) or (f"a {type(value).__name__}" if foreign else ""):
            raise _error("A020", f"the output {name!r} is {kind}", CALL_RULES["A020"].why,
                         f"pass a NumPy array, or leave out {name}")  # fmt: skip


def _copied(value: Any) -> str:
    """What *value* is, if a grid's values come from it by copying and cannot go back."""
    kinds = {list: "a list", tuple: "a tuple", buffer: "an array.array"}
    return next((text for kind, text in kinds.items() if isinstance(value, kind)), "")


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.ndim > 0


def signature_of(interface: Interface, values: Mapping[str, Any]) -> Signature:
    """The signature of bound values; strides are counted in elements."""
    kinds: list[tuple[str, ArrayType | ScalarType]] = []
    for name in interface.params:
        value = values[name]
        if isinstance(value, np.ndarray):
            dtype = from_numpy(value.dtype) or F64
            strides = tuple(s // value.itemsize for s in value.strides)
            kinds.append((name, ArrayType(dtype, value.shape, strides)))
        else:
            kinds.append((name, ScalarType(of_value(value) or F64)))
    return Signature(tuple(kinds))


def sample(source: KernelSource, interface: Interface) -> tuple[Any, ...]:
    """Arguments to show a kernel on: smooth positive grids of a cache-sized shape, 0.1 for scalars.

    The number of axes is that of the first literal offset in the text, two if there is none.
    """
    lengths = [len(n.right.elts) for n in ast.walk(inlined(source).function)
               if isinstance(n, ast.BinOp) and isinstance(n.right, ast.Tuple)]  # fmt: skip
    match dict(source.settings).get("neighbor_definition"):
        case (((*offset,), *_), *_):
            lengths.append(len(offset))
    shape = _SAMPLE_SHAPES.get([*lengths, 2][0], _SAMPLE_SHAPES[2])
    generator = np.random.default_rng(2011)
    defaults = dict(interface.defaults)
    return tuple(
        generator.uniform(0.5, 1.5, shape) if p in interface.grids else defaults.get(p, 0.1)
        for p in interface.params
        if p not in interface.outputs
    )


def _match(
    interface: Interface, params: tuple[str, ...], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> dict[str, Any] | None:
    """*args* and *kwargs* bound to *params* with the kernel's defaults, or ``None``."""
    defaults = dict(interface.defaults)
    known = {p: defaults[p] for p in params if p in defaults}
    if len(args) > len(params) or kwargs.keys() - set(params[len(args) :]):
        return None
    bound = known | dict(zip(params, args, strict=False)) | dict(kwargs)
    return {p: bound[p] for p in params} if len(bound) == len(params) else None


def _misfit(
    interface: Interface, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> ArgumentError:
    inputs = [p for p in interface.params if p not in interface.outputs]
    unknown = sorted(kwargs.keys() - set(interface.params))
    if unknown:
        what = f"unknown keyword {unknown[0]!r}: {did_you_mean(unknown[0], interface.params)}"
    else:
        count = len(args) + len(kwargs)
        what = f"{count} argument{'s' if count != 1 else ''} given"
    return _error(
        "A001",
        what,
        f"the kernel takes ({', '.join(interface.params)})",
        f"kernel({', '.join(inputs)}), or all parameters",
    )


def _array(name: str, value: Any, output: bool) -> np.ndarray[Any, Any]:
    try:
        array = np.array(value) if _copied(value) else np.asarray(value)
    except (TypeError, ValueError) as error:
        raise _error("A003", f"{name!r} is no array: {error}", "", "pass a NumPy array") from None
    if isinstance(value, np.ndarray) and type(value) is not np.ndarray and np.ma.is_masked(value):
        raise _error("A003", f"{name!r} has masked values", "a kernel would read what the mask hides",
                     f"{name}.filled(0.0)")  # fmt: skip
    if array.ndim == 0 or array.ndim > _MOST_AXES:
        raise _error("A006", f"{name!r} has {array.ndim} axes", f"grids have 1 to {_MOST_AXES} axes",
                     "reshape it, or pass a slice")  # fmt: skip
    if from_numpy(array.dtype) is None:
        why = CALL_RULES["A003"].why
        raise _error("A003", f"{name!r} has dtype {array.dtype}", why, f"{name}.astype('float64')")
    if not any(s % array.itemsize for s in array.strides) and array.flags.aligned:
        return array
    if output:
        what = f"the output {name!r} is not aligned to its {array.dtype} elements"
        raise _error("A009", what, CALL_RULES["A009"].why, f"leave out {name}, or pass a copy")
    return array.copy()


def _scalar(name: str, value: Any) -> Any:
    plain = value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value
    if isinstance(plain, np.ndarray):
        return plain  # the front end says where the kernel uses it as a number, if it does
    dtype = of_value(plain)
    if dtype is None or (dtype.name == "py_int" and not -(2**63) <= plain < 2**63):
        raise _error("A007", f"{name!r} is {plain!r:.40}, not a number that compiled code holds",
                     "scalar parameters are ints (64 bits), floats and bools",
                     f"float({name})")  # fmt: skip
    return plain


def _check(interface: Interface, values: Mapping[str, Any], fresh: tuple[str, ...]) -> None:
    """Shapes agree, passed outputs are writable and share no memory with another array."""
    arrays = {n: values[n] for n in interface.grids}
    shapes = {n: a.shape for n, a in arrays.items()}
    if len(set(shapes.values())) > 1:
        shown = ", ".join(f"{n}{list(s)}" for n, s in shapes.items())
        raise _error(
            "A002",
            f"the grids differ in shape: {shown}",
            "a sweep visits the same points in all of them",
            "pass grids of one shape",
        )
    for out in (o for o in interface.outputs if o not in fresh):
        if not arrays[out].flags.writeable:
            raise _error("A005", f"the output {out!r} is read-only", "the kernel writes to it",
                         f"pass a copy: {out}.copy()")  # fmt: skip
        if _overlaps_itself(arrays[out]):
            raise _error("A004", f"elements of the output {out!r} share memory",
                         "each point is written once, in any order", f"pass {out}.copy()")  # fmt: skip
        for name, other in arrays.items():
            if name != out and _overlap(arrays[out], other):
                raise _error("A004", f"the output {out!r} overlaps {name!r}",
                             "points are computed in any order, so a written value could be read",
                             f"pass another array for {out}, or leave it out")  # fmt: skip


def _overlaps_itself(array: np.ndarray[Any, Any]) -> bool:
    """Whether two elements may share memory (``as_strided``, a broadcast)."""
    covered = array.itemsize
    for stride, length in sorted(
        (abs(s), n) for s, n in zip(array.strides, array.shape, strict=True)
    ):
        if length > 1 and stride < covered:
            return array.size > 0
        covered += stride * (length - 1)
    return False


def _overlap(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> bool:
    if not np.may_share_memory(a, b):
        return False
    try:
        return bool(np.shares_memory(a, b, max_work=_OVERLAP_EFFORT))  # type: ignore[arg-type]
    except np.exceptions.TooHardError:
        return True


def _error(code: str, message: str, why: str, try_: str) -> ArgumentError:
    assert code in CALL_RULES
    return ArgumentError(Diagnostic(code, message, why, try_))
