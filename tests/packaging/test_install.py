"""A wheel and an editable install, each in an empty virtual environment of its own.

Both are made from a copy of what a distribution holds, with a planted template in ``kernels/``, so
that neither the working tree nor what is installed beside the tests can help.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHIPPED = ("pyproject.toml", "setup.py", "README.md", "LICENSE", "sejits_nb", "kernels")
PLANTED = "int planted;\n"

READ_TEMPLATE = """
from importlib.resources import files
from importlib.util import find_spec
assert find_spec("kernels") is None
assert files("sejits_nb.widgets.explorer").joinpath("js", "main.js").is_file()
print(files("sejits_nb.kernels").joinpath("planted", "planted.h").read_text(), end="")
"""

RUN_CELL = '''
import numpy as np
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance()
shell.run_cell("%load_ext sejits_nb").raise_error()
shell.user_ns["img"] = np.random.default_rng(0).random((48, 64))
shell.run_cell("""%%stencil blur --on img
def blur(u, out):
    for x in out.interior_points():
        acc = 4.0 * u[x]
        for y in u.neighbors(x, 1):
            acc += u[y]
        out[x] = acc / 8.0
""").raise_error()
blur, img = shell.user_ns["blur"], shell.user_ns["img"]
np.testing.assert_allclose(blur(img), blur.reference(img), rtol=1e-13)
assert blur(img)[1:-1, 1:-1].all()
print("same as the plain Python")
'''

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a distribution is made from, and one template more."""
    copy = tmp_path_factory.mktemp("source")
    for name in SHIPPED:
        if (ROOT / name).is_dir():
            skip = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, copy / name, ignore=skip)
        else:
            shutil.copy(ROOT / name, copy)
    (copy / "kernels" / "planted").mkdir()
    (copy / "kernels" / "planted" / "planted.h").write_text(PLANTED)
    return copy


def make_venv(where: Path) -> Path:
    """The interpreter of a new environment; it has no pip, ours installs into it."""
    venv.create(where, with_pip=False)
    return where / "bin" / "python"


def pip_install(python: Path, *what: str) -> None:
    constraints = ["--constraint", str(ROOT / "constraints.txt")]
    run(sys.executable, "-m", "pip", "--python", python, "install", "-q", *constraints, *what)


def run(*command: str | Path, cwd: Path | None = None) -> str:
    """Standard output of a command that must succeed, with nothing of ours on the import path."""
    clean = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(command, cwd=cwd, env=clean, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_a_wheel_in_an_empty_venv_runs_a_cell(source: Path, tmp_path: Path) -> None:
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", tmp_path, cwd=source)
    (wheel,) = tmp_path.glob("*.whl")
    python = make_venv(tmp_path / "venv")
    has_compiler = any(map(shutil.which, ("cc", "gcc", "clang")))
    pip_install(python, str(wheel) if has_compiler else f"{wheel}[zig]")
    assert run(python, "-c", READ_TEMPLATE, cwd=tmp_path) == PLANTED
    assert "same as the plain Python" in run(python, "-c", RUN_CELL, cwd=tmp_path)


def test_an_editable_install_has_the_templates(source: Path, tmp_path: Path) -> None:
    python = make_venv(tmp_path / "venv")
    pip_install(python, "--no-deps", "--editable", str(source))
    # The dependencies are those of the tests' own environment: installing them twice shows nothing.
    packages = tmp_path / "venv" / Path(sysconfig.get_path("purelib")).relative_to(sys.prefix)
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    assert run(python, "-c", READ_TEMPLATE, cwd=tmp_path) == PLANTED
    later = source / "kernels" / "planted" / "later.h"
    later.write_text("int later;\n")
    assert run(python, "-c", READ_TEMPLATE.replace("planted.h", "later.h"), cwd=tmp_path)
