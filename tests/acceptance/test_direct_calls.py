"""Calls of a known layout skip binding, give what a first call gives, and refuse what it refuses."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sejits_nb.contracts import BoundCall, Interface
from sejits_nb.errors import ArgumentError, LanguageError

from .conftest import MakeKernel, body

Array = np.ndarray[Any, Any]
SHIFT = ("out[x] = s * u[x + (0, 1)]",)
PARAMS = "u, out, s=2.0"


def shifted(u: Array, s: float = 2.0) -> Array:
    """What the kernel of ``SHIFT`` gives on zeros, in two axes; its ghost zone is 0 by 1."""
    wanted = np.zeros_like(u)
    wanted[:, 1:-1] = s * u[:, 2:]
    return wanted


def field(shape: tuple[int, ...] = (6, 7), seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=shape)


def count_binds(kernel: Any) -> list[int]:
    """A list that grows with each call of *kernel* that is bound."""
    binds: list[int] = []
    bind = kernel._specializer.bind

    def counted(
        interface: Interface, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> BoundCall:
        binds.append(len(args))
        bound: BoundCall = bind(interface, args, kwargs)
        return bound

    kernel._specializer = replace(kernel._specializer, bind=counted)
    return binds


CALLS: dict[str, Callable[[Any, Array, Array], Any]] = {
    "all passed": lambda k, u, out: k(u, out, 2.0),
    "a default": lambda k, u, out: k(u, out),
    "a keyword": lambda k, u, out: k(u, out=out),
    "keywords in another order": lambda k, u, out: k(s=2.0, out=out, u=u),
    "NumPy's scalar": lambda k, u, out: k(u, out, np.float64(2.0)),
    "an int": lambda k, u, out: k(u, out, 2),
    "allocated": lambda k, u, out: np.copyto(out, k(u)),
    "allocated, by keyword": lambda k, u, out: np.copyto(out, k(s=2.0, u=u)),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("order", ["C", "F", "strided", "reversed"])
def test_the_second_call_of_a_layout_is_not_bound(make: MakeKernel, name: str, order: str) -> None:
    kernel, _ = make(body(*SHIFT, params=PARAMS))
    binds = count_binds(kernel)

    def laid_out(values: Array) -> Array:
        if order == "strided":
            wide = np.zeros((12, 14))
            wide[::2, 1::2] = values
            return wide[::2, 1::2]
        return values[::-1].copy()[::-1] if order == "reversed" else values.copy(order)  # type: ignore[arg-type]

    for number in range(4):
        u, out = laid_out(field(seed=number)), laid_out(np.zeros((6, 7)))
        CALLS[name](kernel, u, out)
        np.testing.assert_array_equal(out, shifted(u))
        assert len(binds) == 1


def test_several_outputs_come_as_a_tuple_of_new_arrays(make: MakeKernel) -> None:
    kernel, _ = make(
        body("a[x] = u[x]", "b[x] = 2.0 * u[x]", params="a, u, b").replace("out.", "a.")
    )
    binds = count_binds(kernel)
    results = [kernel(field(seed=n)) for n in range(3)]
    assert len(binds) == 1
    for number, (a, b) in enumerate(results):
        np.testing.assert_array_equal(a, field(seed=number))
        np.testing.assert_array_equal(b, 2 * field(seed=number))
    assert len({x.ctypes.data for pair in results for x in pair}) == 6


@pytest.mark.parametrize(
    ("code", "call"),
    [
        ("A004", lambda k, u, out: k(u, u, 2.0)),
        ("A004", lambda k, u, out: k(out[:, ::-1][:, ::-1], out, 2.0)),
        (
            "A004",
            lambda k, u, out: k(np.ndarray((6, 7), buffer=out, strides=out.strides), out, 2.0),
        ),
        ("A004", lambda k, u, out: k(u, out=u)),
        ("A005", lambda k, u, out: k(u, read_only(out), 2.0)),
        ("A007", lambda k, u, out: k(u, out, 2**63)),
        ("A007", lambda k, u, out: k(u, out, -(2**63) - 1)),
        ("A007", lambda k, u, out: k(u, out, "2")),
        ("A007", lambda k, u, out: k(u, out, np.longdouble(2))),
        ("A002", lambda k, u, out: k(u[:5], out, 2.0)),
        ("A003", lambda k, u, out: k(np.ma.masked_less(u, 0.0), out, 2.0)),
        ("A003", lambda k, u, out: k(u.astype(">f8"), out, 2.0)),
        ("A003", lambda k, u, out: k(u.astype(object), out, 2.0)),
        ("A009", lambda k, u, out: k(u, unaligned(out), 2.0)),
        ("A004", lambda k, u, out: k(u, np.lib.stride_tricks.as_strided(out, (6, 7), (0, 8)), 2.0)),
        ("A001", lambda k, u, out: k(u, out, 2.0, 3.0)),
        ("A001", lambda k, u, out: k(u, out, 2.0, s=3.0)),
        ("A001", lambda k, u, out: k(u, out, t=3.0)),
    ],
)
def test_what_a_first_call_refuses_is_refused_after_good_ones(
    make: MakeKernel, code: str, call: Callable[..., Any]
) -> None:
    kernel, _ = make(body(*SHIFT, params=PARAMS))
    u, out = field(), np.zeros((6, 7))
    for _ in range(2):  # layouts of everything that is right in the calls above
        kernel(u, out, 2.0)
        kernel(u, out, 2)
        kernel(u, out=out)
        kernel(read_only(u), out, 2.0)
    before = out.copy()
    for _ in range(2):
        with pytest.raises(ArgumentError, match=code):
            call(kernel, u, out)
        np.testing.assert_array_equal(out, before)


def read_only(array: Array) -> Array:
    view = array.view()
    view.flags.writeable = False
    return view


def unaligned(array: Array) -> Array:
    octets = np.zeros(array.nbytes + 1, np.uint8)
    return octets[1:].view(array.dtype).reshape(array.shape)


def test_outputs_that_interleave_with_inputs_run(make: MakeKernel) -> None:
    """Their bounds overlap, their elements do not: each call is bound, none is refused."""
    kernel, _ = make(body(*SHIFT, params=PARAMS))
    both = np.zeros((6, 14))
    for number in range(3):
        u, out = both[:, ::2], both[:, 1::2]
        u[...] = field(seed=number)
        kernel(u, out, 2.0)
        np.testing.assert_array_equal(out, shifted(u))


@pytest.mark.filterwarnings("ignore:'u' of k is a list")
def test_lists_masks_and_unaligned_inputs_are_read_at_each_call(make: MakeKernel) -> None:
    kernel, _ = make(body(*SHIFT, params=PARAMS))
    for number in range(3):
        u = field(seed=number)
        packed = unaligned(u)
        packed[...] = u
        for given in (u.tolist(), np.ma.array(u), packed, u.view(np.matrix)):
            np.testing.assert_array_equal(kernel(given), shifted(u))
        np.testing.assert_array_equal(kernel(u, np.array(3.0)), shifted(u, 3.0))


def test_a_type_of_scalar_has_code_of_its_own(make: MakeKernel) -> None:
    """NEP 50: a Python number adopts float32, NumPy's float64 does not."""
    kernel, _ = make(body("out[x] = u[x] * s + 1.0", params=PARAMS), check="strict")
    u = np.random.default_rng(0).random((6, 7), np.float32)
    for _ in range(2):
        for s in (0.1, 3, True, np.float64(0.1), np.float32(0.1), np.int8(3)):
            np.testing.assert_array_equal(kernel(u, s), (u * s + u.dtype.type(1)).astype("f4"))


