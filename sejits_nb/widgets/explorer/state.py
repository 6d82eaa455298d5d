"""What the explorer shows of a trace, as plain values for the browser.

A *row* of a listing is ``[text, group]`` (group 0: from nowhere); a row of the cell is a list of
stretches ``[text, group, groups that begin here]``.  Groups have the numbers of the card.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...stages import Step, Trace
from ..links import Place, enclosing, groups_of, numbering, segments, snippet
from .actions import MachineCode
from .blocks import blocks

LANGUAGES = {"C": "c", "OpenCL C": "opencl"}
"""Title of generated code -> how the browser colours it; everything else is a tree's listing."""

Rows = list[list[Any]]


def trace_state(trace: Trace) -> dict[str, Any]:
    """The synced traits that come from *trace* alone."""
    numbers = numbering(trace)
    levels = _levels(trace, numbers)
    return {
        "title": trace.source.label,
        "language": levels[-1]["title"],
        "groups": _groups(trace, numbers),
        "levels": levels,
        "passes": _passes(trace, numbers),
    }


def rows(step: Step, numbers: Mapping[Place, int]) -> Rows:
    """The listing of *step* by row."""
    found = zip(step.lines, groups_of(step, numbers), strict=True)
    return [[line.text, group] for line, group in found]


def assembly_rows(code: MachineCode) -> Rows:
    """``[text, group, line of the generated code]`` for each instruction and label."""
    trace, instructions = code
    groups = groups_of(trace.last(5), numbering(trace))
    return [[text, groups[line - 1] if line else 0, line] for text, line in instructions]


def _groups(trace: Trace, numbers: Mapping[Place, int]) -> list[Any]:
    """By number, from 1: what a group is called and which ones enclose it, the outermost first.

    ``line`` is that of the place that a person knows (``where``), ``row`` that of the cell's listing.
    """
    text, found = "\n".join(trace.source.lines), list[Any]([None] * (len(numbers) + 1))
    for place, number in numbers.items():
        where, line = trace.source.place(place[0])
        around = [n for n in enclosing(place, numbers) if n != number]
        found[number] = {
            "where": where, "line": line, "row": place[0], "snippet": snippet(text, place),
            "within": around,
        }  # fmt: skip
    return found


def _levels(trace: Trace, numbers: Mapping[Place, int]) -> list[dict[str, Any]]:
    """The cell, with its lines' numbers where a person knows them; then what the trace has of: both
    DASTs, both PASTs, generated code.
    """
    cut = segments("\n".join(trace.source.lines), numbers)
    cell = [[[s.text, (0, *s.covered_by)[-1], list(s.begins)] for s in row] for row in cut]
    numbers_there = [trace.source.place(line)[1] for line in range(1, len(cell) + 1)]
    where = trace.source.where.rpartition("/")[2]
    found = [_level("cell", where, "python", cell) | {"numbers": numbers_there}]
    names = (
        ("parsed", "DAST as parsed", (1,)), ("optimised", "DAST optimised", (1, 2)),
        ("past", "PAST", (3,)), ("variant", "variant PAST", (4,)), ("code", "", (5,)),
    )  # fmt: skip
    for id_, title, phases in names:
        if step := next((s for s in reversed(trace.steps) if s.phase in phases), None):
            language = LANGUAGES.get(step.name, "tree")
            found.append(_level(id_, title or step.name, language, rows(step, numbers)))
    return found


def _level(id_: str, title: str, language: str, lines: Rows) -> dict[str, Any]:
    return {"id": id_, "title": title, "language": language, "lines": lines}


def _passes(trace: Trace, numbers: Mapping[Place, int]) -> list[dict[str, Any]]:
    """Every step with its listing, and where that differs from the listing before.

    ``changed`` is said of the tree.  A step that changed no line of the listing has no ``lines``: they
    are those of the last one that has some.
    """
    found, before = list[dict[str, Any]](), None
    for step in trace.steps:
        new = [line.text for line in step.lines]
        same = new == before
        found.append({
            "name": step.name, "phase": step.phase, "seconds": step.seconds, "changed": step.changed,
            "language": LANGUAGES.get(step.name, "tree"),
            "lines": None if same else rows(step, numbers),
            "blocks": [] if same or before is None else blocks(before, new),
        })  # fmt: skip
        before = new
    return found
