"""Calls of an EM iteration: events and mixture become the arrays of the native function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from ...contracts import BoundCall, Interface
from ...errors import ArgumentError, Diagnostic, GmmError
from ...ir.dtypes import F64, I64, from_numpy
from ...stages import ArrayType, KernelSource, ScalarType, Signature
from .interface import E_STEP, M_STEP, GmmInterface, number_key, read_interface
from .kinds import moment_count, weight_columns
from .mixture import Array, Mixture
from .py_to_dast import read
from .rules import CALL_RULES
from .samples import started, three_clusters


@lru_cache(maxsize=256)
def interface_of(source: KernelSource) -> GmmInterface:
    """What a call has to know of *source*: its sums over the events, whether it has a stopping rule."""
    found = read_interface(source)
    try:
        gmm = read(source)[0]
    except GmmError:
        return found
    return found.having(max(1, len(weight_columns(gmm.mstep))), gmm.stop is not None)


def bind(interface: Interface, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> BoundCall:
    """``kernel(X, mix)``: one whole iteration over the rows of X, in the mixture's own arrays.

    X is float32, or becomes float64.  The call returns the log-likelihood, a float, of the mixture as
    it was.  Raises :class:`ArgumentError` (A010 to A016), with the mixture as it was.
    """
    assert isinstance(interface, GmmInterface)
    x, mixture, numbers = arguments_of(interface, args, kwargs)
    events = events_of(x, interface.params[0])
    check_call(interface, events, mixture)
    values = native_values(
        interface, events, mixture.arrays(), E_STEP | M_STEP, numbers=numbers,
        history=np.array(mixture.history),
    )  # fmt: skip
    before = mixture.copy().arrays()

    def finite(values: Mapping[str, Any]) -> float:
        found = answer(values)
        if np.isfinite(found) and all(np.isfinite(values[name]).all() for name in before):
            mixture.advance(found, interface.stops and bool(values["converged"][0]))
            return found
        for name, array in before.items():
            values[name][...] = array
        raise not_finite(interface, events, before)

    return BoundCall(values, answer=finite)


def native_values(
    interface: GmmInterface, events: Array, parameters: Mapping[str, Array], steps: int,
    rows: int = 0, numbers: Mapping[str, float] = {}, history: Array | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The arguments of the native function: *parameters* are updated in place; *rows* (all events, or
    0) get responsibilities and log-likelihoods; *numbers* are those that the cell takes, by name;
    *history* is what a stopping rule knows of iterations before (none)."""
    k, d = parameters["mean"].shape
    room = moment_count(interface.columns, k, d, interface.covariance)
    made = {
        "x": events, **parameters, "moments": np.zeros(room),
        "responsibility": np.zeros((rows, k), events.dtype),
        "log_prob": np.zeros(rows, events.dtype), "log_likelihood": np.zeros(1),
        "status": np.zeros(1, np.int64), "steps": steps, "count": len(events),
        "history": np.array([-np.inf, 0.0]) if history is None else history,
        "converged": np.zeros(1, np.int64),
        **{number_key(name): numbers[name] for name in interface.numbers},
    }  # fmt: skip
    return {name: made[name] for name in interface.native}


def numbers_in(interface: GmmInterface, values: Mapping[str, Any]) -> dict[str, float]:
    """The number parameters among native values."""
    return {name: values[number_key(name)] for name in interface.numbers}


