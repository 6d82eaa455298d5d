"""Phase 2 of the stencil specializer: the domain's own passes, and the order of all of them.

expand neighborhoods    for y in u.neighbors(x, 1): acc += u[y]   ->   acc += u[x + (-1, 0)] ...
outputs in registers    out[x] = ..; out[x] = out[x] + ..         ->   out_x = ..; ..; out[x] = out_x
single assignment, infer types, fold constants, expand powers, common subexpressions, dead code
                        (``phase2_optimize/``, on the sweep's body)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from ...contracts import Pass, Problems
from ...ir.check import check_single_assignment, check_typed
from ...ir.dast import Assign, If, Let, Statement
from ...ir.dtypes import PY_INT, DType
from ...ir.expr import Binary, Call, Cast, Const, Expr, Name, Unary
from ...ir.node import Node, rewrite, walk
from ...phase2_optimize.common_subexpressions import common_subexpressions
from ...phase2_optimize.dead_code import dead_code
from ...phase2_optimize.expand_powers import expand_powers
from ...phase2_optimize.fold_constants import fold_constants
from ...phase2_optimize.infer_types import infer_types
from ...phase2_optimize.single_assignment import single_assignment
from .dast import Coordinate, Distance, ForNeighbors, Point, Read, Stencil, StorePoint

Body = tuple[Statement, ...]


def expand_neighborhoods(stencil: Stencil) -> Stencil:
    """Every loop over neighbors unrolled; the copies keep the span of the line they copy."""
    return _with_body(stencil, tuple(rewrite(s, _measured) for s in _expand(stencil.sweep.body)))


def _expand(body: Body) -> Body:
    if not any(isinstance(n, ForNeighbors) for s in body for n in walk(s)):
        return body
    out: list[Statement] = []
    for s in body:
        if isinstance(s, ForNeighbors):
            for number, offset in enumerate(s.offsets):
                weight = {s.weight: s.weights[number]} if s.weight else {}
                moved = tuple(_at(inner, s.var, s.centre, offset, weight) for inner in s.body)
                out += _expand(moved)
        elif isinstance(s, If):
            out.append(dataclasses.replace(s, then=_expand(s.then), orelse=_expand(s.orelse)))
        else:
            out.append(s)
    return tuple(out)


def _measured(n: Node) -> Node | None:
    """The distance of two points that stand at constant offsets from one another."""
    if not isinstance(n, Distance) or n.a.name != n.b.name:
        return None
    apart = sum(abs(a - b) for a, b in zip(n.a.offset, n.b.offset, strict=True))
    return Const(apart, dtype=PY_INT, loc=n.loc)


def _at(
    s: Statement, var: str, centre: Point, offset: tuple[int, ...], weight: dict[str, Const]
) -> Statement:
    def rule(n: Node) -> Node | None:
        if isinstance(n, Name) and n.id in weight:
            return dataclasses.replace(weight[n.id], loc=n.loc)
        if not isinstance(n, Point) or n.name != var:
            return None
        moved = (sum(o) for o in zip(centre.offset, offset, n.offset, strict=True))
        return Point(centre.name, tuple(moved), loc=n.loc)

    return rewrite(s, rule)


def outputs_in_registers(stencil: Stencil) -> Stencil:
    """An output that is stored to more than once, in a branch, or read back, becomes a local.

    Its old value is read first only where some path needs it; one store at the end is left.
    """
    body = stencil.sweep.body
    for grid in stencil.grids.values():
        if grid.output and not _stored_plainly(body, grid.name):
            body = _in_register(stencil, body, grid.name)
    return _with_body(stencil, body)


def _stored_plainly(body: Body, grid: str) -> bool:
    reads = [n for s in body for n in walk(s) if isinstance(n, Read) and n.grid == grid]
    stores = [n for s in body for n in walk(s) if isinstance(n, StorePoint) and n.grid == grid]
    return not reads and len(stores) == 1 and any(s is stores[0] for s in body)


def _in_register(stencil: Stencil, body: Body, grid: str) -> Body:
    taken = {n.id for s in body for n in walk(s) if isinstance(n, Name)}
    taken |= {n.name for s in body for n in walk(s) if isinstance(n, Assign)}
    register = f"{grid}_{stencil.sweep.point}"
    while register in taken | set(stencil.scalars) | set(stencil.grids):
        register += "_"
    dtype = stencil.grids[grid].dtype
    last: StorePoint | None = None

    def rule(n: Node) -> Node | None:
        nonlocal last
        if isinstance(n, Read) and n.grid == grid:
            return Name(register, loc=n.loc)
        if isinstance(n, StorePoint) and n.grid == grid:
            last = n
            value = Cast(n.value, dtype=dtype, loc=n.value.loc)
            return Assign(register, value, loc=n.loc)
        return None

    inner = tuple(rewrite(s, rule) for s in body)
    assert last is not None
    if _needs_old_value(inner, register):
        old = Read(grid, last.point, loc=last.point.loc)
        inner = (Assign(register, old, loc=last.loc), *inner)
    store = StorePoint(grid, last.point, Name(register, loc=last.loc), loc=last.loc)
    return (*inner, store)


def _needs_old_value(body: Body, register: str) -> bool:
    """Whether the register is read before, or not assigned on, some path (conservative)."""
    for s in body:
        reads = any(isinstance(n, Name) and n.id == register for n in walk(s))
        if reads or (isinstance(s, If) and _assigns(s, register)):
            return True
        if _assigns(s, register):
            return False
    return True


def _assigns(s: Statement, register: str) -> bool:
    return any(isinstance(n, Assign) and n.name == register for n in walk(s))


def type_body(stencil: Stencil) -> Stencil:
    """NEP 50 types for the whole body; a store converts to its grid's dtype."""
    grids = stencil.grids

    def domain(e: Expr) -> DType:
        return grids[e.grid].dtype if isinstance(e, Read) else PY_INT

    def stored(s: Statement) -> DType | None:
        return grids[s.grid].dtype if isinstance(s, StorePoint) else None

    return _with_body(stencil, infer_types(stencil.sweep.body, stencil.scalars, domain, stored))