def test_no_array_of_a_call_is_kept(make: MakeKernel) -> None:
    kernel, _ = make(body(*SHIFT, params=PARAMS))
    for _ in range(2):
        u, out = field(), np.zeros((6, 7))
        kernel(u, out)
        kernel(u)
    alive = weakref.ref(u), weakref.ref(out)
    del u, out
    gc.collect()
    assert [one() for one in alive] == [None, None]


# -- captured names


@pytest.mark.parametrize(
    ("values", "use"),
    [
        ([2.0, 3.0, 2.0], "c"),
        ([2, 2.5, True], "c"),
        ([0.0, -0.0, float("inf"), float("-inf")], "c"),
        ([[1.0, 2.0], [3.0, 2.0], (1.0, 2.0)], "(c[0] + c[1])"),
        ([np.float32(0.1), 0.1, np.float64(0.1)], "c"),
    ],
)
def test_a_rebound_name_counts_from_the_next_call_on(
    make: MakeKernel, values: list[Any], use: str
) -> None:
    kernel, module = make(body(f"out[x] = u[x] * {use}"), {"c": values[0]})
    u, out = np.full((4, 5), 0.5, np.float32), np.zeros((4, 5), np.float32)
    for value in values * 2:
        module.c = value
        wanted = kernel.reference(u)
        for _ in range(3):
            out[:] = 0
            kernel(u, out)
            assert out.tobytes() == kernel(u).tobytes() == wanted.tobytes()


