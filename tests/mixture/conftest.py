"""Fixtures for tests of trainings."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import pytest

from sejits_nb.mixture.standard import Standard


@pytest.fixture
def by_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel runs from the first iteration, little data or not."""
    monkeypatch.setattr(Standard, "_begin", lambda *call, runs: None)


@pytest.fixture
def quiet() -> Iterator[None]:
    """Too few iterations are meant."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Best performing initialization did not converge")
        yield
