"""Names of the user's program as identifiers of C and OpenCL C."""

from __future__ import annotations

import re
from collections.abc import Iterable

_RESERVED = frozenset("""
auto break case char const continue default do double else enum extern float for goto if inline int
long register restrict return short signed sizeof static struct switch typedef union unsigned void
volatile while bool true false kernel global local constant private half event_t size_t ptrdiff_t
int8_t int16_t int32_t int64_t uint8_t uint16_t uint32_t uint64_t uintptr_t
abs fabs sqrt exp log sin cos tan tanh pow floor fmod copysign min max asm typeof linux unix NAN
INFINITY main uchar ushort uint ulong pipe uniform sampler_t vec_step read_only write_only read_write
""".split())  # fmt: skip


_GENERATED = re.compile(r"[a-z]+_[biuf][a-z0-9]+|.*__x?\d+")
"""Names that generated code makes itself: helpers (``mod_f64``) and unrolled copies (``acc__1``)."""


class Identifiers:
    """Hands out one C identifier for each name of the program; the same one when asked again.

    Keeps a name where it can, appends ``_`` to a taken or reserved one or to one in capitals (C's
    macros: ``M_PI``), and spells non-ASCII letters by their code point (``α`` -> ``u3b1``).
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._given: dict[str, str] = {}
        self._taken = set(taken)

    def __getitem__(self, name: str) -> str:
        if name not in self._given:
            self._given[name] = self.fresh(name)
        return self._given[name]

    def fresh(self, name: str) -> str:
        """An identifier like *name* that nothing has yet."""
        spelled = "".join(c if c.isascii() else f"u{ord(c):x}" for c in name)
        spelled = re.sub(r"\W", "_", spelled)
        spelled = f"v{spelled}" if spelled.startswith("_") else spelled
        spelled = f"{spelled}_" if spelled.upper() == spelled and len(spelled) > 1 else spelled
        spelled = f"{spelled}_" if _GENERATED.fullmatch(spelled) else spelled
        while spelled in _RESERVED or spelled in self._taken:
            spelled += "_"
        self._taken.add(spelled)
        return spelled
