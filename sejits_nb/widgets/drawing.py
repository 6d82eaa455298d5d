"""What all figures share: colours, frames, and how a figure becomes a small PNG.

Object-oriented matplotlib only: no pyplot, no global setting, every colour and size said here, so
that a notebook's own style and another thread's figure are left alone.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from .bundles import image_bundle
from .colours import FAINT, GRID, INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class ShownFigure(Figure):
    """A figure that a notebook shows by itself, without pyplot; ``alt`` says it in words."""

    alt = ""

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return image_bundle(png_of(self), self.alt, self.canvas.get_width_height())


def new_figure(width: int, height: int) -> ShownFigure:
    """An empty figure of so many pixels."""
    return ShownFigure(figsize=(width / 100, height / 100), dpi=100, facecolor="white",
                       layout="constrained")  # fmt: skip


def png_of(figure: Figure) -> bytes:
    """*figure* as a PNG.  Few colours are drawn: a palette makes a quarter of the bytes."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]  # matplotlib leaves these two untyped
    size = canvas.get_width_height()
    pixels = Image.frombuffer("RGBA", size, canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    data = io.BytesIO()
    few = pixels.convert("RGB").quantize(64, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    # An octree gives a colour as the middle of its cell: white as 254.
    few.putpalette([255 if part == 254 else part for part in few.getpalette() or ()])
    few.save(data, "PNG", optimize=True)
    return data.getvalue()


def frame(axes: Axes, label: str, grid: str = "x") -> None:
    """Ticks, grid lines along *grid*, and the label of the horizontal axis."""
    axes.set_facecolor("white")
    axes.set_xlabel(label, fontsize=9, color=INK)
    axes.tick_params(labelsize=8.5, colors=FAINT, labelcolor=INK, length=3, width=0.8, left=False)
    axes.grid(False)
    axes.grid(True, axis=grid, color=GRID, linewidth=0.8)  # type: ignore[arg-type]
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(FAINT)
