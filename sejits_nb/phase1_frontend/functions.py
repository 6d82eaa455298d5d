"""Live Python functions: where their text is, where their free names live, and those of a cell."""

from __future__ import annotations

import ast
import inspect
import sys
import sysconfig
import types
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from ..contracts import Namespace
from ..stages import KernelSource


class Written(NamedTuple):
    """A function's source without its margin; its first line is line ``first_line`` of ``where``."""

    text: str
    where: str
    first_line: int


_written: WeakKeyDictionary[types.FunctionType, Written | None] = WeakKeyDictionary()
"""Read once: a file may change while its functions live."""


def read(fn: types.FunctionType) -> Written:
    """The text of *fn*.  Raises ``OSError`` or ``TypeError`` where there is none to be read."""
    known = _written.get(fn)
    if known is None:
        lines, first = inspect.getsourcelines(fn)
        margin = lines[0][: len(lines[0]) - len(lines[0].lstrip())]
        text = "".join(line.removeprefix(margin) for line in lines)
        known = _written[fn] = Written(text, _place(fn.__code__.co_filename), first)
    return known


def readable(value: Any) -> Written | None:
    """The text of a plain function that a ``def`` makes; ``None`` for anything else."""
    if not isinstance(value, types.FunctionType) or hasattr(value, "__wrapped__"):
        return None
    if value not in _written:
        try:
            tree = ast.parse(read(value).text)
        except (OSError, TypeError, SyntaxError, RecursionError):
            tree = ast.Module([], [])
        if find_function(tree, value.__code__.co_name) is None:
            _written[value] = None
    return _written[value]


@lru_cache(maxsize=256)
def installed(where: str) -> bool:
    """Whether a file belongs to Python or to a package that was installed."""
    paths = sysconfig.get_paths()
    return any(Path(paths[p]) in Path(where).parents for p in ("stdlib", "purelib", "platlib"))


def names_of(fn: types.FunctionType) -> Namespace:
    """Where the free names of *fn* live: closure, then globals."""
    cells = dict(zip(fn.__code__.co_freevars, fn.__closure__ or (), strict=False))

    def lookup(name: str) -> Any:
        return cells[name].cell_contents if name in cells else fn.__globals__[name]

    return lookup


def defaults_of(fn: types.FunctionType) -> Mapping[str, Any]:
    """Parameter -> default."""
    code, positional = fn.__code__, fn.__defaults__ or ()
    names = code.co_varnames[code.co_argcount - len(positional) : code.co_argcount]
    return dict(zip(names, positional, strict=True)) | (fn.__kwdefaults__ or {})


def find_function(tree: ast.Module, name: str) -> ast.FunctionDef | None:
    """The last top-level function of that name."""
    found = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == name]
    return found[-1] if found else None


def with_cell_functions(source: KernelSource, lookup: Namespace) -> Namespace:
    """*lookup*, but the other functions of the kernel's cell come first.

    They are made when they are asked for, and see what *lookup* has at each call.
    """
    try:
        tree = ast.parse(source.code)
    except (SyntaxError, RecursionError):
        return lookup
    names = {n.name for n in tree.body if isinstance(n, ast.FunctionDef)} - {source.name}
    made: dict[str, Any] = {}

    def found(name: str) -> Any:
        if name in names and name not in made:
            node = find_function(tree, name)
            assert node is not None
            exec(compile(ast.Module([node], []), source.where, "exec"), scope)
            lines = source.lines[node.lineno - 1 : node.end_lineno]
            made[name] = dict.__getitem__(scope, name)
            if isinstance(made[name], types.FunctionType):
                first = source.first_line + node.lineno - 1
                _written[made[name]] = Written("\n".join(lines) + "\n", source.where, first)
        return made[name] if name in made else lookup(name)

    scope = _Live(found)
    return found


def from_text(written: Written, name: str, names: dict[str, Any]) -> types.FunctionType:
    """The function that *written* defines, with *names* as its globals and no defaults."""
    node = find_function(ast.parse(written.text), name)
    assert node is not None
    node.decorator_list, node.returns = [], None
    args = node.args
    for one in (*args.posonlyargs, *args.args, *args.kwonlyargs):
        one.annotation = None
    args.defaults, args.kw_defaults = [], [None] * len(args.kwonlyargs)
    exec(compile(ast.Module([node], []), written.where, "exec"), names)
    made: types.FunctionType = names.pop(name)
    _written[made] = written
    return made


class _Live(dict[str, Any]):
    """Global names that are looked up whenever they are used."""

    def __init__(self, lookup: Namespace) -> None:
        super().__init__()
        self.lookup = lookup

    def __missing__(self, name: str) -> Any:
        return self.lookup(name)


def _place(filename: str) -> str:
    """``Cell In[3]`` for a notebook's cell, the file name otherwise."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    name: Callable[[str], Any] | None = getattr(
        getattr(shell, "compile", None), "format_code_name", None
    )
    found = name(filename) if name else None
    return " ".join(found) if found else filename
