"""What machine this is, in one line a person recognises and in one key a record can carry."""

from __future__ import annotations

import hashlib
import os
import platform
from functools import lru_cache
from pathlib import Path

from ..phase5_backend.c_compiler import cpu


@lru_cache(maxsize=1)
def machine_name() -> str:
    """CPU model, CPUs and operating system, e.g. ``AMD EPYC, 2 CPUs, Linux x86_64``."""
    model = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    except OSError:
        pass
    return f"{model}, {os.cpu_count()} CPUs, {platform.system()} {platform.machine()}"


@lru_cache(maxsize=1)
def machine_key() -> str:
    """Fingerprint of the CPU (model, instruction sets) and the number of CPUs."""
    return hashlib.sha256(f"{cpu()} {os.cpu_count()}".encode()).hexdigest()[:16]
