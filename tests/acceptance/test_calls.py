"""Calls: outputs, defaults, captured constants, layouts, odd shapes, iteration, threads."""

from __future__ import annotations

import threading
from array import array
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import sejits_nb as sj
from sejits_nb.errors import ArgumentError
from sejits_nb.kernel import SejitsWarning

from .conftest import MakeKernel, body

Array = np.ndarray[Any, Any]
SUM = ("acc = 0.0", "for y in u.neighbors(x, 1):\n    acc += u[y] * s", "out[x] = acc")
SUM_PARAMS = "u, out, s=2.0"


def numpy_sum(u: Array, s: float = 2.0) -> Array:
    """What the kernel of ``SUM`` gives, in two axes, on zeros."""
    wanted = np.zeros_like(u)
    around = u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:]
    wanted[1:-1, 1:-1] = s * around
    return wanted


def field(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=shape)


# -- arguments


def test_lists_are_copied_in_which_is_said_once_for_each_parameter(make: MakeKernel) -> None:
    kernel, _ = make(body("out[x] = u[x] - s * v[x - (1,)]", params="u, v, out, s=2.0"))
    u, v = field(9), field(9, seed=1)
    wanted = kernel(u, v)

    def calls() -> None:
        np.testing.assert_array_equal(kernel(u.tolist(), v), wanted)
        np.testing.assert_array_equal(kernel(u.tolist(), array("d", v), s=2), wanted)
        np.testing.assert_array_equal(kernel.reference(u, v=tuple(v)), wanted)
        kernel.iterate(u.tolist(), v, steps=2)

    with pytest.warns(SejitsWarning) as said:
        calls()
    kept = list(said)
    calls()  # warnings are errors here
    assert sorted(str(w.message) for w in kept) == [
        "'u' of k is a list: each call copies it into an array",
        "'v' of k is a tuple: each call copies it into an array",
        "'v' of k is an array.array: each call copies it into an array",
    ]


@pytest.mark.parametrize(
    "call",
    [
        lambda k, u, out: k(u, out),
        lambda k, u, out: k(u, out, 2.0),
        lambda k, u, out: k(u, out, s=2),
        lambda k, u, out: k(u, out=out),
        lambda k, u, out: k(s=2.0, out=out, u=u),
        lambda k, u, out: np.copyto(out, k(u)),
        lambda k, u, out: np.copyto(out, k(u, 2.0)),
        lambda k, u, out: np.copyto(out, k(s=2.0, u=u)),
        lambda k, u, out: np.copyto(out, k(u, np.float64(2.0))),
        lambda k, u, out: np.copyto(out, k(u, np.array(2.0))),
    ],
)
def test_outputs_passed_and_not(make: MakeKernel, call: Callable[..., Any]) -> None:
    kernel, _ = make(body(*SUM, params=SUM_PARAMS))
    u, out = field(6, 7), np.zeros((6, 7))
    call(kernel, u, out)
    np.testing.assert_allclose(out, numpy_sum(u), 1e-13, 1e-14)


@pytest.mark.parametrize(
    "call",
    [
        lambda k, u: k(),
        lambda k, u: k(u, u),
        lambda k, u: k(u, u[::-1]),
        lambda k, u: k(u, np.zeros((6, 8))),
        lambda k, u: k(u, out=u.tolist()),
        lambda k, u: k(u, np.zeros((6, 7), complex)),
        lambda k, u: k(u, np.zeros((6, 7)), "two"),
        lambda k, u: k(u, t=2.0),
        lambda k, u: k(u.astype(complex)),
        lambda k, u: k(u, np.broadcast_to(0.0, (6, 7))),
        lambda k, u: k(u, np.zeros((6, 7)), 2.0, 3.0),
        lambda k, u: k(1.0),
        lambda k, u: k(None),
        lambda k, u: k(np.zeros((1,) * 5)),
    ],
)
def test_calls_that_cannot_be_meant_are_refused(make: MakeKernel, call: Callable[..., Any]) -> None:
    kernel, _ = make(body(*SUM, params=SUM_PARAMS))
    with pytest.raises(ArgumentError):
        call(kernel, field(6, 7))


def test_an_output_is_written_or_refused_whatever_its_memory(make: MakeKernel) -> None:
    """Fields of records and unaligned buffers have strides or addresses that no pointer has."""
    kernel, _ = make(body(*SUM, params=SUM_PARAMS))
    u = field(6, 7)
    record = np.zeros((6, 7), [("a", "f4"), ("b", "f8")])["b"]
    buffer = np.frombuffer(bytearray(4 + 6 * 7 * 8), np.uint8)[4:].view("f8").reshape(6, 7)
    for out in (record, buffer):
        try:
            kernel(u, out)
        except ArgumentError:
            continue
        np.testing.assert_allclose(out, numpy_sum(u), 1e-13, 1e-14)
    for odd in (record, buffer):
        odd[...] = u
        np.testing.assert_allclose(kernel(odd), numpy_sum(u), 1e-13, 1e-14)