@pytest.mark.parametrize(
    ("table", "change"),
    [
        (np.array([1.0, 2.0]), lambda t: t.__setitem__(1, 5.0)),
        (np.array([0.0, 2.0]), lambda t: t.__setitem__(0, -0.0)),
        ([1.0, 2.0], lambda t: t.__setitem__(1, 5.0)),
        ([[1.0], [2.0]], lambda t: t[1].__setitem__(0, 5.0)),
        ([np.array([1.0]), [2.0]], lambda t: t[0].__setitem__(0, 5.0)),
        ([1.0, 2.0], lambda t: t.insert(0, 7.0)),
        (([1.0], [2.0]), lambda t: t[1].__setitem__(0, 5.0)),
    ],
)
def test_a_table_changed_in_place_counts_from_the_next_call_on(
    make: MakeKernel, table: Any, change: Callable[[Any], None]
) -> None:
    pick = "t[0] + t[1]" if np.ndim(table) == 1 else "t[0][0] + t[1][0]"
    line = f"out[x] = u[x] * ({pick})"
    kernel, _ = make(body(line), {"t": table})
    u = field((4, 5))
    binds = count_binds(kernel)
    for _ in range(2):
        for _ in range(3):
            np.testing.assert_array_equal(kernel(u), kernel.reference(u))
        known = len(binds)
        kernel(u)
        assert len(binds) == known
        change(table)


HELPER = """
def scale(v, w=1.0):
    return v * w * c

def k(u, out):
    for x in out.interior_points():
        out[x] = scale(u[x])
"""


def test_what_a_helper_function_reads_is_watched(make: MakeKernel) -> None:
    kernel, module = make(HELPER, {"c": 2.0})
    u = field((4, 5))
    binds = count_binds(kernel)
    for value in (2.0, 3.0):
        module.c = value
        for _ in range(3):
            np.testing.assert_array_equal(kernel(u), u * value)
    assert len(binds) == 2
    module.scale.__defaults__ = (2.0,)
    np.testing.assert_array_equal(kernel(u), u * 6.0)
    exec("def scale(v):\n    return v + c", vars(module))
    with pytest.raises(LanguageError):  # no text can be read of it
        kernel(u)


def test_tuning_replaces_what_a_call_runs(make: MakeKernel) -> None:
    kernel, _ = make(body(*SHIFT, params=PARAMS), set={"threads": 1})
    u, out = field((40, 40)), np.zeros((40, 40))
    binds = count_binds(kernel)
    kernel(u, out)
    kernel(u, out)
    assert len(binds) == 1
    kernel.tune(u, budget=0.01)
    known = len(binds)
    kernel(u, out)
    assert len(binds) == known + 1
    np.testing.assert_array_equal(out, shifted(u))
