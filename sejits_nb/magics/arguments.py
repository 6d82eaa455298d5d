"""The magics' command line: read as a shell reads it; a wrong flag gets "did you mean"."""

from __future__ import annotations

import shlex
from argparse import SUPPRESS, ArgumentParser, Namespace
from collections.abc import Mapping
from typing import Any, NoReturn

from ..contracts import Setting
from ..errors import Diagnostic, OptionError, did_you_mean
from ..options import CHECK, RULES, SHOW, TUNE, one_of


class MagicParser(ArgumentParser):
    """An :class:`~argparse.ArgumentParser` that raises :class:`OptionError` and never exits."""

    def error(self, message: str) -> NoReturn:
        raise OptionError(Diagnostic("O003", message, RULES["O003"].why, f"%%{self.prog}?"))


def cell_parser(magic: str, settings: Mapping[str, Setting] | None = None) -> MagicParser:
    """The options that every cell magic knows, and the language's own *settings*."""
    parser = MagicParser(prog=magic, add_help=False, allow_abbrev=False, argument_default=SUPPRESS)
    add = parser.add_argument
    add("name", nargs="?", default="", help="bind this name (default: the function's)")
    add(
        "-b",
        "--backend",
        action="append",
        help="auto, python, c, openmp, ...; repeatable, in order",
    )
    add("-t", "--tune", help=f"{_or(TUNE)}: how long to search (default: quick)")
    add("--budget", type=float, metavar="SECONDS", help="stop timing after this long")
    add(
        "--on", metavar="EXPR", default="", help="arguments to time on (default: a built-in sample)"
    )
    add("--set", metavar="K=V[,K=V]", help="pin knobs: unroll=4,threads=2")
    add("-s", "--show", default="card", help=f"{_or(SHOW)}: what is displayed (default: card)")
    add("--diff", metavar="KERNEL", default="", help="the code beside that of an earlier kernel")
    add("--check", help=f"{_or(CHECK)}: against the plain Python (default: fast)")
    add("--fallback", action="store_true", help="outside the language bind the plain Python")
    add("-f", "--force", action="store_true", default=False, help="measure anew, ignore the record")
    add("-o", "--output", action="store_true", default=False, help="return the kernel")
    add("-q", "--quiet", action="store_true", default=False, help="display nothing")
    add("--cflags", metavar='"..."', help="appended to the C compiler's flags, for this kernel")
    add("--cc", metavar="PATH", help="the C compiler of this kernel")
    add("--device", metavar="NAME|N", help="the OpenCL device: %%sejits backends lists them")
    add("--full-traceback", action="store_true", default=False, help="errors with all frames")
    for name, setting in (settings or {}).items():
        add(f"--{name}", help=setting.doc)
    return parser


def _or(words: tuple[str, ...]) -> str:
    return ", ".join(words)


def parse_line(parser: MagicParser, line: str) -> Namespace:
    """The options of a magic's line; raises :class:`OptionError` (O001, O002, O003)."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise OptionError(Diagnostic("O003", str(error), RULES["O003"].why,
                                     RULES["O003"].try_)) from None  # fmt: skip
    if "--cflags" in words[:-1]:  # flags begin with a dash, as options do
        at = words.index("--cflags")
        words[at : at + 2] = ["=".join(words[at : at + 2])]
    flags = [flag for action in parser._actions for flag in action.option_strings]
    for word in words:
        flag = word.partition("=")[0]
        if flag.startswith("--") and flag not in flags:
            raise OptionError(Diagnostic("O001", f"unknown option {flag}", RULES["O001"].why,
                                         did_you_mean(flag, flags)))  # fmt: skip
    given = parser.parse_args(words)
    one_of("--show", given.show, SHOW)
    return given


def call_arguments(
    expression: str, names: Mapping[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """``--on "u, alpha=0.1"`` as positional and keyword arguments, evaluated among *names*."""
    text = expression.strip()
    try:
        return eval(  # type: ignore[no-any-return]
            f"__arguments__({text}\n)",
            {**names, "__arguments__": lambda *args, **kwargs: (args, kwargs)},
        )
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
        raise OptionError(Diagnostic("O005", f"--on {text!r} raises {said}", RULES["O005"].why,
                                     RULES["O005"].try_)) from error  # fmt: skip
