"""How typed values become values of another dtype."""

from __future__ import annotations

import dataclasses

import numpy as np

from ..errors import Finding
from ..ir.dtypes import DType
from ..ir.expr import Cast, Const, Expr


def typed(e: Expr) -> DType:
    """The dtype of *e*, which type inference has been over."""
    assert e.dtype is not None
    return e.dtype


def cast(e: Expr, dtype: DType) -> Expr:
    """*e* as *dtype*: constants are converted here, a weak value's own carrier needs no cast."""
    have = typed(e)
    if have == dtype:
        return e
    if have.weak and have.strong == dtype:
        return dataclasses.replace(e, dtype=dtype)
    if isinstance(e, Const) and not (dtype.kind in "iu" and have.kind == "f" and not _whole(e)):
        try:
            with np.errstate(over="ignore"):
                value = dtype.numpy.type(e.value).item()
        except OverflowError:
            raise Finding("L022", e.loc, value=e.value, room=dtype.numpy.name) from None
        return dataclasses.replace(e, value=value, dtype=dtype)
    return Cast(e, dtype=dtype, loc=e.loc)


def _whole(e: Const) -> bool:
    return float(e.value).is_integer()
