"""A planted wrong variant never wins: it is disqualified with its reason, and the others race."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config as Traits

from sejits_nb import config, registry
from sejits_nb.contracts import Knob, Platform, VariantSpace
from sejits_nb.decorate import kernel_of_cell
from sejits_nb.errors import BackendError, WrongResult
from sejits_nb.ir.dast import Line
from sejits_nb.ir.past import Unit
from sejits_nb.kernel import SejitsWarning
from sejits_nb.platforms.c_openmp import SERIAL
from sejits_nb.results import Report
from sejits_nb.specializers.stencil import SPECIALIZER
from sejits_nb.stages import Artifact, Case, Config, KernelSource, SourceUnit, Variant
from sejits_nb.tune.specialize import Request, Specialization, specialize
from sejits_nb.widgets.card_text import card_text

CELL = """\
%%stencil -b c --on u
def slope(u, out):
    for x in out.interior_points():
        out[x] = u[x + (1, 0)] - u[x - (0, 1)]
"""
U = np.arange(252.0).reshape(21, 12)
"""Every interior point of its slope is 13; a wrong index gives something else."""
Damage = Callable[[str], str]


def no_names(name: str) -> Any:
    """Where the free names of the cell live: it has none."""
    raise KeyError(name)


def config_of(unroll: int) -> Config:
    return Config((("threads", 1), ("unroll", unroll)))


@dataclasses.dataclass
class Planted:
    """The serial C platform, except that the code of some variants is damaged on its way out."""

    damage: Damage
    unrolls: tuple[int, ...] = (4,)
    done: int = 0
    trials: list[str] = dataclasses.field(default_factory=list)
    configs: dict[Unit, Config] = dataclasses.field(default_factory=dict)

    @property
    def platform(self) -> Platform:
        return dataclasses.replace(SERIAL, space=self.space, emit=self.emit, trial=self.trial)

    def space(self, unit: Unit, knobs: tuple[Knob, ...]) -> VariantSpace:
        fewer = [
            dataclasses.replace(k, values=(1, 2, 4)) if k.name == "unroll" else k for k in knobs
        ]
        right = SERIAL.space(unit, tuple(fewer))

        def build(chosen: Config) -> Variant:
            variant = right.build(chosen)
            self.configs[variant.past] = chosen
            return variant

        return dataclasses.replace(right, build=build)

    def emit(self, unit: Unit) -> SourceUnit:
        source = SERIAL.emit(unit)
        if self.configs[unit]["unroll"] not in self.unrolls:
            return source
        damaged = self.damage(source.text)
        self.done += damaged != source.text
        return dataclasses.replace(source, lines=tuple(map(Line, damaged.splitlines())))

    def trial(self, artifact: Artifact, case: Case) -> str:
        self.trials.append(case.label)
        return SERIAL.trial(artifact, case)


def instead(pattern: str, new: str) -> Damage:
    return lambda text: re.sub(pattern, new, text)


def at_the_end(statement: str) -> Damage:
    return lambda text: text.rstrip().removesuffix("}") + f"    {statement}\n}}\n"


def run(planted: Planted, u: Any = U, **wanted: Any) -> Specialization:
    """Specialize ``slope(u)`` on the planted platform, ignoring all records."""
    source = KernelSource("slope", CELL, "Cell In[1]")
    interface = SPECIALIZER.interface(source)
    values = SPECIALIZER.bind(interface, (u,), {}).values
    request = Request(
        SPECIALIZER, (planted.platform,), source, no_names, values,
        SPECIALIZER.signature(interface, values), tune="quick", budget_s=5.0, fresh=True,
    )  # fmt: skip
    try:
        return specialize(dataclasses.replace(request, **wanted))
    finally:
        assert planted.done, "the damage met nothing"


def report_of(done: Specialization) -> Report:
    assert done.report is not None
    return done.report


THIRD = r"(out\[\(i \+ 2\) \* 12 \+ j\] = .*);"
"""The third of the four stores that ``unroll=4`` makes."""
HERE = "(at the call's own shape)"


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (instead(r"(u\[\(i \+ 4\) \* 12 \+ j)\]", r"\1 + 1]"),
         f"out[4, 1] is 14.0, the plain Python gives 13.0 {HERE}"),
        (instead("i < 20; i\\+\\+", "i < 19; i++"),
         f"out[19, 1] is 0.0, the plain Python gives 13.0 {HERE}"),
        (instead("int64_t i = 17", "int64_t i = 18"),
         f"out[17, 1] is 0.0, the plain Python gives 13.0 {HERE}"),
        (instead(THIRD, ""), f"out[3, 1] is 0.0, the plain Python gives 13.0 {HERE}"),
        (instead(THIRD, r"\1 + 1e-13;"),
         f"out[3, 1] is 13.0000000000001, the plain Python gives 13.0 {HERE}"),
        (instead("int64_t j = 1", "int64_t j = 0"),
         f"out[1, 0] is 13.0, the plain Python gives 0.0 {HERE}"),
        (at_the_end("out[252] = 13.0;"), f"writes outside of out {HERE}"),
        (at_the_end("out[-1] = 13.0;"), f"writes outside of out {HERE}"),
        (at_the_end("((double *)u)[17] = 13.0;"),
         f"changes its input: u[1, 5] was 17.0, is 13.0 {HERE}"),
    ],
    ids=["index off by one", "remainder too short", "remainder too late", "store missing",
         "slightly off", "ghost zone", "past the end", "before the start", "input"],
)  # fmt: skip
def test_a_wrong_variant_is_disqualified_and_the_others_race(damage: Damage, reason: str) -> None:
    done = run(Planted(damage))
    found = {m.config: m for m in report_of(done).measurements}
    assert found.keys() == {config_of(1), config_of(2), config_of(4)}
    wrong = found.pop(config_of(4))
    assert (wrong.verdict, wrong.reason, wrong.times_s) == ("wrong", reason, ())
    assert {m.verdict for m in found.values()} == {"correct"}
    assert all(m.times_s for m in found.values())
    assert done.config in found
    assert reason in card_text(report_of(done))


def test_an_endless_variant_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "TRIAL_TIMEOUT_S", 0.3)
    done = run(Planted(at_the_end("for (;;) {}")))
    wrong = report_of(done).measurements[-1]
    assert (wrong.config, wrong.verdict) == (config_of(4), "wrong")
    assert wrong.reason == f"no answer within 0.3 s {HERE}"


def test_a_crashing_variant_is_disqualified() -> None:
    done = run(Planted(at_the_end("*(volatile int *)8 = 1;")))
    wrong = report_of(done).measurements[-1]
    assert (wrong.config, wrong.verdict) == (config_of(4), "wrong")
    assert "SIGSEGV" in wrong.reason


def test_a_variant_that_does_not_compile_has_failed() -> None:
    done = run(Planted(instead(r"u\[\(i \+ 4\)", "v[(i + 4)")))
    failed = report_of(done).measurements[-1]
    assert (failed.config, failed.verdict, failed.times_s) == (config_of(4), "failed", ())
    assert "B002" in failed.reason


def test_a_defect_at_the_call_s_own_shape_only_is_found() -> None:
    """A large call is first checked on a small grid, then at corners, seams and random points."""
    u = np.arange(64.0 * 48).reshape(64, 48)
    planted = Planted(instead("i < 63; i\\+\\+", "i < 62; i++"))
    done = run(planted, u)
    wrong = report_of(done).measurements[-1]
    assert (wrong.config, wrong.verdict) == (config_of(4), "wrong")
    assert wrong.reason.startswith("out[62, 1] is 0.0, the plain Python gives 49.0")
    assert set(planted.trials) == {"on a small grid", "at the call's own shape"}


def test_a_defect_on_a_small_grid_is_enough() -> None:
    """Even one that the sampled points of a large call would not meet."""
    u = np.arange(64.0 * 48).reshape(64, 48)
    planted = Planted(instead(r"(\* 23 \+ j\]) -", r"\1 + (i == 5 && j == 7) -"))
    wrong = report_of(run(planted, u)).measurements[-1]
    assert wrong.verdict == "wrong"
    assert wrong.reason.endswith("(on a small grid)")
    assert wrong.reason.startswith("out[5, 7] is ")


# -- none is left


def test_when_all_are_wrong_nothing_runs() -> None:
    with pytest.raises(WrongResult) as caught:
        run(Planted(instead(r"(\[i \* 12 \+ j\] =)", r"\1 1.0 +"), (1, 2, 4)))
    assert str(caught.value) == (
        "WrongResult W001: no variant of 'slope' equals the plain Python: out[1, 1] is 14.0, "
        f"the plain Python gives 13.0 {HERE}\n"
        "  Cell In[1]\n"
        "  why:  check='fast' compares every variant before it may run\n"
        "  try:  report it with the cell: this is a defect of ours\n"
        "  more: %sejits explain W001"
    )


def test_when_none_compiles_it_is_no_wrong_result() -> None:
    with pytest.raises(BackendError) as caught:
        run(Planted(instead("void slope", "vöid slope"), (1, 2, 4)))
    assert caught.value.code == "B005"


def test_a_cell_whose_variants_are_all_wrong_binds_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    planted = Planted(instead(r"(\[i \* 12 \+ j\] =)", r"\1 2.0 +"), (1, 2, 4)).platform
    monkeypatch.setattr(registry, "platform", lambda name, tools=None: planted)
    new_shell: Any = InteractiveShell  # IPython has no types here
    shell = new_shell(config=Traits({"HistoryManager": {"enabled": False}}))
    shell.run_line_magic("load_ext", "sejits_nb")
    shell.user_ns["u"] = U
    for tune in ("quick", "none"):
        error = shell.run_cell(CELL.replace("-b c", f"-b c -f -t {tune}")).error_in_exec
        assert isinstance(error, WrongResult)
        assert "out[1, 1] is 15.0, the plain Python gives 13.0" in capsys.readouterr().out
        assert "slope" not in shell.user_ns


def test_with_a_fallback_the_plain_python_runs_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    planted = Planted(instead(r"(\[i \* 12 \+ j\] =)", r"\1 3.0 +"), (1, 2, 4)).platform
    monkeypatch.setattr(registry, "platform", lambda name, tools=None: planted)
    kernel = kernel_of_cell(CELL, "Cell In[1]", "", no_names, "stencil", {"backend": "c"})
    with pytest.warns(SejitsWarning, match="W001"):
        out = kernel(U)
    assert (out[1:-1, 1:-1] == 13.0).all()


# -- what is remembered


def test_a_right_variant_is_proven_once_and_a_wrong_one_is_never_remembered_as_right() -> None:
    first = Planted(instead(THIRD, "/* planted for the memory test */"))
    run(first)
    again = Planted(first.damage)
    wrong = report_of(run(again)).measurements[-1]
    assert wrong.verdict == "wrong"
    assert len(again.trials) == 1


def test_a_variant_that_was_wrong_in_the_record_is_not_chosen() -> None:
    planted = Planted(instead(r"(\[i \* 12 \+ j\] =)", r"\1 4.0 +"), (1, 4))
    best = run(planted).config
    assert best == config_of(2)
    assert run(planted, tune="none", fresh=False).config == best


# -- check="off"


def test_without_checking_everything_is_marked_unchecked() -> None:
    planted = Planted(instead(THIRD, "/* unchecked */"))
    report = report_of(run(planted, check="off"))
    assert {m.verdict for m in report.measurements} == {"unchecked"}
    assert planted.trials == []
    assert "UNCHECKED" in card_text(report)


def test_strict_checking_compares_bits() -> None:
    """One bit beyond what ``fast`` allows for is wrong; so is any bit at all for ``strict``."""
    planted = Planted(instead(THIRD, r"\1 + 2e-15;"))
    wrong = report_of(run(planted, check="strict")).measurements[-1]
    assert wrong.reason == f"out[3, 1] is 13.000000000000002, the plain Python gives 13.0 {HERE}"
