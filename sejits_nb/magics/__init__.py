"""The magics: parse arguments, start a pipeline, show the result.  Loaded by ``%load_ext`` only."""

from __future__ import annotations

from typing import Any


def register(shell: Any) -> None:
    """Register every magic with an IPython shell."""
    from .sejits import SejitsMagics
    from .stencil import StencilMagics

    shell.register_magics(StencilMagics, SejitsMagics)
