"""The least work of one EM iteration, for rooflines: operations and compulsory traffic."""

from __future__ import annotations

from math import prod

from ...ir.expr import Binary, Call
from ...ir.node import walk
from ...results import Work
from .dast import Gmm, LogNormal, Mahalanobis
from .kinds import KIND_OF_COVARIANCE, covariance_shape, weight_columns

_EXPONENTIAL, _SOFTMAX = 1, 3
"""Operations a pair of event and component: exp; subtract the largest, add up, divide."""
_STEPS = ("min", "max", "abs")


def work(gmm: Gmm) -> Work:
    """Each event read once, each parameter read and written once; from the DAST.

    Operations a pair of event and component: a squared distance by a triangular factor, D(D+1) + 3D
    (diagonal and spherical 4D); the cell's own arithmetic; the softmax; two for each sum over the
    events.  The products of an event's coordinates are made once an event.
    """
    mixture, events = gmm.mixture, gmm.events
    k, d, n = mixture.components, events.dimension, events.count
    whole = KIND_OF_COVARIANCE[mixture.covariance] == "matrix"
    products = d * (d + 1) // 2 if whole else d
    distance = d * (d + 1) + 3 * d if whole else 4 * d
    nodes = [m for s in gmm.estep.body for m in walk(s)]
    distances = len({m for m in nodes if isinstance(m, Mahalanobis | LogNormal)})
    arithmetic = sum(isinstance(m, Binary) for m in nodes)
    arithmetic += sum(isinstance(m, Call) and m.func not in _STEPS for m in nodes)
    columns = len(weight_columns(gmm))
    pair = distances * distance + arithmetic + _EXPONENTIAL + _SOFTMAX
    pair += columns * (1 + 2 * (d + products))
    parameters = 8 * (k + k * d + prod(covariance_shape(mixture.covariance, k, d)))
    read = n * d * events.dtype.size_bytes
    return Work(
        n, k * pair + products, read + 2 * parameters, parameters, events.dtype.name, "event",
        f"{events.name}: {events.dtype}[{n}, {d}], {mixture}",
    )  # fmt: skip
