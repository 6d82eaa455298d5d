"""What ``kernel.explore()`` shows, and what its widget may ask of the kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .kernel import Kernel
    from .widgets.explorer.widget import Explorer


def explore(kernel: Kernel) -> Explorer:
    """The explorer of *kernel*: of its last measurement, else of its last call, else of the built-in
    sample.  Raises ``ImportError`` where anywidget is not installed.
    """
    from .widgets.explorer import widget_class
    from .widgets.explorer.actions import Actions

    trace = kernel.report.trace if kernel.report else kernel.trace
    return widget_class()(trace, Actions(assembly=kernel._machine_code))
