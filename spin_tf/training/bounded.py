"""A native call that may wait for ever: ended by its limit and by signals, whoever holds Python's lock meanwhile."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator

_SIGNALS = (signal.SIGTERM, signal.SIGINT)

# Arguments: seconds and the line of the limit. The end of its input says that the call has returned.
_WATCH = """
import os, signal, sys, threading
def end():
    print(sys.argv[2], file=sys.stderr, flush=True)
    os.kill(os.getppid(), signal.SIGTERM)
timer = threading.Timer(float(sys.argv[1]), end)
timer.daemon = True
timer.start()
sys.stdin.read()
"""


@contextlib.contextmanager
def bounded(seconds: float, what: str) -> Iterator[None]:
    """Around a native call of the main thread: SIGTERM and SIGINT end the process at once, the limit with a line.

    TensorFlow joins a cluster inside one call that keeps Python's lock, so that no thread of Python runs and no handler
    of a signal either. So signals do meanwhile what they do by default, and a small process watches the clock: it says
    why, and ends this one by SIGTERM.

    Args:
        seconds: the limit.
        what: the call, for the line.
    """
    line = f"error: {what} took more than {seconds:g} s."
    before = [(number, signal.signal(number, signal.SIG_DFL)) for number in _SIGNALS]
    try:
        # Ctrl-C reaches every process of a terminal; the watching one ends with this one.
        command = [sys.executable, "-I", "-S", "-c", _WATCH, str(seconds), line]
        with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True):
            yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)
