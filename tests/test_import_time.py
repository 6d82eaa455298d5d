"""``import sejits_nb`` stays fast because it loads nothing heavy; modules are counted, not seconds."""

from __future__ import annotations

import subprocess
import sys

HEAVY = {
    "IPython", "PIL", "anywidget", "cffi", "ipykernel", "ipywidgets", "jupyter_client",
    "jupyter_core", "mako", "matplotlib", "nbclient", "nbformat", "pyopencl", "scipy", "skimage",
    "joblib", "sklearn", "traitlets", "ziglang",
}  # fmt: skip


def test_import_loads_nothing_heavy() -> None:
    program = "import sys; old = set(sys.modules); import sejits_nb; print(*set(sys.modules) - old)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "sejits_nb" in loaded
    assert HEAVY.intersection(name.partition(".")[0] for name in loaded) == set()
