"""What the cell magics of all languages do: parse the line, measure the kernel, bind it, show it."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

from ..decorate import kernel_of_cell
from ..kernel import Kernel
from ..registry import specializer
from .arguments import call_arguments, cell_parser, parse_line

_SHOWING = ("name", "on", "show", "force", "output", "quiet")


def run_cell(language: str, shell: Any, line: str, cell: str) -> Kernel | None:
    """One language cell.  The name is bound only after success; any failure raises."""
    given = parse_line(cell_parser(language, specializer(language).settings), line)
    chosen: dict[str, Any] = {"tune": "quick", "fallback": False}
    chosen |= {k: v for k, v in vars(given).items() if k not in _SHOWING}
    where = _cell_label(shell)
    text = f"%%{language} {line}".rstrip() + f"\n{cell}"
    kernel = kernel_of_cell(text, where, given.name, _lookup(shell), language, chosen)
    if given.on:
        args, kwargs = call_arguments(given.on, shell.user_ns)
    else:
        args, kwargs = kernel.sample_arguments(), {}
    kernel.measure(*args, fresh=given.force, **kwargs)
    shell.user_ns[given.name or kernel.__name__] = kernel
    if not given.quiet:
        kernel.show(given.show)
    return kernel if given.output else None


def _cell_label(shell: Any) -> str:
    """``Cell In[7]``, as IPython's own tracebacks name the running cell.

    The cell's own frame knows; ``execution_count`` may already be that of the next cell.
    """
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if found := shell.compile.format_code_name(frame.f_code.co_filename):
            return " ".join(found)
        frame = frame.f_back
    return f"Cell In[{shell.execution_count}]"


def _lookup(shell: Any) -> Any:
    """Free names of a cell live in the notebook's namespace, as they are when it is asked."""
    return lambda name: shell.user_ns[name]
