"""What processes need that are started to work for another one: Ctrl-C is the parent's business alone."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any


@contextlib.contextmanager
def answered_by(handler: Callable[[int, Any], None]) -> Iterator[None]:
    """SIGTERM and SIGINT go to `handler` meanwhile; where this is not the main thread, its program answers them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = [(number, signal.signal(number, handler)) for number in (signal.SIGTERM, signal.SIGINT)]
    try:
        yield
    finally:
        for number, previous in before:
            signal.signal(number, previous)


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
    from multiprocessing import resource_tracker

    # Its start, as part of the first worker's, would end with SIGINT let through.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
