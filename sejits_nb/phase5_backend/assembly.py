"""The machine code of a compiled variant as text: the compiler's own, by the lines of C it is from.

The command that built the library runs again with ``-S`` for output and ``-g1`` for line numbers,
which change no instruction.
"""

from __future__ import annotations

import re
import shlex
import shutil
import tempfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from ..errors import BackendError, Diagnostic
from ..stages import Artifact
from . import cache
from .c_compiler import run

CODES = {
    "B009": "The assembly of a variant cannot be shown: it has none, or its compiler gives none."
}

_LISTING = "kernel.s"
_FILE = re.compile(r"\s*\.file\s+(\d+)\s.*\"([^\"]*)\"")
_LOC = re.compile(r"\s*\.loc\s+(\d+)\s+(\d+)")
_SECTION = re.compile(r"\s*\.(text\b|section\s+\"?\.text|section|data\b|bss\b)")
_LABEL = re.compile(r"([.\w$]+):")
_NAME = re.compile(r"[.\w$]+")


@lru_cache(maxsize=8)
def assembly(artifact: Artifact) -> tuple[tuple[str, int], ...]:
    """Labels and instructions, each with its line of the C (from 1; 0: none).

    Raises :class:`BackendError` (B009).
    """
    command = artifact.build.command
    if cache.SOURCE not in command:
        raise _error("this variant is no C", "assembly is the C compiler's", 'backend="openmp"')
    head = [w for w in command[: command.index(cache.SOURCE)] if w != "-shared"]
    with tempfile.TemporaryDirectory(prefix="sejits_nb-") as root:
        folder = Path(root) / "assembly" / "here"  # a compiler's own cache goes two levels up
        folder.mkdir(parents=True)
        shutil.copy(artifact.source, folder / cache.SOURCE)
        status = run([*head, "-S", "-g1", cache.SOURCE, "-o", _LISTING], folder)
        if status != 0 or not (folder / _LISTING).is_file():
            said = (folder / "build.log").read_text(encoding="utf-8", errors="replace").strip()
            why = said.splitlines()[-1] if said else f"it ended with status {status}"
            raise _error(f"{shlex.join(head[:1])} gives no assembly", why, "%sejits doctor")
        return read_assembly((folder / _LISTING).read_text(encoding="utf-8", errors="replace"))


def read_assembly(text: str) -> tuple[tuple[str, int], ...]:
    """The code sections of a compiler's listing: no directives, no data, no label that nothing uses."""
    rows = list(_code(text))
    used = {
        name for row, _ in rows if not _LABEL.fullmatch(row)
        for name in _NAME.findall(row.partition(" ")[2])
    }  # fmt: skip
    return tuple(
        (row, line)
        for row, line in rows
        if not (label := _LABEL.fullmatch(row)) or not label[1].startswith(".") or label[1] in used
    )


def _code(text: str) -> Iterator[tuple[str, int]]:
    """Labels and instructions in code sections, with their line."""
    ours: set[str] = set()
    line, in_code = 0, True
    for raw in text.splitlines():
        row = re.sub(r"\s+#.*$", "", raw.split("##")[0]).rstrip()
        if section := _SECTION.match(row):
            in_code = section[1].startswith("text") or ".text" in section[1]
        elif file := _FILE.match(row):
            ours |= {file[1]} if Path(file[2]).name == cache.SOURCE else set()
        elif loc := _LOC.match(row):
            line = int(loc[2]) if loc[1] in ours else 0
        elif in_code and (label := _LABEL.fullmatch(row.strip())):
            yield row.strip(), 0 if label[1].startswith(".") else line
        elif in_code and row.strip() and not row.strip().startswith((".", "#")):
            name, _, operands = row.strip().partition("\t")
            yield f"    {name:<12} {operands.strip()}".rstrip(), line


def _error(message: str, why: str, try_: str) -> BackendError:
    return BackendError(Diagnostic("B009", message, why, try_))
