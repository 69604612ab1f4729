"""What processes need that are started to work for another one: Ctrl-C is the parent's business alone."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator


def ignore_interrupts() -> None:
    """In a worker: Ctrl-C reaches every process of a terminal, and a traceback of each would bury the parent's line."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextlib.contextmanager
def without_interrupts() -> Iterator[None]:
    """Around the start of workers: a Ctrl-C meanwhile waits for the end of the block, and never reaches the workers,
    which take over the signals that are held back, so that one that still imports is not interrupted either.

    Windows cannot hold signals back; a worker is then deaf once `ignore_interrupts` has run in it.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
