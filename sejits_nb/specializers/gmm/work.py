"""The least work of one EM iteration, for rooflines: operations and compulsory traffic."""

from __future__ import annotations

from math import prod

from ...ir.expr import Binary, Call
from ...ir.node import walk
from ...results import Work
from .dast import Gmm, LogNormal, Mahalanobis
from .derived import Moment, Pooled, SquaredDistance, is_pooled
from .kinds import KIND_OF_COVARIANCE, covariance_shape, weight_columns

_EXPONENTIAL, _SOFTMAX = 1, 3
"""Operations a pair of event and component: exp; subtract the largest, add up, divide."""
_STEPS = ("min", "max", "abs")


def work(gmm: Gmm) -> Work:
    """Each event read once, each parameter read and written once; from the DAST.

    Operations a pair of event and component: a squared distance by a triangular factor, D(D+1) + 3D
    (diagonal and spherical 4D), or 3D of a whitened event; the cell's own arithmetic; the softmax; two
    for each sum over the events.  Once an event: the products of its coordinates, D(D+1) to whiten it,
    and its part of the sums that components share.
    """
    mixture, events = gmm.mixture, gmm.events
    k, d, n = mixture.components, events.dimension, events.count
    whole = KIND_OF_COVARIANCE[mixture.covariance] == "matrix"
    products = d * (d + 1) // 2 if whole else d
    distance = d * (d + 1) + 3 * d if whole else 4 * d
    nodes = [m for s in gmm.estep.body for m in walk(s)]
    distances = len({m for m in nodes if isinstance(m, Mahalanobis | LogNormal)})
    shared = len({m for m in nodes if isinstance(m, SquaredDistance)})
    arithmetic = sum(isinstance(m, Binary) for m in nodes)
    arithmetic += sum(isinstance(m, Call) and m.func not in _STEPS for m in nodes)
    pair = distances * distance + shared * 3 * d + arithmetic + _EXPONENTIAL + _SOFTMAX
    orders = weight_columns(gmm.mstep).values()
    pair += sum((1, 1 + 2 * d, 1 + 2 * (d + products))[order] for order in orders)
    event = len(gmm.estep.shared) * d * (d + 1) + products * (2 in orders)
    for weights in {m.weights for m in walk(gmm.mstep) if isinstance(m, Moment)}:
        if is_pooled(weights):
            event += 2 * products + (k + d) * isinstance(weights, Pooled)
    parameters = 8 * (k + k * d + prod(covariance_shape(mixture.covariance, k, d)))
    read = n * d * events.dtype.size_bytes
    return Work(
        n, k * pair + event, read + 2 * parameters, parameters, events.dtype.name, "event",
        f"{events.name}: {events.dtype}[{n}, {d}], {mixture}",
    )  # fmt: skip
