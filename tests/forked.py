"""Programs that use TensorFlow, in processes of their own that have it already: importing it takes three seconds.

They are forked from one process that has imported it and done nothing else: no thread is lost, no graph is inherited.
That a command works in a fresh Python is for the tests of the pages, which run each as a reader would.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pathlib
import runpy
import subprocess
import sys
import tempfile
import unittest.mock
from collections.abc import Mapping, Sequence
from multiprocessing import forkserver

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.quick_graphs"])


def _start_server() -> None:
    """The process that has TensorFlow, told to keep its own remarks to itself, as the commands tell theirs."""
    # It imports what lies in this repository from wherever the tests are started, and says nothing where it cannot.
    path = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH")]))
    with unittest.mock.patch.dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3", PYTHONPATH=path):
        forkserver.ensure_running()


class Process:
    """As much of `subprocess.Popen` as tests need.

    Args:
        line: of the command, without the interpreter: a script, `-m` and a module, or `-c` and code; then arguments.
        environment: added to that of the test.
    """

    def __init__(self, line: Sequence[object], **environment: str) -> None:
        self.args = list(map(str, line))
        # Of what it writes.
        self._folder = tempfile.TemporaryDirectory()
        names = [os.path.join(self._folder.name, name) for name in ("output", "errors")]
        _start_server()
        self._process = _CONTEXT.Process(target=_run, args=(self.args, {**os.environ, **environment}, *names))
        self._process.start()

    @property
    def returncode(self) -> int | None:
        """The exit code; minus the signal that ended it; None while it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        assert self._process.pid is not None
        os.kill(self._process.pid, number)

    def kill(self) -> None:
        self._process.kill()

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return self._process.exitcode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """What it wrote to stdout and stderr, once it has ended."""
        self.wait(timeout)
        output, errors = (pathlib.Path(self._folder.name, name) for name in ("output", "errors"))
        return output.read_text(encoding="utf-8"), errors.read_text(encoding="utf-8")


def run(line: Sequence[object], **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end."""
    process = Process(line, **environment)
    output, errors = process.communicate()
    assert process.returncode is not None
    return subprocess.CompletedProcess(process.args, process.returncode, output, errors)


def stop() -> None:
    """Ends the process from which others are forked, so that its time and theirs count as the test's."""
    with contextlib.suppress(AttributeError):
        forkserver._forkserver._stop()  # type: ignore[attr-defined]


def _run(line: list[str], environment: Mapping[str, str], output: str, errors: str) -> None:
    os.chdir(REPOSITORY)
    os.environ.clear()
    os.environ.update(environment)
    for path, number in ((output, 1), (errors, 2)):
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.dup2(descriptor, number)
        os.close(descriptor)
    kind, *rest = line
    if kind == "-m":
        sys.argv = rest
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    elif kind == "-c":
        sys.argv = ["-c", *rest[1:]]
        exec(compile(rest[0], "<string>", "exec"), {"__name__": "__main__"})
    else:
        sys.argv = line
        sys.path.insert(0, os.path.dirname(os.path.abspath(kind)))
        runpy.run_path(kind, run_name="__main__")
