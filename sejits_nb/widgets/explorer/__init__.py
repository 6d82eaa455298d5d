"""``kernel.explore()``: levels, passes and measurements of a kernel in one widget.

::

    widget   the AnyWidget: synced traits, and who answers which question (imports anywidget)
    state    Trace -> plain values for the browser       blocks   where two listings differ
    actions  what the widget may ask of its kernel       js/      the browser's half
    measured the last report, and who answers Variants and Roofline, with the rows of variants_state
             and roofline_state                          tuning   a race in a thread of its own
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .widget import Explorer


def widget_class() -> type[Explorer]:
    """The class :class:`~.widget.Explorer`; raises ``ImportError`` without anywidget."""
    try:
        import anywidget  # noqa: F401  # asked for alone: a mistake of our own is another error
    except ImportError:
        raise ImportError(
            "explore() shows a widget, and anywidget is not installed: pip install 'sejits_nb[lab]'"
        ) from None
    from .widget import Explorer

    return Explorer
