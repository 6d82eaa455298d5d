"""Phase 2 of the GMM specializer: a covariance that all components share is factored, and events meet
its factor, once.

    (x - m_k)' C^-1 (x - m_k)  =  |y - L^-1 (m_k - o)|^2,   y = L^-1 (x - o),   C = L L'

y takes D^2 / 2 multiply-adds an event; a component's distance then takes D, not D^2 / 2.
"""

from __future__ import annotations

import dataclasses

from ...ir.dast import Let
from ...ir.expr import Expr, Name
from ...ir.node import Node, rewrite, walk
from .dast import Event, Gmm, LogDet, Mahalanobis, Parameter
from .derived import SquaredDistance, Whitened
from .kinds import KIND_OF_COVARIANCE


def shared_covariance(gmm: Gmm) -> Gmm:
    """Distances by one covariance, a matrix, as Euclidean ones of whitened events and means.

    mahalanobis(x[n], mean[k], C)  ->  let white_0 = whitened(x[n])          once an event
                                       |white_0 - whitened(mean[k])|^2
    """
    mixture = gmm.mixture
    if mixture.components == 1 or KIND_OF_COVARIANCE[mixture.covariance] != "matrix":
        return gmm
    white: dict[Expr, Let] = {}

    def rule(n: Node) -> Node | None:
        match n:
            case Mahalanobis(mean, covariance) if _same_for_all(covariance, gmm):
                x = Event(kind="vector", loc=n.loc)
                event = Whitened(x, covariance, kind="vector", loc=n.loc)
                let = white.setdefault(covariance, Let(f"white_{len(white)}", event, loc=n.loc))
                own = Whitened(mean, covariance, kind="vector", loc=n.loc)
                return SquaredDistance(Name(let.name, loc=n.loc), own, loc=n.loc)
            case _:
                return None

    estep = rewrite(gmm.estep, rule)
    if not white:
        return gmm
    shared = (*estep.shared, *white.values())
    return dataclasses.replace(gmm, estep=dataclasses.replace(estep, shared=shared))


def _same_for_all(covariance: Expr, gmm: Gmm) -> bool:
    """Whether every component has this covariance: nothing in it is a component's own."""
    one = gmm.mixture.covariance == "tied"

    def own(n: Node) -> bool:
        if isinstance(n, Parameter):
            return not (one and n.field == "covariance")
        return isinstance(n, Name | LogDet)  # locals may be a component's

    return not any(map(own, walk(covariance)))