def _with_body(stencil: Stencil, body: Body) -> Stencil:
    old = stencil.sweep.body
    if len(old) == len(body) and all(a is b for a, b in zip(old, body, strict=True)):
        return stencil
    return dataclasses.replace(stencil, sweep=dataclasses.replace(stencil.sweep, body=body))


def _names(stencil: Stencil) -> set[str]:
    return {*stencil.grids, *stencil.scalars, stencil.sweep.point}


def _on_body(run: Callable[[Body], Body]) -> Callable[[Stencil], Stencil]:
    return lambda stencil: _with_body(stencil, run(stencil.sweep.body))


def check_straight(stencil: Stencil) -> Problems:
    """From here on the body is Let* StorePoint*, reads are at constant offsets inside the halo."""
    sweep = stencil.sweep
    problems = [f"{type(s).__name__} in a straight body" for s in sweep.body
                if not isinstance(s, Let | StorePoint)]  # fmt: skip
    nodes = [n for s in sweep.body for n in walk(s)]
    problems += [f"{n} is not at the sweep's point" for n in nodes
                 if isinstance(n, Point) and n.name != sweep.point]  # fmt: skip
    points = (n.point for n in nodes if isinstance(n, Read))
    problems += [f"{point} is outside the halo" for point in points
                 if any(abs(o) > h for o, h in zip(point.offset, sweep.halo, strict=True))]  # fmt: skip
    return (*problems, *check_single_assignment(stencil))


PASSES: tuple[Pass, ...] = (
    Pass("expand neighborhoods", expand_neighborhoods),
    Pass("outputs in registers", outputs_in_registers),
    Pass(
        "single assignment",
        lambda st: _with_body(st, single_assignment(st.sweep.body, _names(st))),
        (check_straight,),
    ),
    Pass("infer types", type_body, (check_straight, check_typed)),
    Pass("fold constants", _on_body(fold_constants)),
    Pass("expand powers", _on_body(expand_powers), rounds=True),
    Pass(
        "common subexpressions",
        lambda st: _with_body(st, common_subexpressions(st.sweep.body, _names(st))),
    ),
    Pass("fold constants again", _on_body(fold_constants)),
    Pass("dead code", _on_body(dead_code), (check_straight, check_typed)),
)

_SMOOTH = ("+", "-", "*")


def must_be_exact(stencil: Stencil) -> bool:
    """Whether a fused multiply-add may change the result by more than rounding.

    Only sums and products are safe: a comparison can flip, a quotient or a root can leave its domain
    (``sqrt(a*a - b*b)`` with a = b).  Such kernels are compiled without contraction.
    """
    return not all(
        isinstance(n, Const | Coordinate | Name | Read | Point | Unary | Let | StorePoint)
        or (isinstance(n, Binary) and n.op in _SMOOTH)
        or (isinstance(n, Binary) and n.op == "/" and isinstance(n.right, Const))
        or (isinstance(n, Call) and n.func == "abs")
        or (isinstance(n, Cast) and n.dtype is not None and n.dtype.kind == "f")
        for s in stencil.sweep.body
        for n in walk(s)
    )
