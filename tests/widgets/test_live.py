"""The live display, told a scripted race: what it says, how often it draws, what it leaves."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from traitlets.config import Config as Settings

from sejits_nb.results import Bandwidth, Measurement, Peak, Progress, Roofs, Work
from sejits_nb.stages import Config
from sejits_nb.widgets.live import MOST_SHARE, Live, Notebook, Terminal, live
from sejits_nb.widgets.live_text import live_html, live_line, stopped_line

GB = 1e9
ROOFS = Roofs(
    bandwidths=tuple(Bandwidth("DRAM", "copy", n, n * 20 * GB, 1 << 30) for n in (1, 2)),
    peaks=tuple(Peak("f64", n, n * 50 * GB) for n in (1, 2)),
    threads=2,
    machine="a machine",
    date="2025-11-21 13:40",
)


def measured(unroll: int, *times_ms: float, verdict: str = "correct") -> Measurement:
    config = Config((("threads", 2), ("unroll", unroll)))
    return Measurement(config, "openmp", verdict, tuple(t / 1e3 for t in times_ms))


START = Progress(
    "heat", "openmp", "compiling", 0, 48, (), Work(16_000_000, 8, 256_000_000), 0.0, 12.2
)
TIMED = dataclasses.replace(
    START,
    phase="timing",
    done=17,
    measurements=(
        measured(1, 12.0, 12.5, 12.2),
        measured(2, 10.4, 10.5, 10.6),
        measured(4, 0.1, verdict="wrong"),
        measured(8),
    ),
    python_s=2.23,
    left_s=11.8,
    roofs=ROOFS,
)


class Recorder:
    """A surface that keeps what it is given; each drawing takes *cost_s* of the scripted clock."""

    def __init__(self, cost_s: float = 0.0) -> None:
        self.now, self.cost_s = 100.0, cost_s
        self.drawn: list[tuple[float, str]] = []
        self.results: list[str] = []

    def draw(self, line: str, html: Callable[[], str]) -> None:
        self.drawn.append((self.now, line))
        self.now += self.cost_s

    def publish(self, data: dict[str, Any], metadata: dict[str, Any]) -> None:
        self.results.append(data["text/plain"])

    def clock(self) -> float:
        return self.now


def test_before_the_first_timing_it_says_count_and_estimate() -> None:
    said = "heat · openmp · 48 variants · compiling · about 12 s · interrupt keeps the best"
    assert live_line(START) == said


def test_the_line_word_for_word() -> None:
    assert live_line(TIMED) == (
        "heat · openmp · 17/48 variants · best 10 ms · 212× · 61 % of roof · 12 s left · "
        "interrupt keeps the best"
    )


def test_what_is_not_known_is_not_said() -> None:
    line = live_line(dataclasses.replace(TIMED, python_s=0.0, roofs=None, left_s=0.0))
    assert line == "heat · openmp · 17/48 variants · best 10 ms · interrupt keeps the best"


def test_the_figure_fills_in() -> None:
    assert "<table" not in live_html(START)
    html = live_html(TIMED)
    assert html.index("◆ threads=2 unroll=2") < html.index("● threads=2 unroll=1")
    for said in ("10.5 ± 0.1 ms", "12.2 ± 0.2 ms", "212×", "183×", "61 %", "52 %", "speedup (log)"):
        assert said in html
    assert "unroll=4" not in html  # a wrong variant is no contender
    assert "unroll=8" not in html
    widths = [float(w.split("%")[0]) for w in html.split("width:")[1:] if "%" in w.split(";")[0]]
    assert widths == [86.1, 100.0, 61.0, 100.0, 97.2, 52.5]
    less = live_html(dataclasses.replace(TIMED, python_s=0.0, roofs=None))
    assert "speedup" not in less
    assert "roof" not in less


def test_at_most_four_drawings_a_second() -> None:
    surface = Recorder()
    race = Live(surface, surface.clock)
    for _ in range(1_000):
        race(START)
        surface.now += 0.003
    times = [at for at, _ in surface.drawn]
    assert 11 <= len(times) <= 12
    assert min(b - a for a, b in pairwise(times)) >= 0.25


@pytest.mark.parametrize("cost_s", [0.001, 0.02, 0.3])
def test_drawing_takes_a_small_share_however_slow_it_is(cost_s: float) -> None:
    surface = Recorder(cost_s)
    race = Live(surface, surface.clock)
    start = surface.now
    while surface.now < start + 60:
        race(START)
        surface.now += 0.01
    assert len(surface.drawn) >= 3
    assert race.spent_s == pytest.approx(cost_s * len(surface.drawn))
    assert race.spent_s <= MOST_SHARE * (surface.now - start) + cost_s  # the first one has no past


def test_the_first_result_takes_its_place_and_a_failure_leaves_a_line() -> None:
    surface = Recorder()
    with Live(surface, surface.clock) as race:
        race(TIMED)
        race.publish({"text/plain": "card"}, {})
    assert surface.results == ["card"]

    def fail() -> None:
        with Live(surface, surface.clock) as race:
            race(TIMED)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert surface.results[1:] == ["heat · openmp · stopped at 17/48 variants"]
    early = dataclasses.replace(START, platform="", total=0)
    assert stopped_line(early) == "heat · stopped"
    assert live_line(early).startswith("heat · compiling · about 12 s")


def test_nothing_drawn_leaves_nothing() -> None:
    surface = Recorder()
    with Live(surface):
        pass
    assert surface.results == []
    assert live(shown=False).listen is None


@pytest.fixture
def messages(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[Any, ...]]]:
    """What reaches a front end: (text, display_id, whether it is an update)."""
    from IPython.core.interactiveshell import InteractiveShell

    sent: list[tuple[Any, ...]] = []
    shell = InteractiveShell.instance(config=Settings({"HistoryManager": {"enabled": False}}))

    def publish(
        data: dict[str, Any],
        metadata: Any = None,
        *,
        transient: Any = None,
        update: bool = False,
        **_: Any,
    ) -> None:
        sent.append((data["text/plain"], (transient or {}).get("display_id"), update))

    monkeypatch.setattr(shell.display_pub, "publish", publish)
    yield sent
    InteractiveShell.clear_instance()


def test_a_notebook_gets_one_display_that_is_updated(messages: list[tuple[Any, ...]]) -> None:
    ticks = iter([0.0, 0.0, 9.0, 9.0])
    with Live(Notebook(), lambda: next(ticks)) as race:
        race(START)
        race(TIMED)
        race.publish({"text/plain": "card"}, {})
        race.publish({"text/plain": "figure"}, {})
    texts, displays, updates = zip(*messages, strict=True)
    assert texts == (live_line(START), live_line(TIMED), "card", "figure")
    assert updates == (False, True, True, False)
    assert len(set(displays[:3])) == 1
    assert displays[0]
    assert displays[3] is None


def test_a_terminal_gets_one_line_written_over(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    stream = io.StringIO()
    with Live(Terminal(stream)) as race:
        race(TIMED)
        race.publish({"text/plain": "card"}, {})
        race.publish({"text/plain": "the figure in words", "image/png": ""}, {})
    first, second, third = stream.getvalue().split("\r\x1b[K")[1:]
    assert first == live_line(TIMED)[:58] + "…"
    assert second == third == ""
    assert capsys.readouterr().out == "card\n"
