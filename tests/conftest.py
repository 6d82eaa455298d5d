"""What every test gets: a private cache, one Hypothesis profile, and golden files.

``golden("blur.c", text)`` compares *text* with ``tests/golden/blur.c``; ``make golden`` writes it.
"""

from __future__ import annotations

import difflib
import importlib.util
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from sejits_nb import registry
from sejits_nb.options import ALIASES

GOLDEN = Path(__file__).parent / "golden"

# A first example compiles C, the next ones do not: time per example says nothing here.
settings.register_profile("sejits_nb", deadline=None)
settings.load_profile("sejits_nb")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="write the golden files instead of comparing"
    )


def pytest_runtest_setup(item: pytest.Item) -> None:
    """What a test needs and is not here: the test is skipped, and in CI it fails."""
    needed = [str(name) for mark in item.iter_markers("needs") for name in mark.args]
    needed += ["chromium"] if item.get_closest_marker("browser") else []
    if reason := "; ".join(filter(None, map(_missing, needed))):
        if os.environ.get("CI"):
            pytest.fail(f"{reason}, and CI has to have it", pytrace=False)
        pytest.skip(reason)


def _missing(name: str) -> str:
    """Why a platform, a program or a package cannot be used, or nothing."""
    platform = ALIASES.get(name, name)
    if platform in registry.platform_names():
        found = registry.platform(platform).probe()
        return "" if found.usable else f"no {platform} here: {found.text}"
    here = shutil.which(name) or importlib.util.find_spec(name)
    return "" if here else f"no {name} here"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many generated programs ran on each platform, where any did."""
    ran: Counter[str] = Counter()
    native: Counter[str] = Counter()
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, value in report.user_properties:
            if name == "generated programs":
                language, platform, programs, natively = value
                ran.update({platform: programs, f"{platform}, {language}": programs})
                native[platform] += natively
    for platform, natively in sorted(native.items()):
        parts = [
            f"{ran[k]} {k.split(', ')[1]}" for k in sorted(ran) if k.startswith(platform + ",")
        ]
        share = f"{natively / max(1, ran[platform]):.1%} native"
        text = f"generated programs on {platform}: {ran[platform]} ({', '.join(parts)}), {share}"
        terminalreporter.write_line(text)


@pytest.fixture(scope="session", autouse=True)
def _private_directories(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Cache and IPython profile of this session (under xdist: of this worker), empty at first."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEJITS_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
        patch.setenv("SEJITS_ROOFS", "0")  # a few seconds in each fresh cache
        yield


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """``golden(name, text)``: *text* is what ``tests/golden/name`` holds."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            return
        wanted = path.read_text(encoding="utf-8") if path.exists() else ""
        if text != wanted:
            diff = difflib.unified_diff(
                wanted.splitlines(), text.splitlines(), f"golden/{name}", "now", lineterm=""
            )
            pytest.fail(
                "\n".join(diff) + f"\n\ntests/golden/{name} differs from what is generated now."
                "\nIf the new text is right, type:  make golden   (then review: git diff tests/golden)",
                pytrace=False,
            )

    return compare
