"""Tab on a magic's line: in an IPython shell, and through a Jupyter kernel's ``complete_request``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from jupyter_client.manager import start_new_kernel
from traitlets.config import Config as Settings

import sejits_nb as sj
from sejits_nb import registry

Tab = Callable[..., list[str]]
BODY = """
def blur(u, out):
    for x in out.interior_points():
        out[x] = u[x + (0, 1)] + u[x]
"""


@sj.stencil
def earlier(u: Any, out: Any) -> None:
    for x in out.interior_points():
        out[x] = u[x]


@pytest.fixture(scope="module")
def shell() -> Iterator[Any]:
    shell = InteractiveShell.instance(config=Settings({"HistoryManager": {"enabled": False}}))
    shell.run_line_magic("load_ext", "sejits_nb")
    yield shell
    shell.run_line_magic("unload_ext", "sejits_nb")
    InteractiveShell.clear_instance()


@pytest.fixture
def tab(shell: Any) -> Tab:
    """``tab("%%stencil -b op")``: what the word at the cursor, the end of line one, may become."""

    def complete(line: str, body: str = BODY) -> list[str]:
        from IPython.core.completer import provisionalcompleter

        with provisionalcompleter():
            found = list(shell.Completer.completions(line + body, len(line)))
        words = (line[: c.start] + c.text for c in found if c.type == "param")
        return sorted(w.rpartition(" ")[2] for w in words)

    return complete


def test_flags(tab: Tab) -> None:
    assert {"--backend", "--tune", "--budget", "--cflags", "--boundary"} < {
        *tab("%%stencil heat -")
    }
    assert tab("%%stencil --b") == ["--backend", "--boundary", "--budget"]
    assert tab("%%stencil heat --fu") == ["--full-traceback"]
    assert tab("%%stencil -q --qu") == []  # given already
    assert "-b" in tab("%%stencil -b")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("%%stencil -b op", ["opencl", "openmp"]),
        ("%%stencil -b c --backend ", sorted(["auto", "python", *registry.platform_names()])),
        ("%%stencil --backend=py", ["--backend=python"]),
        ("%%stencil --tune ", ["full", "none", "quick"]),
        ("%%stencil -s le", ["levels"]),
        ("%%stencil --check st", ["strict"]),
        ("%%stencil --boundary w", ["wrap"]),
        ("%%stencil --boundary wrap,c", ["wrap,clamp", "wrap,constant"]),
        ("%sejits ex", ["explain"]),
        ("%sejits cache ", ["clear"]),
        ("%sejits explain S00", [f"S00{n}" for n in range(1, 10)]),
        ("%%stencil --budget ", []),
        ("%%nosuch --ba", []),
    ],
)
def test_choices(tab: Tab, line: str, words: list[str]) -> None:
    body = BODY if line.startswith("%%") else ""
    assert tab(line, body) == words


def test_knobs_and_their_values_are_those_of_the_kernel(tab: Tab) -> None:
    assert {"threads=", "unroll="} < {*tab("%%stencil --set ")}
    assert tab("%%stencil --set unroll=4,thr") == ["unroll=4,threads="]
    assert "unroll=4" in tab("%%stencil --set unroll=")
    assert "tile=" not in tab("%%stencil --set ")  # a grid of two axes
    assert tab("%%stencil --set ", "\ndef blur(u, out") == []


def test_kernels_after_diff(shell: Any, tab: Tab) -> None:
    shell.user_ns["earlier"], shell.user_ns["early_number"] = earlier, 7
    assert tab("%%stencil --diff ear") == ["earlier"]


def test_only_on_the_magics_own_line(tab: Tab, shell: Any) -> None:
    from IPython.core.completer import provisionalcompleter

    text = "%%stencil\ndef k(u, out):\n    --ba"
    with provisionalcompleter():
        assert [c.text for c in shell.Completer.completions(text, len(text))] == []


def test_unloading_takes_it_away(shell: Any, tab: Tab) -> None:
    shell.run_line_magic("unload_ext", "sejits_nb")
    assert "stencil" not in shell.magics_manager.magics["cell"]
    assert tab("%%stencil --b") == []
    shell.run_line_magic("load_ext", "sejits_nb")
    shell.run_line_magic("reload_ext", "sejits_nb")
    assert tab("%%stencil --bu") == ["--budget"]


def test_a_jupyter_kernel_answers_complete_requests() -> None:
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        client.execute_interactive("%load_ext sejits_nb", timeout=60)
        for line, wanted in (("%%stencil -b op", ["opencl", "openmp"]), ("%sejits do", ["doctor"])):
            text = line + (BODY if line.startswith("%%") else "")
            reply = client.complete(text, len(line), reply=True, timeout=60)["content"]
            assert reply["matches"] == wanted
            assert line[reply["cursor_start"] : reply["cursor_end"]] in ("op", "do")
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
