"""The child process that runs unproven code, and the memory it shares with this one.

Started by exec (``trial_child.py``), never by fork, and kept for the next request; a crash or an
endless loop costs only it.  The memory is an anonymous file that both map.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, ClassVar

_CHILD = Path(__file__).with_name("trial_child.py")
_MIB = 1 << 20


class TrialProcess:
    """One child at a time, started when needed; not safe for threads.

    ``command`` starts it; ``answer`` is what it answered last.
    """

    command: ClassVar[tuple[str, ...]] = (sys.executable, "-I", "-S", str(_CHILD))

    def __init__(self) -> None:
        self.answer: dict[str, Any] = {}
        self._child: subprocess.Popen[str] | None = None
        self._messages: IO[bytes] | None = None
        self._file: IO[bytes] | None = None
        self._memory: mmap.mmap | None = None
        self._stopped = False

    @property
    def running(self) -> bool:
        """Whether there is a child that earlier requests have used."""
        return self._child is not None and self._child.poll() is None

    @property
    def held_bytes(self) -> int:
        """Size of the shared memory."""
        return len(self._memory) if self._memory is not None else 0

    def memory(self, size: int) -> mmap.mmap:
        """Shared memory of at least *size* bytes; what an earlier call gave is no longer shared if it
        was smaller.  Raises ``OSError`` if there is not as much.
        """
        if self._file is None:
            self._file = _anonymous_file()
        if self._memory is None or len(self._memory) < size:
            whole = -(-size // _MIB) * _MIB
            # reserved now: a page that cannot be had later is a bus error, not an exception
            getattr(os, "posix_fallocate", _extend)(self._file.fileno(), 0, whole)
            self._memory = mmap.mmap(self._file.fileno(), whole)
        return self._memory

    def ask(self, request: Mapping[str, Any], limit_s: float) -> str:
        """Have the child run *request*; why it did not, or nothing."""
        child = self._child if self._child and self.running else self._start()
        assert child.stdin
        assert child.stdout
        late = threading.Event()

        def end() -> None:
            late.set()
            child.kill()

        timer = threading.Timer(limit_s, end)
        timer.daemon = True
        timer.start()
        if self._stopped:
            child.kill()
        try:
            with contextlib.suppress(BrokenPipeError):  # it has just died: the answer will be empty
                child.stdin.write(json.dumps({**request, "limit_s": limit_s}) + "\n")
                child.stdin.flush()
            answer = child.stdout.readline()
        except BaseException:  # an interrupt: nobody will read this answer
            self.end()
            raise
        finally:
            timer.cancel()
        if answer:
            self.answer = json.loads(answer)
            error = str(self.answer["error"])
            return f"could not be loaded: {error}" if error else ""
        child.wait()
        death = _death(child.returncode, self._messages)
        self.end()
        if self._stopped:
            return "stopped"
        return f"no answer within {limit_s:g} s" if late.is_set() else death

    def stop(self) -> None:
        """From any thread: end the child, and each one to come until :meth:`close`."""
        self._stopped = True
        if child := self._child:
            child.kill()

    def end(self) -> None:
        """End the child."""
        child, self._child = self._child, None
        if child and child.stdin and child.stdout:
            child.kill()
            child.wait()
            with contextlib.suppress(BrokenPipeError):
                child.stdin.close()
            child.stdout.close()
        if self._messages:
            self._messages.close()
        self._messages = None

    def close(self) -> None:
        """End the child and give the memory back."""
        self.end()
        if self._file:
            self._file.close()
        self._file = self._memory = None
        self._stopped = False

    def environment(self) -> dict[str, str]:
        """The child's environment variables."""
        return dict(os.environ)

    def _start(self) -> subprocess.Popen[str]:
        """A new child with our environment (``OMP_*``), deaf to the notebook's interrupts."""
        self.end()
        self._file = self._file or _anonymous_file()
        self._messages = tempfile.TemporaryFile()  # noqa: SIM115  # end() closes it
        shared = self._file.fileno()
        self._child = subprocess.Popen(
            [*self.command, str(shared)], env=self.environment(),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._messages,
            pass_fds=(shared,), text=True, encoding="utf-8", start_new_session=True,
        )  # fmt: skip
        return self._child


def _anonymous_file() -> IO[bytes]:
    if hasattr(os, "memfd_create"):
        return open(os.memfd_create("sejits_nb-trial"), "w+b", buffering=0)
    return tempfile.TemporaryFile(buffering=0)


def _extend(descriptor: int, _: int, size: int) -> None:
    os.ftruncate(descriptor, size)


def _death(status: int, messages: IO[bytes] | None) -> str:
    """How a process ended, with the last line of what it had to say."""
    if status < 0:
        how = f"killed by signal {-status} ({signal.Signals(-status).name})"
    else:
        how = f"ended by itself with status {status}"
    if messages is None:
        return how
    messages.seek(max(0, messages.seek(0, os.SEEK_END) - 4096))
    said = messages.read().decode(errors="replace").strip().splitlines()
    return f"{how}: {said[-1]}" if said else how
