"""What an exact program must give: its own text, run on grids whose rims are told by ``np.pad``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from .wider import WiderProgram, around

Array = np.ndarray[Any, Any]
_PAD = {"clamp": "edge", "wrap": "wrap", "reflect": "symmetric", "mirror": "reflect"}


class _Point(tuple[int, ...]):
    def __add__(self, offset: Any) -> _Point:
        return _Point(a + b for a, b in zip(self, offset, strict=True))


@dataclass
class _Grid:
    """An array with the language's methods; where a read outside goes is told by ``np.pad``."""

    values: Array
    ghost: Sequence[int]
    modes: Sequence[tuple[str, float]]

    def __post_init__(self) -> None:
        far = self.far = 8
        self.places = [
            np.pad(np.arange(n), far, _PAD[m]) if m in _PAD else  # type: ignore[call-overload]
            np.pad(np.arange(n), far, constant_values=-1)
            for n, (m, _) in zip(self.values.shape, self.modes, strict=True)
        ]  # fmt: skip

    def __getitem__(self, x: tuple[int, ...]) -> Any:
        at = []
        for i, places, (mode, constant) in zip(x, self.places, self.modes, strict=True):
            place = int(places[i + self.far])
            if place < 0:
                assert mode == "constant", f"{x} is read, and {mode} has no rim"
                return self.values.dtype.type(constant)
            at.append(place)
        return self.values[tuple(at)]

    def __setitem__(self, x: tuple[int, ...], value: Any) -> None:
        self.values[x] = value

    def interior_points(self) -> Iterator[_Point]:
        axes = (range(g, n - g) for g, n in zip(self.ghost, self.values.shape, strict=True))
        return map(_Point, product(*axes))

    def all_points(self) -> Iterator[_Point]:
        return map(_Point, product(*map(range, self.values.shape)))

    def neighbors(self, x: _Point, near: Any, metric: str = "l1") -> Iterator[_Point]:
        if isinstance(near, int):
            near = around(len(x), near, metric == "moore")
        return (x + offset for offset in near)

    def weighted(self, x: _Point, table: Any) -> Iterator[tuple[_Point, Any]]:
        weights = np.array(table)
        for at in np.argwhere(weights):
            offset = [int(i) - n // 2 for i, n in zip(at, weights.shape, strict=True)]
            yield x + offset, weights[tuple(at)].item()


def expect_exactly(program: WiderProgram, values: Mapping[str, Any]) -> dict[str, Array]:
    """The outputs after the program's own text has run on grids of this file."""
    grids = {
        n: _Grid(v.copy(), program.ghost, program.modes) if isinstance(v, np.ndarray) else v
        for n, v in values.items()
    }
    distance = {"distance": lambda a, b: sum(abs(i - j) for i, j in zip(a, b, strict=True))}
    scope: dict[str, Any] = {**program.constants, **distance, "np": np}
    exec(compile(program.text, program.name, "exec"), scope)
    with np.errstate(all="ignore"):
        scope[program.name](**grids)
    return {n: grids[n].values for n in program.outputs}
