"""What the cell magics of all languages do: parse the line, measure the kernel, bind it, show it."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Mapping
from types import FrameType
from typing import Any

from ..decorate import kernel_of_cell
from ..errors import Diagnostic, OptionError, SejitsError, did_you_mean
from ..kernel import Kernel
from ..machine.roofs import roofs_for_race
from ..options import RULES
from ..registry import specializer
from ..widgets.live import live
from .arguments import call_arguments, cell_parser, parse_line

_SHOWING = ("name", "on", "show", "force", "output", "quiet", "diff", "full_traceback")


def run_cell(language: str, shell: Any, line: str, cell: str) -> Kernel | None:
    """One language cell.  The name is bound only after success; any failure raises."""
    given = parse_line(cell_parser(language, specializer(language).settings), line)
    try:
        kernel = _run(language, shell, f"%%{language} {line}".rstrip() + f"\n{cell}", given)
    except SejitsError as error:
        error.with_frames = given.full_traceback
        raise
    return kernel if given.output else None


def _run(language: str, shell: Any, text: str, given: Namespace) -> Kernel:
    chosen: dict[str, Any] = {"tune": "quick", "fallback": False}
    chosen |= {k: v for k, v in vars(given).items() if k not in _SHOWING}
    earlier = named_kernel(given.diff, shell.user_ns) if given.diff else None
    where = _cell_label(shell)
    kernel = kernel_of_cell(text, where, given.name, _lookup(shell), language, chosen)
    if given.on:
        args, kwargs = kernel.completed(*call_arguments(given.on, shell.user_ns))
    else:
        args, kwargs = kernel.sample_arguments(), {}
    with live(not given.quiet and given.show != "none") as display:
        if kernel.options.tune != "none":
            roofs_for_race(kernel.__name__, display.listen)
        kernel.measure(*args, fresh=given.force, listen=display.listen, **kwargs)
        shell.user_ns[given.name or kernel.__name__] = kernel
        if not given.quiet:
            diff = kernel.diff(earlier, given.diff) if earlier is not None else None
            kernel.show(given.show, display.publish, diff)
    return kernel


def named_kernel(name: str, names: Mapping[str, Any]) -> Kernel:
    """The kernel that *name* is bound to; raises :class:`OptionError` (O006)."""
    found = names.get(name)
    if not isinstance(found, Kernel):
        kernels = [n for n, v in names.items() if isinstance(v, Kernel)]
        try_ = did_you_mean(name, kernels) if kernels else RULES["O006"].try_
        what = f"--diff {name}: no kernel has that name"
        raise OptionError(Diagnostic("O006", what, RULES["O006"].why, try_))
    return found


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
