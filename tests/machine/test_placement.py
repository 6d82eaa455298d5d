"""Outputs that the project allocates: plain arrays, zero, off their input's phase in the page."""

from __future__ import annotations

import numpy as np
import pytest

import sejits_nb as sj
from sejits_nb.machine.placement import copy_of, zeros_like


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int8, np.bool_])
def test_large_arrays_lie_off_the_phase(order: str, dtype: type) -> None:
    a = np.ones((1030, 1031), dtype, order=order)  # type: ignore[call-overload]
    first, second = zeros_like(a), zeros_like(a, 1)
    for made in (first, second):
        assert (made.shape, made.dtype, made.strides) == (a.shape, a.dtype, a.strides)
        assert not made.any()
        assert made.flags.writeable
    if a.nbytes >= 1 << 20:
        places = {x.ctypes.data % 4096 for x in (a, first, second)}
        assert len(places) == 3
        assert len({p % 64 for p in places}) == 1


def test_a_view_of_strides_gets_an_array_in_c_order() -> None:
    a = np.arange(24.0).reshape(4, 6)[::2, ::-1]
    assert zeros_like(a).flags.c_contiguous
    assert (copy_of(a) == a).all()


def test_subclasses_do_not_spread() -> None:
    assert type(zeros_like(np.ma.ones((3, 3)))) is np.ndarray


def test_the_public_name() -> None:
    a = np.ones((400, 400))
    assert sj.empty_like(a).shape == (400, 400)
    assert "empty_like" in sj.__all__
