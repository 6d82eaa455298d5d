"""What ``%sejits machine`` shows: the measured roofs as a table, and as a roofline without points."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from ..machine.roofline import levels, peak_of
from ..machine.roofs import MEMORY
from ..results import Roofs
from .markup import table

UNKNOWN = "not measured yet: %sejits machine measures them, in a few seconds"
FIGURE_SIZE = (800, 330)


def machine_headline(roofs: Roofs) -> str:
    """``2 threads: STREAM 80 GB/s, peak f64 117 GFLOP/s, f32 235 GFLOP/s``."""
    memory = levels(roofs, roofs.threads)[-1].bytes_per_s
    peaks = ", ".join(f"{d} {_flops(peak_of(roofs, d, roofs.threads))}" for d in ("f64", "f32"))
    return f"{_threads(roofs.threads)}: STREAM {_bytes(memory)}, peak {peaks}"


def machine_text(roofs: Roofs) -> str:
    """The machine, its roofs as a table, and when they were measured."""
    cells = [_heads(roofs), *_rows(roofs)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in cells
    ]
    return "\n".join([f"machine: {machine_headline(roofs)}", "", *lines, "", *_notes(roofs)])


def machine_html(roofs: Roofs) -> str:
    """The same as HTML."""
    heads = _heads(roofs)
    notes = "".join(f"<p>{escape(line)}</p>" for line in _notes(roofs))
    return (
        f"<p><strong>machine</strong>: {escape(machine_headline(roofs))}</p>"
        f"{roofs_table(roofs, heads)}{notes}"
    )


def roofs_table(roofs: Roofs, heads: Sequence[str] = ()) -> str:
    """The measured rates, a row for each memory and peak, a column for each number of threads."""
    heads = heads or _heads(roofs)
    numeric = (False, *(True for _ in heads[1:]))
    return table(heads, _rows(roofs), numeric, "Measured roofs")


def machine_figure(roofs: Roofs) -> bytes:
    """The roofs of all threads as a PNG of :data:`FIGURE_SIZE` pixels."""
    from .colours import INK
    from .drawing import new_figure, png_of
    from .roofline_plot import draw_roofline

    figure = new_figure(*FIGURE_SIZE)
    draw_roofline(figure.subplots(), roofs, roofs.threads, ("f64", "f32"))
    title = figure.suptitle(roofs.machine, x=0.01, ha="left", fontsize=10, color=INK)
    title.set_parse_math(False)
    return png_of(figure)


def machine_alt(roofs: Roofs) -> str:
    """The figure in words: every number that it draws."""
    drawn = [
        f"{'STREAM' if b.level == MEMORY else b.level} {_bytes(b.bytes_per_s)}"
        for b in levels(roofs, roofs.threads, mostly_read=True)
    ]
    return f"Roofline of {roofs.machine}. {machine_headline(roofs)}. {', '.join(drawn)}."


def _rows(roofs: Roofs) -> list[tuple[str, ...]]:
    counts = sorted({1, roofs.threads})
    rates = {(b.level, b.kind, b.threads): b for b in roofs.bandwidths}
    rows = []
    for level, kind in dict.fromkeys((b.level, b.kind) for b in roofs.bandwidths):
        found = [rates.get((level, kind, t)) for t in counts]
        texts = [_bytes(b.bytes_per_s) if b else "" for b in found]
        size = next(b.set_bytes for b in reversed(found) if b)
        rows.append((f"{level} {kind}", *texts, _size(size)))
    for dtype in ("f64", "f32"):
        peaks = [_flops(peak_of(roofs, dtype, t)) for t in counts]
        rows.append((f"multiply-add {dtype}", *peaks, "registers"))
    return rows


def _heads(roofs: Roofs) -> tuple[str, ...]:
    return "roof", *(_threads(t) for t in sorted({1, roofs.threads})), "working set"


def _notes(roofs: Roofs) -> list[str]:
    return [*roofs.notes, f"{roofs.machine} · measured {roofs.date}"]


def _threads(count: int) -> str:
    return f"{count} thread{'s' * (count > 1)}"


def _bytes(rate: float) -> str:
    return f"{rate / 1e9:.{1 if rate < 99.5e9 else 0}f} GB/s"


def _flops(rate: float) -> str:
    return f"{rate / 1e9:.{1 if rate < 99.5e9 else 0}f} GFLOP/s"


def _size(size: int) -> str:
    return f"{size >> 20} MiB" if size >= 1 << 20 else f"{size >> 10} KiB"
