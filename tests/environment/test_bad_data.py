"""Data that kernels should not be given: the result of the plain Python, or an error with a code.

In both cases the arrays that were passed in are bit for bit what they were.
"""

from __future__ import annotations

import array
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided

import sejits_nb as sj
from sejits_nb.errors import SejitsError

from .conftest import needs_gcc

pytestmark = needs_gcc
Array = np.ndarray[Any, Any]


@sj.stencil(backend=("openmp", "c"), fallback=False)
def mix(u, v, out):  # type: ignore[no-untyped-def]  # a kernel
    for x in out.interior_points():
        out[x] = 0.5 * u[x - (0, 1)] + v[x + (1, 0)] * u[x]


def field(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=shape or (9, 11))


class Sub(np.ndarray):
    """A subclass with arithmetic of its own."""

    def __mul__(self, other: Any) -> Any:
        raise AssertionError("the kernel knows nothing of subclasses")


class Frame:
    """What data frames are to NumPy."""

    def __init__(self, values: Array) -> None:
        self.values = values

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.values, dtype)


class Liar:
    """An array protocol that fails."""

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        raise ValueError("no such table")


def bits(value: Any) -> Any:
    """Everything that a call might change."""
    if isinstance(value, Frame):
        value = value.values
    if isinstance(value, np.ma.MaskedArray):
        return value.data.tobytes(), np.ma.getmaskarray(value).tobytes()
    if isinstance(value, np.ndarray) and value.dtype.hasobject:
        return [id(item) for item in value.flat], value.dtype
    if isinstance(value, np.ndarray):
        base = value if value.base is None or not isinstance(value.base, np.ndarray) else value.base
        return base.tobytes(), value.dtype, value.shape, value.strides, value.flags.writeable
    return repr(value)


def outcome(call: Callable[..., Any], *args: Any) -> str:
    """The code of the error that *call* raised on arguments that it left alone; or nothing."""
    before = [bits(arg) for arg in args]
    code = ""
    try:
        call(*args)
    except SejitsError as error:
        code, text = error.code, str(error)
        assert text.count("\n") >= 1
    assert [bits(arg) for arg in args] == before
    return code


def agrees(*args: Any) -> str:
    """Right result, or the same code from kernel and plain Python."""
    results: list[Any] = []
    codes = [
        outcome(lambda *a: results.append(mix(*a)), *args),
        outcome(lambda *a: results.append(mix.reference(*a)), *args),
    ]
    assert codes[0] == codes[1]
    if not codes[0]:
        native, plain = results
        assert native.dtype == plain.dtype
        assert native.shape == plain.shape
        np.testing.assert_allclose(native, plain, 1e-5 if native.dtype == np.float32 else 1e-12)
    return codes[0]


def unaligned(u: Array) -> Array:
    raw = np.zeros(u.nbytes + 1, np.uint8)
    view = raw[1:].view(u.dtype).reshape(u.shape)
    view[...] = u
    return view


def read_only(u: Array) -> Array:
    u = u.copy()
    u.flags.writeable = False
    return u


GOOD: dict[str, Callable[[Array], Any]] = {
    "list": lambda u: u.tolist(),
    "tuples": lambda u: tuple(map(tuple, u)),
    "array.array rows": lambda u: [array.array("d", row) for row in u],
    "memoryview": lambda u: u.copy().data,
    "data frame": lambda u: Frame(u),
    "matrix": lambda u: u.view(np.matrix),
    "subclass": lambda u: u.view(Sub),
    "masked array, nothing masked": lambda u: np.ma.array(u),
    "record array": lambda u: u.view(np.recarray),
    "Fortran order": np.asfortranarray,
    "transposed": lambda u: u.T.copy().T,
    "negative strides": lambda u: u[::-1, ::-1].copy()[::-1, ::-1],
    "every second": lambda u: np.repeat(np.repeat(u, 2, 0), 2, 1)[::2, ::2],
    "broadcast": lambda u: np.broadcast_to(u[0], u.shape),
    "read-only": read_only,
    "unaligned": unaligned,
    "byte-swapped": lambda u: u.astype(">f8" if np.little_endian else "<f8"),
    "float32": lambda u: u.astype(np.float32),
    "NaN and infinities": lambda u: np.where(u > 1, np.nan, np.where(u < -1, -np.inf, u)),
    "only NaN": lambda u: np.full_like(u, np.nan),
    "subnormal": lambda u: u * 1e-310,
    "huge": lambda u: u * 1e308,
    "signed zeros": lambda u: np.copysign(0.0, u),
    "integers": lambda u: (u * 10).astype(np.int64),
    "bytes": lambda u: np.abs(u * 10).astype(np.uint8),
    "truth values": lambda u: u > 0,
}
"""What NumPy takes for an array: it may be refused (then with a code), never be taken wrongly."""

