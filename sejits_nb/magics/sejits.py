"""``%sejits``: doctor, backends, machine, cache, explain."""

from __future__ import annotations

from IPython.core.magic import Magics, line_magic, magics_class

from ..doctor import backends, cache_line, clear_cache, doctor, explain
from ..errors import Diagnostic, OptionError, did_you_mean
from ..machine.roofs import measured_roofs
from ..widgets.show import show_machine

TOPICS = ("backends", "cache", "doctor", "explain", "machine")


@magics_class
class SejitsMagics(Magics):
    """Questions about the installation."""

    @line_magic
    def sejits(self, line: str) -> None:
        """%sejits doctor | backends | machine [--remeasure] | cache [clear] | explain CODE"""
        topic, _, rest = line.strip().partition(" ")
        match topic, rest.strip():
            case "doctor", "":
                print(doctor())
            case "backends", "":
                print(backends())
            case "machine", "" | "--remeasure":
                show_machine(measured_roofs(remeasure=bool(rest)))
            case "cache", "":
                print(cache_line())
            case "cache", "clear":
                print(clear_cache())
            case "explain", code if code:
                print(explain(code))
            case _:
                raise OptionError(Diagnostic("O001", f"%sejits {line.strip() or 'what?'}",
                                             "it answers a few fixed questions",
                                             did_you_mean(topic, TOPICS)))  # fmt: skip
