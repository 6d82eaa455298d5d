"""Tab on a magic's line: flags, their choices, knobs after ``--set``, kernels after ``--diff``.

IPython completes nothing of this by itself.  One matcher among the completer's ``custom_matchers``
does; it looks things up and runs no code of the user's.
"""

from __future__ import annotations

import re
from argparse import Action
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from IPython.core.completer import CompletionContext, SimpleCompletion, context_matcher

from .. import registry
from ..decorate import kernel_of_cell
from ..doctor import rules
from ..kernel import Kernel
from ..options import CHECK, SHOW, TUNE
from .arguments import cell_parser
from .sejits import TOPICS

IDENTIFIER = "sejits_nb"
_SEVERAL = ("--backend", "--set")
"""Options whose value may be several, joined by commas, or that may be given several times."""


class _Place(NamedTuple):
    """Where the cursor is: the words before it, and the part of a word to complete."""

    words: tuple[str, ...]
    partial: str


def add_matcher(shell: Any) -> None:
    """Complete the magics' lines in *shell* from now on."""
    remove_matcher(shell)

    @context_matcher(identifier=IDENTIFIER)  # type: ignore[untyped-decorator]
    def complete(context: CompletionContext) -> dict[str, Any]:
        found, fragment = completions(
            context.full_text, context.cursor_line, context.cursor_position, shell.user_ns
        )
        matches = [SimpleCompletion(text, type="param") for text in found]
        return {"completions": matches, "matched_fragment": fragment, "suppress": bool(found)}

    shell.Completer.custom_matchers.append(complete)


def remove_matcher(shell: Any) -> None:
    """Undo :func:`add_matcher`."""
    matchers = shell.Completer.custom_matchers
    matchers[:] = [m for m in matchers if getattr(m, "matcher_identifier", "") != IDENTIFIER]


def completions(
    text: str, line: int, column: int, names: Mapping[str, Any]
) -> tuple[list[str], str]:
    """What may stand at the cursor (both from 0) of a cell's *text*, and the fragment it replaces.

    Nothing outside of the line of one of our magics.
    """
    head, below = text.split("\n")[line][:column], text.split("\n")[line + 1 :]
    if found := re.match(r"\s*%sejits\s+(.*)$", head):
        return _of(_sejits(_place(found[1])), _place(found[1]).partial)
    found = re.match(r"%%(\w+)\s+(.*)$", head)
    if not found or line or found[1] not in registry.specializer_names():
        return [], ""
    return _cell_magic(found[1], _place(found[2]), "\n".join(below), names)


def _place(written: str) -> _Place:
    *words, partial = re.split(r"\s+", written)
    return _Place(tuple(words), partial)


def _sejits(place: _Place) -> Iterable[str]:
    match place.words:
        case ():
            return TOPICS
        case ("cache",):
            return ("clear",)
        case ("explain",):
            return rules()
    return ()


def _cell_magic(
    language: str, place: _Place, body: str, names: Mapping[str, Any]
) -> tuple[list[str], str]:
    settings = registry.specializer(language).settings
    actions = cell_parser(language, settings)._actions
    flag, equals, value = place.partial.partition("=")
    if not (equals and flag.startswith("--")):
        flag, value = (place.words or ("",))[-1], place.partial
    action = next((a for a in actions if flag in a.option_strings and a.nargs != 0), None)
    if action is None:
        given = {*place.words}
        flags = [_flag(a, place.partial) for a in actions if not given & {*a.option_strings}]
        return _of(flags, place.partial)
    option = action.option_strings[-1]
    if option in settings or option.lstrip("-") in settings:
        return _of(settings[option.lstrip("-")].choices, value.rpartition(",")[2])
    if option == "--set":
        knob, is_value, fragment = value.rpartition(",")[2].partition("=")
        knobs = _knobs(language, body, names)
        if is_value:
            return _of(map(str, knobs.get(knob, ())), fragment)
        return _of((f"{name}=" for name in knobs), knob)
    return _of(_choices(option, names), value)


def _flag(action: Action, partial: str) -> str:
    """The spelling of an option that goes on from *partial*: the long one unless it says otherwise."""
    short = re.fullmatch(r"-\w", partial)
    return next((o for o in action.option_strings if short or o.startswith("--")), "")


def _choices(option: str, names: Mapping[str, Any]) -> Iterable[str]:
    match option:
        case "--backend":
            return ("auto", "python", *registry.platform_names())
        case "--tune":
            return TUNE
        case "--show":
            return SHOW
        case "--check":
            return CHECK
        case "--diff":
            return [n for n, v in names.items() if isinstance(v, Kernel) and n[:1] != "_"]
    return ()


def _knobs(language: str, body: str, names: Mapping[str, Any]) -> dict[str, tuple[Any, ...]]:
    """The knobs of the kernel in the cell, and their values; of an unfinished one none."""
    try:
        kernel = kernel_of_cell(
            f"%%{language}\n{body}", "", "", names.__getitem__, language, {"fallback": False}
        )
        return {k.name: k.values for k in kernel.knobs}
    except Exception:  # whatever a half-written cell may cause, Tab must not
        return {}


def _of(candidates: Iterable[str], fragment: str) -> tuple[list[str], str]:
    return [c for c in candidates if c and c.startswith(fragment)], fragment
