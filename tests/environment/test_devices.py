"""``device=``: one of several OpenCL devices, by name or number."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

import sejits_nb as sj
from sejits_nb.doctor import backends
from sejits_nb.errors import OptionError
from sejits_nb.phase5_backend.opencl_device import Device, find_device, find_devices

pytestmark = pytest.mark.needs("opencl")
PROBE = """
import json, sys
import numpy as np
import sejits_nb as sj
from sejits_nb.doctor import backends
from sejits_nb.errors import SejitsError

def smooth(u, out):
    for x in out.interior_points():
        out[x] = u[x + (0, 1)] + u[x - (1, 0)]

u, told = np.random.default_rng(0).random((7, 9)), {}
for device in ("", 0, "1", "BASIC", "pthread", "basc", 7):
    kernel = sj.stencil(smooth, backend=("auto" if device else "opencl"), device=device,
                        tune="none", fallback=False)
    try:
        assert np.array_equal(kernel(u), kernel.reference(u))
        told[str(device)] = [kernel.build.command[1], kernel._source.identity[2]]
    except SejitsError as error:
        told[str(device)] = str(error)
print(json.dumps([told, backends()]))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str]:
    """What became of each device that was asked for, where PoCL has two; and ``%sejits backends``."""
    place = tmp_path_factory.mktemp("two devices")
    (place / "probe.py").write_text(PROBE)
    env = {**os.environ, "SEJITS_CACHE_DIR": str(place / "c"), "POCL_DEVICES": "basic pthread"}
    done = subprocess.run(
        [sys.executable, str(place / "probe.py")], env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    devices, listed = json.loads(done.stdout.splitlines()[-1])
    return devices, listed


@pytest.mark.parametrize(
    ("asked", "name"),
    [("", "basic"), ("0", "basic"), ("1", "pthread"), ("BASIC", "basic"), ("pthread", "pthread")],
)
def test_a_device_is_taken_by_name_or_number(told: Any, asked: str, name: str) -> None:
    device, _ = told[0][asked]
    assert device.startswith(f"{name}-")


def test_each_choice_is_another_kernel(told: Any) -> None:
    """Nothing that was recorded on one device counts on another one."""
    kernels = [told[0][asked][1] for asked in ("", "0", "1", "BASIC")]
    assert len(set(kernels)) == 4


@pytest.mark.parametrize("asked", ["basc", "7"])
def test_an_unknown_device_lists_those_that_are_there(told: Any, asked: str) -> None:
    said = told[0][asked]
    assert said.startswith(f"OptionError O002: no OpenCL device is called {asked!r}")
    assert "--device 0: basic-" in said
    assert "--device 1: pthread-" in said
    assert asked == "7" or "did you mean 'basic'?" in said


def test_backends_lists_devices_with_their_numbers(told: Any) -> None:
    rows = [row.strip() for row in told[1].splitlines()]
    assert [row.partition("-")[0] for row in rows if row.startswith("--device")] == [""] * 2
    assert [row.split()[2].partition("-")[0] for row in rows if row.startswith("--device")] == [
        "basic",
        "pthread",
    ]


def test_here_too() -> None:
    found = find_devices()
    assert isinstance(found, tuple)
    assert find_device(str(found[-1].number)) == found[-1]
    assert f"--device {found[0].number}: {found[0].name}" in backends()


def test_a_device_that_does_not_compute_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    from sejits_nb.phase5_backend import opencl_device

    devices = tuple(
        Device(n, name, "P", "1", 64, 32_768, 1 << 30, problem)
        for n, (name, problem) in enumerate([("old", "it has no double precision"), ("new", "")])
    )
    monkeypatch.setattr(opencl_device, "find_devices", lambda: devices)
    assert find_device() == devices[1]
    assert find_device("old").text == "old: it has no double precision"
    assert not find_device("old").usable
    assert opencl_device.device_lines() == (
        "--device 0: old, it has no double precision",
        "--device 1: new",
    )


def smooth(u, out):  # type: ignore[no-untyped-def]  # a kernel
    for x in out.interior_points():
        out[x] = u[x + (0, 1)]


def test_c_has_no_devices() -> None:
    import numpy as np

    kernel = sj.stencil(smooth, backend="openmp", device=0, fallback=False)
    with pytest.raises(sj.BackendError, match="--device is for OpenCL"):
        kernel(np.ones((5, 5)))


def test_no_device_of_that_name() -> None:
    import numpy as np

    kernel = sj.stencil(smooth, device="no such device")
    with pytest.raises(OptionError, match="O002"):
        kernel(np.ones((5, 5)))
