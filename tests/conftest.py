"""What every test gets: a private cache, one Hypothesis profile, and golden files.

``golden("blur.c", text)`` compares *text* with ``tests/golden/blur.c``; ``make golden`` writes it.
"""

from __future__ import annotations

import difflib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

GOLDEN = Path(__file__).parent / "golden"

# A first example compiles C, the next ones do not: time per example says nothing here.
settings.register_profile("sejits_nb", deadline=None)
settings.load_profile("sejits_nb")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="write the golden files instead of comparing"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests need Chromium; a machine without one skips them, CI never does."""
    if os.environ.get("CI") or shutil.which("chromium"):
        return
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason="no chromium on PATH"))


@pytest.fixture(scope="session", autouse=True)
def _private_directories(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Cache and IPython profile of this session (under xdist: of this worker), empty at first."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEJITS_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
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
