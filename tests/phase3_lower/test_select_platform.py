"""The first platform that can run here, and a sentence for each one passed over."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sejits_nb.contracts import Platform
from sejits_nb.phase3_lower.select_platform import select_platform
from sejits_nb.platforms.c_openmp import SERIAL


@dataclass(frozen=True)
class Found:
    usable: bool
    text: str


def platform(name: str, usable: bool = True, language: str = "c") -> Platform:
    return replace(
        SERIAL, name=name, language=language, probe=lambda: Found(usable, f"{name} text")
    )


def test_the_first_usable_one_is_taken() -> None:
    wanted = [platform("a"), platform("b")]
    assert select_platform(wanted, ["c"]) == (wanted[0], ())


def test_the_others_are_passed_over_with_a_reason() -> None:
    wanted = [platform("gpu", language="opencl"), platform("old", usable=False), platform("new")]
    assert select_platform(wanted, ["c"]) == (
        wanted[2],
        ("no gpu: the specializer has no lowering to opencl", "no old: old text"),
    )


def test_none_is_left() -> None:
    assert select_platform([platform("old", usable=False)], ["c"]) == (None, ("no old: old text",))
    assert select_platform([], ["c"]) == (None, ())


def test_a_platform_of_another_language_is_not_even_probed() -> None:
    def probe() -> Found:
        raise AssertionError

    found, _ = select_platform([replace(platform("gpu", language="cuda"), probe=probe)], ["c"])
    assert found is None
