"""Captured values as Python text: what the text makes freezes to the same constant."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from sejits_nb.phase1_frontend.capture import freeze, from_function, known_functions
from sejits_nb.reproduce.captured import attributes, bindings, expression


@pytest.mark.parametrize(
    "value",
    [
        2, -3, 2**70, True, 0.1, -0.0, 1e-300, math.inf, -math.inf, math.nan,
        np.float32(0.1), np.float64(-0.0), np.int8(-3), np.uint64(2**63), np.bool_(True),
        np.float32("inf"), (1, 2.0), (1,), [[1.0, 2.0], [3.0]], (),
        np.array([[1.0, 2.5], [0.1, 1e9]]), np.arange(3, dtype="u1"), np.array([True, False]),
        np.array([[1.0, np.inf]], "f4"), [np.float32(1), np.float32(2)], [np.array([1.0, 2.0]), 3],
        [np.float32(1), np.float64(1)],
    ],
    ids=repr,
)  # fmt: skip
def test_a_value_comes_back(value: Any) -> None:
    text = expression(freeze(value))
    assert text is not None
    assert repr(freeze(eval(text, {"numpy": np, "math": math}))) == repr(freeze(value))


def test_known_functions_come_back() -> None:
    for function, known in known_functions().items():
        text = expression(known)
        assert text is not None
        assert known_functions()[eval(text, {"numpy": np, "math": math})] == known, function


alpha, table = 0.5, np.array([1.0, 2.0])


class settings:
    beta, inner = 2.0, np.float32(0.5)


def scale(v: Any, w: Any = alpha) -> Any:
    return math.sqrt(v) * w * table[0]


def twice(v: Any) -> Any:
    return 2 * scale(v)


def everything(u, out):  # type: ignore[no-untyped-def]  # a kernel
    for x in out.interior_points():
        out[x] = twice(u[x]) + alpha * np.pi + settings.beta * settings.inner + abs(table[1])


def test_all_that_a_kernel_reads_is_bound() -> None:
    source, lookup = from_function(everything)  # type: ignore[arg-type]
    lines, imports = bindings(source)
    scope: dict[str, Any] = {"numpy": np}
    exec("\n".join([*imports, *lines]), scope)
    assert {*imports} == {"import math", "import numpy", "import numpy as np", "import types"}
    assert scope["twice"](4.0) == twice(4.0)
    assert scope["settings"].beta == 2.0
    assert type(scope["settings"].inner) is np.float32
    assert scope["table"].tolist() == table.tolist()
    assert scope["alpha"] == lookup("alpha")
    assert "abs" not in scope


def test_attributes_of_a_method_s_object() -> None:
    source, lookup = from_function(everything)  # type: ignore[arg-type]
    assert attributes(source, "settings", "k") == ["k.beta = 2.0", "k.inner = numpy.float32(0.5)"]
    assert not any("settings" in line for line in bindings(source, "settings")[0])
    assert lookup("settings") is settings