MAY_BE_REFUSED = {
    "byte-swapped": "A003",
    "integers": "A003",
    "bytes": "A003",
    "truth values": "A003",
}


@pytest.mark.filterwarnings("ignore:invalid value|overflow:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
@pytest.mark.filterwarnings("ignore:.*copies it into an array")
@pytest.mark.parametrize("name", GOOD)
def test_odd_arrays_as_input(name: str) -> None:
    odd, plain = GOOD[name](field()), field(seed=1)
    assert {agrees(odd, plain), agrees(plain, odd)} <= {"", MAY_BE_REFUSED.get(name, "")}


BAD: dict[str, tuple[str, Callable[[Array], Any]]] = {
    "object": ("A003", lambda u: u.astype(object)),
    "complex": ("A003", lambda u: u + 1j),
    "half": ("A003", lambda u: u.astype(np.float16)),
    "long double": ("A003", lambda u: u.astype(np.longdouble)),
    "text": ("A003", lambda u: u.astype(str)),
    "dates": ("A003", lambda u: (u * 10).astype("m8[s]")),
    "structured": ("A003", lambda u: np.zeros(u.shape, [("a", "f8"), ("b", "i4")])),
    "ragged list": ("A003", lambda u: [[1.0, 2.0], [3.0]]),
    "failing protocol": ("A003", lambda u: Liar()),
    "masked values": ("A003", lambda u: np.ma.masked_less(u, 0.0)),
    "dictionary": ("A006", lambda u: {"u": u}),
    "text alone": ("A006", lambda u: "u"),
    "nothing": ("A006", lambda u: None),
    "number": ("A006", lambda u: 3.0),
    "0-d": ("A006", lambda u: np.array(3.0)),
    "five axes": ("A006", lambda u: np.zeros((2, 2, 2, 2, 2))),
    "another shape": ("A002", lambda u: u[:-1]),
    "another rank": ("A002", lambda u: u[0]),
    "transposed shape": ("A002", lambda u: u.T),
}


@pytest.mark.filterwarnings("ignore:.*copies it into an array")
@pytest.mark.parametrize("name", BAD)
def test_what_no_grid_holds(name: str) -> None:
    code, make = BAD[name]
    plain = field(seed=1)
    if (
        isinstance(made := make(field()), np.ndarray)
        and made.dtype == plain.dtype
        and code == "A003"
    ):
        assert outcome(mix, made, plain) == code
    assert outcome(mix, made, plain) == outcome(mix.reference, made, plain) == code
    assert outcome(mix, plain, made) == code


@pytest.mark.parametrize(
    "shape", [(0, 5), (5, 0), (0, 0), (1, 1), (2, 2), (2, 9), (9, 1), (3, 3)], ids=str
)
def test_grids_smaller_than_their_halo(shape: tuple[int, int]) -> None:
    assert agrees(field(*shape), field(*shape, seed=1)) == ""


def test_the_wrong_rank() -> None:
    """Offsets have two components: a rank of one or three is outside the language, at its place."""
    for shape in ((30,), (4, 5, 6)):
        code = outcome(mix, field(*shape), field(*shape))
        assert re.fullmatch(r"[AS]\d{3}", code)


# -- outputs


def written(out: Array) -> str:
    """The code of the error; or nothing if *out* then holds what the plain Python gives."""
    u, v, rest = field(seed=2), field(seed=3), out.copy()
    try:
        mix(u, v, out)
    except SejitsError as error:
        assert bits(np.asarray(out)) == bits(np.asarray(rest)) or np.array_equal(
            out, rest, equal_nan=True
        )
        return error.code
    wanted = np.array(rest)
    mix.reference(u, v, wanted)
    np.testing.assert_allclose(np.asarray(out), wanted, 1e-5)
    return ""


OUTPUTS: dict[str, tuple[str, Callable[[], Any]]] = {
    "read-only": ("A005", lambda: read_only(field())),
    "broadcast": ("A004", lambda: as_strided(np.zeros(11), (9, 11), (0, 8))),
    "overlapping rows": ("A004", lambda: as_strided(np.zeros(40), (9, 11), (16, 8))),
    "unaligned": ("A009", lambda: unaligned(field())),
    "Fortran order": ("", lambda: np.asfortranarray(field())),
    "every second": ("", lambda: np.zeros((18, 22))[::2, ::2]),
    "negative strides": ("", lambda: field()[::-1, ::-1]),
    "subclass": ("", lambda: field().view(Sub)),
    "masked array": ("", lambda: np.ma.array(field())),
    "float32": ("", lambda: field().astype(np.float32)),
    "another shape": ("A002", lambda: field(8, 11)),
    "complex": ("A003", lambda: field() + 1j),
    "object": ("A003", lambda: field().astype(object)),
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_odd_arrays_as_output(name: str) -> None:
    code, make = OUTPUTS[name]
    assert written(make()) == code


def test_input_and_output_overlap() -> None:
    whole = field(10, 12)
    before = whole.copy()
    v = field(9, 11)
    for u, out in (
        (whole[:9, :11], whole[:9, :11]),
        (whole[:9, :11], whole[1:, 1:]),
        (whole[:9, :11], whole[8::-1, 10::-1]),
    ):
        for call in (mix, mix.reference):
            assert outcome(call, u, v, out) == outcome(call, v, u, out) == "A004"
    assert np.array_equal(whole, before)
    mix(whole[:9, :11], whole[1:, 1:], np.zeros((9, 11)))  # inputs may overlap one another
    buffer = np.zeros((9, 22))
    buffer[:, 0::2] = v
    mix(buffer[:, 0::2], v, buffer[:, 1::2])  # interleaved: they share bounds, but no element
    assert np.allclose(buffer[:, 1::2][1:-1, 1:-1], mix.reference(v, v)[1:-1, 1:-1])


@pytest.mark.parametrize("mode", ["r", "r+", "c", "w+"])
def test_memory_maps(tmp_path: Path, mode: Any) -> None:
    u, v = field(), field(seed=1)
    path = tmp_path / "grid.bin"
    u.tofile(path)
    mapped = np.memmap(path, np.float64, mode, shape=u.shape)
    mapped_bytes = path.read_bytes()
    assert agrees(mapped, v) == ""
    assert path.read_bytes() == mapped_bytes
    if mode == "r":
        assert written(mapped) == "A005"
        assert path.read_bytes() == mapped_bytes
    else:
        assert written(mapped) == ""
        mapped.flush()
        assert (path.read_bytes() == mapped_bytes) == (mode == "c")


@pytest.mark.parametrize(
    "number", [1j, "0.1", None, [0.1], 2**70, np.float16(1), np.array([1.0, 2.0])]
)
def test_numbers_that_are_none(number: Any) -> None:
    call = sj.stencil(scale, backend=("openmp", "c"), fallback=False)
    code = outcome(call, field(), number)
    assert re.fullmatch(r"[AS]\d{3}", code)


def scale(u, out, alpha):  # type: ignore[no-untyped-def]  # a kernel
    for x in out.interior_points():
        out[x] = alpha * u[x + (0, 1)]


def test_foreign_outputs_are_no_outputs() -> None:
    """A list, a frame: what is written to their copy would be lost."""
    u, v = field(), field(seed=1)
    for out in (np.zeros_like(u).tolist(), Frame(np.zeros_like(u))):
        assert outcome(mix, u, v, out) == "A020"
    assert outcome(mix, u, v, None) == "A001"
