"""The live display in a real kernel: updates while a cell tunes, one saved output, interrupts."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from jupyter_client.manager import start_new_kernel

SETUP = """\
%load_ext sejits_nb
import numpy as np
u = np.random.default_rng(0).random((40, 64, 64))"""
CELL = """\
%%stencil heat -t full --budget 90 -b openmp --on u
def heat(u, out):
    for x in out.interior_points():
        acc = -6.0 * u[x]
        for y in u.neighbors(x, 1):
            acc += u[y]
        out[x] = u[x] + 0.1 * acc
"""
QUICK = CELL.replace("-t full --budget 90", "-t quick --budget 2")
Event = tuple[str, str, str]
"""Message type, display_id, plain text."""


class Session:
    """A kernel; ``run`` executes a cell and hands each output to a callback as it comes."""

    def __init__(self) -> None:
        self.manager, self.client = start_new_kernel(kernel_name="python3")
        assert self.run(SETUP)[1] == "ok"

    def run(
        self, cell: str, seen: Callable[[list[Event]], None] = lambda events: None
    ) -> tuple[list[Event], str]:
        """The outputs in order, and ``ok`` or the name of the error."""
        sent = self.client.execute(cell)
        events: list[Event] = []
        stop = time.monotonic() + 100
        while time.monotonic() < stop:
            try:
                message = self.client.get_iopub_msg(timeout=1)
            except queue.Empty:
                continue
            content, kind = message["content"], message["msg_type"]
            if message["parent_header"].get("msg_id") != sent:
                continue
            if kind == "status" and content["execution_state"] == "idle":
                break
            if kind in ("display_data", "update_display_data"):
                shown = content["transient"].get("display_id", "")
                events.append((kind, shown, content["data"]["text/plain"]))
                seen(events)
        reply = self.client.get_shell_msg(timeout=60)
        while reply["parent_header"].get("msg_id") != sent:
            reply = self.client.get_shell_msg(timeout=60)
        return events, reply["content"].get("ename", reply["content"]["status"])

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    session = Session()
    yield session
    session.close()


def test_one_display_is_updated_and_the_card_takes_its_place(session: Session) -> None:
    events, status = session.run(QUICK)
    assert status == "ok"
    (first, *updates, card), figure = events[:-1], events[-1]
    assert first[0] == "display_data"
    assert {kind for kind, *_ in (*updates, card)} == {"update_display_data"}
    assert {shown for _, shown, _ in (first, *updates, card)} == {first[1]}
    assert first[1]
    lines = [text for _, _, text in (first, *updates)]
    assert all(line.endswith("interrupt keeps the best") for line in lines)
    assert any(" variants · " in line and " · about " in line for line in lines)
    assert "× faster than Python" in card[2].splitlines()[0]
    assert figure[:2] == ("display_data", "")


def test_a_remembered_choice_shows_no_race(session: Session) -> None:
    events, status = session.run(QUICK)
    assert status == "ok"
    assert [kind for kind, *_ in events] == ["display_data"] * 2


def test_an_interrupt_keeps_the_best(session: Session) -> None:
    done: list[Any] = []

    def interrupt(events: list[Event]) -> None:
        if " · best " in events[-1][2] and not done:
            done.append(session.manager.interrupt_kernel())

    events, status = session.run(CELL.replace("heat", "longer"), interrupt)
    assert done
    assert status == "ok"
    card = events[-2][2]
    assert "correct, best" in card
    assert "stopped early: the best of " in card
    assert "longer.tune() tries the others" in card
    _, status = session.run("assert longer(u).shape == u.shape and longer.report.best")
    assert status == "ok"


def test_an_interrupt_before_anything_is_known_ends_the_cell(session: Session) -> None:
    done: list[Any] = []

    def interrupt(events: list[Event]) -> None:
        if not done:
            done.append(session.manager.interrupt_kernel())

    fresh = CELL.replace("heat", "other").replace("0.1", "0.125")
    events, status = session.run(fresh, interrupt)
    assert status == "KeyboardInterrupt"
    assert " · stopped" in events[-1][2]
    assert len({shown for _, shown, _ in events}) == 1
    _, status = session.run("other")
    assert status == "NameError"


TRAIN = """\
import collections, time
import sejits_nb as sj
from sejits_nb.mixture.cells import iteration
from sejits_nb.mixture.start import start
X = np.random.default_rng(0).standard_normal((4000, 3))
mix = start(X, 3, random=0)
told = collections.deque(maxlen=1)
def listen(training):
    told.append(training)
    time.sleep(0.002)  # long enough to be drawn on any machine
done = iteration("full").train(
    X, mix, max_iter={limit}, tol=0, verbose=True, listen=listen)"""


def test_a_training_is_drawn_in_one_display(session: Session) -> None:
    events, status = session.run(TRAIN.format(limit=500))
    assert status == "ok"
    assert len({shown for _, shown, _ in events}) == 1
    assert events[0][0] == "display_data"
    assert len(events) > 2
    assert events[-1][2].startswith("iteration 500 of 500 · log-likelihood")
    assert session.run("assert told[0].iterations == 500")[1] == "ok"
    events, status = session.run("_ = sj.GMM(3, 3).train(X, verbose=True)")
    assert status == "ok"
    assert events[-1][2].startswith("iteration ")


def test_an_interrupted_training_keeps_its_mixture(session: Session) -> None:
    def stop(events: list[Event]) -> None:
        if len(events) == 2:
            session.manager.interrupt_kernel()

    events, status = session.run(TRAIN.format(limit=10**7), stop)
    assert status == "ok"
    assert "interrupted after iteration" in events[-1][2]
    assert session.run("assert done.interrupted and np.isfinite(mix.mean).all()")[1] == "ok"
