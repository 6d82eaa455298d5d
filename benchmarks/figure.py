"""The plot beside a result: each contender's share of STREAM's bandwidth, case by case."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from .report import Document

_STYLES: dict[str, tuple[str, str]] = {
    "ours": ("D", "#d55e00"),
    "ours, NumPy's output": ("d", "#e69f00"),
    "C by hand": ("*", "#000000"),
    "Numba": ("o", "#0072b2"),
    "Numba, our output": ("v", "#56b4e9"),
    "SciPy": ("s", "#009e73"),
    "NumPy": ("^", "#cc79a7"),
}
"""Contender -> marker and a colour of Okabe and Ito's palette: never colour alone."""


def draw(document: Document, path: Path) -> None:
    """Write a PNG: a row for each case, STREAM's copy of the same rounds at 1, a log scale."""
    cases = document["cases"]
    size = (8, 1.9 + 0.42 * len(cases))
    figure = Figure(figsize=size, dpi=120, facecolor="white", layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.subplots()
    for name, (marker, colour) in _STYLES.items():
        at = [(c["share_of_stream"][name], row) for row, c in enumerate(cases)
              if name in c["share_of_stream"]]  # fmt: skip
        if at:
            shares, rows = zip(*at, strict=True)
            axes.plot(shares, rows, marker, color=colour, label=name, markersize=8,
                      markerfacecolor="none" if name == "C by hand" else colour)  # fmt: skip
    axes.axvline(1, color="#666666", linewidth=1, linestyle="--")
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{share:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_yticks(range(len(cases)), [_label(case) for case in cases])
    axes.set_ylim(len(cases) - 0.5, -0.5)
    axes.set_xlabel("compulsory traffic over time, as a share of STREAM's copy in the same round")
    axes.grid(True, axis="x", color="#dddddd")
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    figure.suptitle(f"{document['machine']}, {document['date']}", x=0.01, ha="left", fontsize=10)
    figure.legend(loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    canvas.print_png(path)  # type: ignore[no-untyped-call]  # matplotlib leaves it untyped


def _label(case: dict[str, Any]) -> str:
    stream = case["copied_bytes"] / statistics.median(case["stream_s"]) / 1e9
    return f"{case['case']}\nSTREAM {stream:.0f} GB/s"