@pytest.mark.parametrize(
    ("default", "value"), [("-1", -1), ("True", 1), ("C", 5), ("1e400", np.inf), ("2", 2)]
)
def test_defaults(make: MakeKernel, default: str, value: float) -> None:
    kernel, _ = make(body("out[x] = u[x] * a", params=f"u, out, a={default}"), {"C": 5})
    np.testing.assert_array_equal(kernel(np.ones(4)), np.full(4, float(value)))


@pytest.mark.parametrize(
    "number",
    [3, 3.0, True, np.float32(0.1), np.float64(0.1), np.array(0.1), np.int32(3), -7, 2**53 + 1],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numbers_of_every_kind(make: MakeKernel, number: Any, dtype: str) -> None:
    """The type of a number decides in what precision NumPy computes."""
    kernel, _ = make(body("out[x] = u[x] * c", "out[x] += c * 0.5", params="u, out, c"))
    u = field(30).astype(dtype)
    value = number[()] if isinstance(number, np.ndarray) else number
    wanted = [a.dtype.type(v) for a in [u] for v in (u[i] * value for i in range(u.size))]
    wanted = [u.dtype.type(w + value * 0.5) for w in wanted]
    eps = float(np.finfo(dtype).eps)
    np.testing.assert_allclose(kernel(u, number), np.array(wanted), 4 * eps, 4 * eps * abs(value))
    plain = kernel.reference(u, number)
    np.testing.assert_allclose(kernel(u, number), plain, 4 * eps, 4 * eps * abs(value))


# -- captured constants


def test_a_captured_number_that_changes_changes_the_kernel(make: MakeKernel) -> None:
    """Also from 2 to 2.0, which are equal but divide differently."""
    kernel, module = make(body("out[x] = u[x] * (C / 3) + 7 // C + (C == 2)"), {"C": 2})
    u = field(12).astype(np.float32)
    for value in (2, 2.0, -2, 0.5, np.float32(2), np.float64(2), True, -0.0 + 3, 2):
        vars(module)["C"] = value
        wanted = [v * (value / 3) + 7 // value + (value == 2) for v in u]
        np.testing.assert_allclose(kernel(u), np.array(wanted, np.float32), 1e-6)
        np.testing.assert_allclose(kernel.reference(u), np.array(wanted, np.float32), 1e-7)


def test_signed_zero_and_nan_are_constants_of_their_own(make: MakeKernel) -> None:
    kernel, module = make(body("out[x] = u[x] * C"), {"C": 0.0})
    for value in (0.0, -0.0, 0.0, np.nan, np.inf, np.nan):
        vars(module)["C"] = value
        found = kernel(np.ones(4))
        np.testing.assert_array_equal(found, np.full(4, value))
        assert np.signbit(found[0]) == np.signbit(value)


def test_a_table_that_changes_in_place_is_read_anew(make: MakeKernel) -> None:
    table, listed = np.array([1.0, 2.0]), [3.0, 4.0]
    kernel, _ = make(body("out[x] = W[1] * u[x] + L[-1]"), {"W": table, "L": listed})
    assert kernel(np.ones(3))[1] == 6.0
    table[1], listed[1] = 7.0, 1.0
    assert kernel(np.ones(3))[1] == 8.0


def test_a_captured_offset_that_changes_moves_the_ghost_zone(make: MakeKernel) -> None:
    kernel, module = make(body("out[x] = u[x + D]"), {"D": (0, 1)})
    u = field(6, 7)
    for offset in ((0, 1), (1, 0), (0, 2), (-2, 1)):
        vars(module)["D"] = offset
        wanted = np.zeros_like(u)
        a, b = offset
        rows, columns = (slice(abs(o), n - abs(o)) for o, n in zip(offset, u.shape, strict=True))
        wanted[rows, columns] = np.roll(u, (-a, -b), (0, 1))[rows, columns]
        np.testing.assert_array_equal(kernel(u), wanted)
        np.testing.assert_array_equal(kernel.reference(u), wanted)


@pytest.mark.parametrize("value", [np.array(2.5), np.float32(2.5), np.int64(2), np.bool_(True)])
def test_scalars_of_numpy_are_captured(make: MakeKernel, value: Any) -> None:
    kernel, _ = make(body("out[x] = u[x] * C"), {"C": value})
    np.testing.assert_array_equal(kernel(np.full(4, 2.0)), np.full(4, 2.0 * value))


# -- shapes and layouts


@pytest.mark.parametrize(
    "shape",
    [(0,), (1,), (2,), (3,), (0, 0), (0, 5), (5, 0), (1, 1), (1, 7), (2, 9), (3, 3), (4, 1),
     (1, 1, 1), (3, 1, 3), (0, 3, 3), (2, 2, 2), (3, 3, 3), (2, 2, 2, 2), (3, 3, 3, 3)],
)  # fmt: skip
@pytest.mark.parametrize("radius", [0, 1, 2])
def test_shapes_smaller_than_the_halo(
    make: MakeKernel, shape: tuple[int, ...], radius: int
) -> None:
    lines = ("acc = 0.5", f"for y in u.neighbors(x, {radius}):\n    acc += u[y]", "out[x] = acc")
    kernel, _ = make(body(*lines))
    out = np.full(shape, 9.0)
    kernel(np.ones(shape), out)
    count = {0: 1, 1: 2 * len(shape), 2: 2 * len(shape) ** 2 + 2 * len(shape)}[radius]
    wanted = np.full(shape, 9.0)
    wanted[tuple(slice(radius, max(radius, n - radius)) for n in shape)] = 0.5 + count
    if radius == 2 and len(shape) != 1:
        kernel.reference(np.ones(shape), wanted)
    elif radius == 2:
        wanted[2:-2] = 4.5
    np.testing.assert_array_equal(out, wanted)


LAYOUTS: dict[str, Callable[[Array], Array]] = {
    "C": lambda a: a[:8, :9].copy(),
    "F": lambda a: np.asfortranarray(a[:8, :9]),
    "cut": lambda a: a[3:11, 2:11],
    "steps": lambda a: a[:24:3, :27:3],
    "negative": lambda a: a[8:0:-1, 9:0:-1],
    "negative steps": lambda a: a[16:0:-2, :9],
    "transposed": lambda a: a[:9, :8].T,
    "broadcast": lambda a: np.broadcast_to(a[0, :9], (8, 9)),
    "broadcast columns": lambda a: np.broadcast_to(a[:8, :1], (8, 9)),
}


@pytest.mark.parametrize("pins", ["threads=1", "unroll=4,threads=2"])
@pytest.mark.parametrize("into", [n for n in LAYOUTS if not n.startswith("broadcast")])
def test_memory_layouts(make: MakeKernel, into: str, pins: str) -> None:
    kernel, _ = make(body(*SUM, params=SUM_PARAMS), set=pins)
    for name, of in LAYOUTS.items():
        whole = np.full((30, 30), 5.0)
        u, out = of(field(30, 30)), LAYOUTS[into](whole)
        kernel(u, out)
        wanted = np.full((8, 9), 5.0)
        wanted[1:-1, 1:-1] = numpy_sum(u)[1:-1, 1:-1]
        np.testing.assert_allclose(out, wanted, 1e-12, 1e-13, err_msg=f"{name} -> {into}")
        if out.base is whole:
            assert (whole == 5.0).sum() == whole.size - 6 * 7, "written outside of the output"


# -- iterate


def heat_step(u: Array, out: Array, alpha: float = 0.1) -> None:
    around = u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:]
    out[1:-1, 1:-1] = u[1:-1, 1:-1] + alpha * (around - 4 * u[1:-1, 1:-1])


HEAT = ("acc = 0.0", "for y in u.neighbors(x, 1):\n    acc += u[y]",
        "out[x] = u[x] + alpha * (acc - 4.0 * u[x])")  # fmt: skip


@pytest.mark.parametrize("steps", [0, 1, 2, 3, 10, 101])
def test_iterate_ping_pongs_and_leaves_its_input(make: MakeKernel, steps: int) -> None:
    kernel, _ = make(body(*HEAT, params="u, out, alpha=0.1"))
    u = field(9, 10)
    before, a = u.copy(), u.copy()
    for _ in range(steps):
        b = a.copy()
        heat_step(a, b)
        a = b
    found = kernel.iterate(u, steps=steps)
    np.testing.assert_allclose(found, a, 1e-12, 1e-14)
    np.testing.assert_array_equal(u, before)
    assert not np.shares_memory(found, u)


@pytest.mark.parametrize("steps", [0, 1, 2, 3, 4, 5, 10])
def test_three_time_levels_rotate(make: MakeKernel, steps: int) -> None:
    """Leapfrog; the buffers rotate with their rims, as they do in a loop written by hand."""
    lines = ("acc = 0.0", "for y in u.neighbors(x, 1):\n    acc += u[y]",
             "out[x] = 2 * u[x] - u_old[x] + 0.1 * (acc - 4.0 * u[x])")  # fmt: skip
    kernel, _ = make(body(*lines, params="u, u_old, out"))
    u, u_old = field(9, 10), field(9, 10, seed=1)
    old, now, new = u_old.copy(), u.copy(), u.copy()
    for _ in range(steps):
        heat_step(now, new)
        inner = (slice(1, -1), slice(1, -1))
        new[inner] += now[inner] - old[inner]
        old, now, new = now, new, old
    found = kernel.iterate(u, u_old, steps=steps, feed={"out": "u", "u": "u_old"})
    np.testing.assert_allclose(found, now, 1e-10, 1e-12)


@pytest.mark.parametrize("feed", [None, {"p": "a", "q": "b"}, {"p": "b", "q": "a"}])
def test_two_outputs_feed_two_inputs(make: MakeKernel, feed: dict[str, str] | None) -> None:
    lines = ("p[x] = a[x] + 0.1 * b[x + (1,)]", "q[x] = b[x] - 0.1 * a[x - (1,)]")
    text = body(*lines, params="a, b, p, q").replace("out.interior", "p.interior")
    kernel, _ = make(text)
    a, b = field(12), field(12, seed=1)
    target = dict(feed or {"p": "a", "q": "b"})
    now = {"a": a.copy(), "b": b.copy()}
    out = {"p": now[target["p"]].copy(), "q": now[target["q"]].copy()}
    for _ in range(5):
        out["p"][1:-1] = now["a"][1:-1] + 0.1 * now["b"][2:]
        out["q"][1:-1] = now["b"][1:-1] - 0.1 * now["a"][:-2]
        for o in ("p", "q"):
            out[o], now[target[o]] = now[target[o]], out[o]
    found = kernel.iterate(a, b, steps=5, feed=feed)
    np.testing.assert_allclose(found[0], now[target["p"]], 1e-12)
    np.testing.assert_allclose(found[1], now[target["q"]], 1e-12)


@pytest.mark.parametrize(
    "feed",
    [{"out": "out"}, {"u": "u"}, {"ou": "u"}, {"out": "v"}, {"out": "alpha"}, {}],
)
def test_feeds_that_cannot_be_followed(make: MakeKernel, feed: dict[str, str]) -> None:
    kernel, _ = make(body(*HEAT, params="u, out, alpha=0.1"))
    with pytest.raises(ArgumentError):
        kernel.iterate(field(5, 5), steps=2, feed=feed)


@pytest.mark.parametrize("steps", [-1, 2.0, True, None, "3"])
def test_steps_are_a_whole_number(make: MakeKernel, steps: Any) -> None:
    kernel, _ = make(body(*HEAT, params="u, out, alpha=0.1"))
    with pytest.raises(ArgumentError):
        kernel.iterate(field(5, 5), steps=steps)


# -- several at once


@pytest.mark.parametrize("pins", ["threads=1", "threads=2"])
def test_several_threads_call_two_kernels_at_once(make: MakeKernel, pins: str) -> None:
    first, _ = make(body(*SUM, params=SUM_PARAMS), set=pins)
    second, _ = make(body("out[x] = u[x + (0, 1)] - s", params="u, out, s"), set=pins)
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(6):
                u = field(20 + turn % 3, 30 + number % 2, seed=10 * number + turn)
                if (number + turn) % 2:
                    found = first(u, float(number))
                    np.testing.assert_allclose(found, numpy_sum(u, number), 1e-12, 1e-12)
                else:
                    wanted = u[:, 2:] - number
                    np.testing.assert_array_equal(second(u, float(number))[:, 1:-1], wanted)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[0]


def test_a_second_kernel_of_the_same_name_leaves_the_first_alone(make: MakeKernel) -> None:
    twice, _ = make(body("out[x] = 2 * u[x]"))
    thrice, _ = make(body("out[x] = 3 * u[x]"))
    ones = np.ones(5)
    assert (twice(ones)[1], thrice(ones)[1], twice(ones)[1]) == (2.0, 3.0, 2.0)


def test_an_unused_array_is_allowed_as_in_python(make: MakeKernel) -> None:
    kernel, _ = make(body("out[x] = u[x]", params="u, v, out"))
    np.testing.assert_array_equal(kernel(np.ones(4), np.zeros(4)), np.ones(4))


@pytest.mark.parametrize("odd", [len, type("C", (), {}), np.sqrt])
def test_what_is_no_function_of_python_is_refused(odd: Any) -> None:
    with pytest.raises(sj.SejitsError):
        sj.stencil(odd, fallback=False)
