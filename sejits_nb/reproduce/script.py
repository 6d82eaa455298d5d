"""A script that makes a kernel's result anew, in a fresh process and without a notebook.

It binds what the kernel had captured, makes arguments like those of the last specialization, pins the
variant in use, compares a call with the plain Python and times it.
"""

from __future__ import annotations

import ast
import math
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from string import Template
from typing import Any

from ..contracts import Interface
from ..phase1_frontend.functions import find_function
from ..stages import ArrayType, Artifact, KernelSource, ScalarType, Signature, Step, source_lines
from .captured import attributes, bindings, expression

_MOST_CHECKED = 300_000
"""Points that the script compares in full: some seconds of plain Python."""

_SCRIPT = Template('''"""$name, $setting.

    python $name.py

compiles it, compares it with the plain Python and times it.
"""

from __future__ import annotations

$imports
$captured

$definition

$functions
def arguments():
    """Arguments like those that the kernel was specialized for."""
    rng = numpy.random.default_rng(2011)
    return {
$arguments
    }


def main():
    import statistics
    import time

    given, outputs = arguments(), $outputs
    start = time.perf_counter()
    made = $name(**given)
    first_s = time.perf_counter() - start
$check
    made = dict(zip(outputs, made if len(outputs) > 1 else (made,)))
    times_s, stop = [], time.perf_counter() + 2.0
    while len(times_s) < 3 or (len(times_s) < 30 and time.perf_counter() < stop):
        start = time.perf_counter()
        $name(**given, **made)
        times_s.append(time.perf_counter() - start)
    median_us = statistics.median(times_s) * 1e6
    print(f"$name: {median_us:.4g} us a call, {first_s:.2g} s to the first result, $said")


if __name__ == "__main__":
    main()
''')
_CHECKED = "equal to the plain Python", "    $name.check(**given)"
_SAMPLED = (
    "compared with the plain Python at samples",
    """\
    # The plain Python would take long on all points.  Before its first call the variant was compared
    # with it in full on a small grid, and at samples of this one.""",
)
_LAID_OUT = '''\
def laid_out(values, strides):
    """*values* in an array of such strides, in elements."""
    steps = list(zip(strides, values.shape))
    low = sum(s * (n - 1) for s, n in steps if s < 0)
    high = sum(s * (n - 1) for s, n in steps if s > 0)
    buffer, octets = numpy.zeros(high - low + 1, values.dtype), [s * values.itemsize for s in strides]
    array = numpy.lib.stride_tricks.as_strided(buffer[-low:], values.shape, octets)
    array[...] = values
    return array


'''
_GRID = '''\
def grid(values, ghost_depth):
    """A StencilGrid of *values*."""
    made = StencilGrid(values.shape, values.dtype)
    made.data, made.ghost_depth = values, ghost_depth
    return made


'''


@dataclass(frozen=True)
class Subject:
    """A kernel and the call that it was specialized for.

    ``keywords`` are the decorator's; ``scalars`` the values of parameters that are no arrays;
    ``setting`` says where and when that was.  ``artifact`` and ``generated`` are ``None`` where the
    plain Python runs.  ``examples`` are expressions for parameters that are in no signature.
    """

    name: str
    language: str
    source: KernelSource
    interface: Interface
    signature: Signature
    scalars: Mapping[str, Any]
    keywords: Mapping[str, Any]
    setting: str
    artifact: Artifact | None = None
    generated: Step | None = None
    examples: Mapping[str, str] = field(default_factory=dict)


def script(subject: Subject) -> str:
    """The script as text, for ``python NAME.py``."""
    source, params = subject.source, subject.interface.params
    outputs = tuple(name for name in subject.interface.outputs if name in params)
    captured, imports = bindings(source, _own(source))
    if source.method:
        imports.append("from sejits_nb.stencil_kernel import StencilGrid, StencilKernel")
    kinds = dict(subject.signature.args)
    inputs = [n for n in params if n not in outputs]
    arguments = [(n, subject.examples.get(n) or _argument(n, kinds[n], subject)) for n in inputs]
    points = max(math.prod(t.shape) for t in kinds.values() if isinstance(t, ArrayType))
    said, check = _CHECKED if points <= _MOST_CHECKED else _SAMPLED
    used = " ".join(text for _, text in arguments)
    return _SCRIPT.substitute(
        name=subject.name,
        setting=subject.setting,
        imports="\n".join(sorted({"import numpy", "import sejits_nb", *imports})),
        captured="\n".join(captured),
        definition="\n".join(_definition(subject)),
        functions=_LAID_OUT * ("laid_out(" in used) + _GRID * ("grid(" in used),
        arguments="\n".join(f"        {n!r}: {text}," for n, text in arguments),
        outputs=outputs,
        check=Template(check).substitute(name=subject.name),
        said=said,
    )


def _definition(subject: Subject) -> list[str]:
    """The kernel under its decorator, or as a class."""
    source, settings = subject.source, dict(subject.source.settings)
    function = find_function(ast.parse(source.code), source.name)
    assert function is not None
    text = source_lines(source.code)[function.lineno - 1 : function.end_lineno]
    keywords = ", ".join(f"{k}={v!r}" for k, v in subject.keywords.items())
    if not source.method:
        return [f"@sejits_nb.{subject.language}({keywords})", *text]
    lines = [f"class {subject.name}Kernel(StencilKernel):"]
    if "neighbor_definition" in settings:
        lines += [f"    neighbor_definition = {expression(settings['neighbor_definition'])}", ""]
    lines += [textwrap.indent(row, "    ") for row in text]
    lines += ["", "", f"{subject.name} = {subject.name}Kernel({keywords})"]
    return [*lines, *attributes(source, _own(source), subject.name)]


def _own(source: KernelSource) -> str:
    """The first parameter of a method."""
    function = find_function(ast.parse(source.code), source.name)
    return function.args.args[0].arg if function and source.method else ""


def _argument(name: str, kind: ArrayType | ScalarType, subject: Subject) -> str:
    """An expression for an argument of this type."""
    if isinstance(kind, ScalarType):
        return str(expression(subject.scalars[name]))
    shape, dtype = kind.shape, kind.dtype.numpy.name
    values = {
        "f": f'rng.uniform(0.5, 1.5, {shape}).astype("{dtype}")',
        "b": f"rng.random({shape}) < 0.5",
    }.get(kind.dtype.kind, f'rng.integers(0, 100, {shape}, "{dtype}")')
    in_c_order = tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))
    if math.prod(shape) and kind.strides != in_c_order:
        values = f"laid_out({values}, {kind.strides})"
    depth = dict(subject.source.settings).get("ghost_depth", 0)
    return f"grid({values}, {depth})" if depth else values