def signature_of(interface: Interface, values: Mapping[str, Any]) -> Signature:
    """The signature of bound values: the native function's parameters in order.

    It has ``count`` events: where they are more than ``x`` holds, those stand for all of them.
    """
    assert isinstance(interface, GmmInterface)
    kinds: list[tuple[str, ArrayType | ScalarType]] = []
    for name in interface.native:
        value = values[name]
        if isinstance(value, np.ndarray):
            strides = tuple(s // value.itemsize for s in value.strides)
            shape = (values["count"], *value.shape[1:]) if name == "x" else value.shape
            kind = ArrayType(from_numpy(value.dtype) or F64, shape, strides)
            kinds.append((name, kind))
        else:
            kinds.append((name, ScalarType(F64 if isinstance(value, float) else I64)))
    return Signature(tuple(kinds))


def code_signature(signature: Signature) -> Signature:
    """That of calls with as many digits in their number of events: what is remembered of one holds for
    all, as published; the code itself takes any number."""
    kinds = dict(signature.args)
    x = kinds["x"]
    assert isinstance(x, ArrayType)
    digits = 10 ** (len(str(x.shape[0])) - 1)
    kinds["x"] = replace(x, shape=(digits, *x.shape[1:]))
    for name in ("responsibility", "log_prob"):
        rows = kinds[name]
        assert isinstance(rows, ArrayType)
        strides = (0,) * len(rows.shape)
        kinds[name] = replace(rows, shape=(0, *rows.shape[1:]), strides=strides)
    return Signature(tuple(kinds.items()))


def sample(source: KernelSource, interface: Interface) -> tuple[Any, ...]:
    """Three clusters of 600 events, and a mixture that starts from them; in as many dimensions as the
    arrays have that the kernel captures, else in two.  Numbers without a default are 0.1."""
    assert isinstance(interface, GmmInterface)
    lengths = [len(v) for _, v in source.captured if isinstance(v, tuple)]
    x = three_clusters(dimension=(*lengths, 2)[0])
    numbers = (dict(interface.defaults).get(name, 0.1) for name in interface.numbers)
    return x, started(x, interface.components or 3, interface.covariance), *numbers


def completed(
    interface: Interface, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
    """``--on X``: where no mixture is named, one that starts from the events."""
    assert isinstance(interface, GmmInterface)
    x, mixture = interface.params[:2]
    if len(args) > 1 or mixture in kwargs or not (args or x in kwargs):
        return args, kwargs
    events = events_of(args[0] if args else kwargs[x], x)
    made = started(events, interface.components or 3, interface.covariance)
    return args, {**kwargs, mixture: made}


def examples(
    interface: Interface, signature: Signature, scalars: Mapping[str, Any]
) -> dict[str, str]:
    """Expressions for events and a mixture like those of *signature*, and for the call's numbers."""
    assert isinstance(interface, GmmInterface)
    x, mean = signature["x"], signature["mean"]
    assert isinstance(x, ArrayType) and isinstance(mean, ArrayType)
    k, d = mean.shape
    events = f'rng.standard_normal({x.shape}).astype("{x.dtype.numpy.name}")'
    means = f"rng.standard_normal({mean.shape})"
    mixture = f"sejits_nb.Mixture({k}, {d}, {interface.covariance!r}, mean={means})"
    numbers = (repr(number) for number in numbers_in(interface, scalars).values())
    return dict(zip(interface.params, (events, mixture, *numbers), strict=True))


def events_of(x: Any, name: str = "x") -> Array:
    """*x* as a C-ordered table of float32 or float64; raises :class:`ArgumentError` (A012, A013)."""
    try:
        given = np.asarray(x)
    except ValueError:
        raise _error("A012", f"{name!r} is no table: its rows are not alike", CALL_RULES["A012"].why,
                     f"np.concatenate({name}) of blocks of rows") from None  # fmt: skip
    if isinstance(x, np.ma.MaskedArray) and np.ma.is_masked(x):
        raise _error("A013", f"{name!r} has masked values", "densities need every coordinate",
                     f"{name}[~{name}.mask.any(axis=1)]")  # fmt: skip
    if given.dtype.kind not in "biufO":
        raise _error("A013", f"{name!r} has dtype {given.dtype}", CALL_RULES["A013"].why,
                     f"{name}.astype('float64')")  # fmt: skip
    if given.ndim != 2:
        shape = f"{given.ndim} {'axis' if given.ndim == 1 else 'axes'}"
        try_ = f"{name}[:, None], or {name}[None, :]" if given.ndim == 1 else "an array [N, D]"
        raise _error("A012", f"{name!r} has {shape}, not 2", CALL_RULES["A012"].why, try_)
    if 0 in given.shape:
        raise _error("A012", f"{name!r} has {given.shape[0]} events of {given.shape[1]} dimensions",
                     CALL_RULES["A012"].why, "pass at least one event")  # fmt: skip
    single = given.dtype == np.float32
    try:
        return np.ascontiguousarray(given, np.float32 if single else np.float64)
    except (TypeError, ValueError) as problem:
        raise _error("A013", f"{name!r} holds no numbers: {problem}", CALL_RULES["A013"].why,
                     "np.array(rows, dtype='float64')") from None  # fmt: skip


def arguments_of(
    interface: GmmInterface, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> tuple[Any, Any, dict[str, float]]:
    """Events, mixture and numbers, as Python binds them to the function's parameters; raises
    :class:`ArgumentError` (A010, A016)."""
    params, defaults = interface.params, dict(interface.defaults)
    bound = defaults | dict(zip(params, args, strict=False)) | dict(kwargs)
    named_twice = kwargs.keys() & set(params[: len(args)])
    if len(args) > len(params) or named_twice or bound.keys() != set(params):
        given = [*(f"argument {n}" for n in range(1, len(args) + 1)), *(f"{k}=" for k in kwargs)]
        what = (
            f"the kernel takes ({', '.join(params)}), and was given {', '.join(given) or 'nothing'}"
        )
        needed = ", ".join(p for p in params if p not in defaults)
        raise _error("A010", what, CALL_RULES["A010"].why, f"kernel({needed})")
    x, mixture = (bound[p] for p in params[:2])
    return x, mixture, {name: _number(name, bound[name]) for name in interface.numbers}


def _number(name: str, value: Any) -> float:
    """A finite number as float64."""
    given = np.asarray(value)
    if given.ndim or given.dtype.kind not in "biuf" or not np.isfinite(float(given)):
        shown = f"{name!r} is {value!r:.40}, not a finite number"
        raise _error("A016", shown, CALL_RULES["A016"].why, f"{name}=1e-6")
    return float(given)


def check_call(interface: GmmInterface, events: Array, mixture: Any) -> None:
    """The mixture is one that the kernel was written for, and the events have its dimension."""
    name, kind, want = interface.params[1], interface.covariance, interface.components
    if not isinstance(mixture, Mixture):
        k, d = want or 3, events.shape[1]
        raise _error("A011", f"{name!r} is a {type(mixture).__name__}, not a Mixture",
                     CALL_RULES["A011"].why, f"sj.Mixture({k}, {d}, {kind!r})")  # fmt: skip
    has = len(mixture.components())
    if mixture.covariance_kind != kind:
        raise _error("A011", f"{name!r} is {mixture.covariance_kind}, the kernel {kind}",
                     CALL_RULES["A011"].why, f"covariance={mixture.covariance_kind!r}")  # fmt: skip
    if want not in (None, has):
        raise _error("A011", f"{name!r} has {has} components, the kernel {want}",
                     CALL_RULES["A011"].why, f"components={has}, or leave it out")  # fmt: skip
    if mixture.dimension != events.shape[1]:
        what = (f"{interface.params[0]!r} has events of {events.shape[1]} dimensions, "
                f"{name!r} has {mixture.dimension}")  # fmt: skip
        raise _error("A012", what, "each column is a dimension of the mixture",
                     f"sj.Mixture({has}, {events.shape[1]}, {kind!r})")  # fmt: skip


def answer(values: Mapping[str, Any]) -> float:
    """The log-likelihood; raises :class:`ArgumentError` (A014) if there is none."""
    if status := int(values["status"][0]):
        what = f"the covariance of component {status - 1} is not positive definite"
        raise _error("A014", what, CALL_RULES["A014"].why, CALL_RULES["A014"].try_)
    return float(values["log_likelihood"][0])


def not_finite(
    interface: GmmInterface, events: Array, parameters: Mapping[str, Array]
) -> ArgumentError:
    """Why a result of these events and parameters is no finite number (A015)."""
    x, mix = interface.params[:2]
    rows, weight = np.isfinite(events).all(axis=1), parameters["weight"]
    wrong = [name for name, array in parameters.items() if not np.isfinite(array).all()]
    wrong += ["weight"] * bool(weight.min() < 0 or weight.max() == 0)
    what = "a component has no events, or a formula of the iteration no value"
    try_ = f"kernel.train({x}, {mix}), which keeps such components"
    if not rows.all():
        what, try_ = f"event {rows.argmin()} of {x!r} is not finite", CALL_RULES["A015"].try_
    elif wrong:
        what = f"the {wrong[0]} of {mix!r} is not that of a mixture"
        try_ = f"sejits_nb.mixture.start.start({x}, components)"
    return _error("A015", what, CALL_RULES["A015"].why, try_)


def _error(code: str, message: str, why: str, try_: str) -> ArgumentError:
    assert code in CALL_RULES
    return ArgumentError(Diagnostic(code, message, why, try_))
