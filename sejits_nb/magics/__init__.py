"""The magics: parse arguments, start a pipeline, show the result.  Loaded by ``%load_ext`` only."""

from __future__ import annotations

from typing import Any


def register(shell: Any) -> None:
    """Register every magic with an IPython shell, and complete their lines."""
    from .completion import add_matcher
    from .gmm import GmmMagics
    from .sejits import SejitsMagics
    from .stencil import StencilMagics

    shell.register_magics(StencilMagics, GmmMagics, SejitsMagics)
    add_matcher(shell)


def unregister(shell: Any) -> None:
    """Take the magics and their completion away again."""
    from .completion import remove_matcher
    from .gmm import GmmMagics
    from .sejits import SejitsMagics
    from .stencil import StencilMagics

    for magics in (StencilMagics, GmmMagics, SejitsMagics):
        for kind, names in magics.magics.items():
            for name in names:
                shell.magics_manager.magics[kind].pop(name, None)
    remove_matcher(shell)
