"""A native call that may wait for ever: ended by its limit and by signals, whoever holds Python's lock meanwhile.

TensorFlow joins a cluster inside one call that keeps the lock, so that no thread of Python runs and no handler of a
signal either. What still works is Python's C handler, which writes the signal's number to the wake-up descriptor, and
what the C library does by itself. So a small process watches the clock and that descriptor and says why it ends; it
then writes a byte into one of a few pipes, on each of which a POSIX asynchronous read waits in this process, and what
the C library calls when that read is done is `_exit` with the code that belongs to the pipe.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_SIGEV_NONE, _SIGEV_THREAD = 1, 2
# More than any C library's, which keep notes of their own behind the fields below.
_CONTROL_BLOCK_BYTES = 512

# Arguments: seconds, the line of the limit, and descriptor and exit code of each pipe, the limit's first.
_WATCH = """
import os, select, sys
seconds, line, pairs = float(sys.argv[1]), sys.argv[2], [pair.split("=") for pair in sys.argv[3:]]
ready = select.select([0], [], [], seconds)[0]
told = os.read(0, 1) if ready else b""
if ready and told in (b"", b"\\0"):
    sys.exit()
code = 128 + told[0] if ready else 2
try:
    os.write(2, (("interrupted" if ready else line) + "\\n").encode(errors="replace"))
except OSError:
    pass
os.write(int({int(c): d for d, c in pairs}[code]), b"!")
"""


class _AsynchronousRead(ctypes.Structure):
    """The part of `struct aiocb` that a caller fills in, which 64-bit Linux has alike in its C libraries."""

    _fields_ = (
        ("descriptor", ctypes.c_int),
        ("operation", ctypes.c_int),
        ("priority", ctypes.c_int),
        ("buffer", ctypes.c_void_p),
        ("size", ctypes.c_size_t),
        ("value", ctypes.c_void_p),
        ("signal", ctypes.c_int),
        ("notify", ctypes.c_int),
        ("function", ctypes.c_void_p),
        ("rest", ctypes.c_char * _CONTROL_BLOCK_BYTES),
    )


class _Exits:
    """Pipes of which each ends this process with its code as soon as a byte comes, without Python.

    Raises:
        OSError, AttributeError: this system cannot do that.
    """

    def __init__(self, codes: list[int]) -> None:
        if sys.platform != "linux" or ctypes.sizeof(ctypes.c_void_p) != 8:
            raise OSError("asynchronous reads are known of 64-bit Linux only")
        self._library = ctypes.CDLL(None)
        if not hasattr(self._library, "aio_read"):
            self._library = ctypes.CDLL("librt.so.1")
        leave = ctypes.cast(ctypes.CDLL(None)._exit, ctypes.c_void_p).value
        self.pipes = {code: os.pipe() for code in codes}
        self._buffer = ctypes.create_string_buffer(1)
        self._reads = []
        for code, (read, _) in self.pipes.items():
            request = _AsynchronousRead(
                descriptor=read,
                buffer=ctypes.addressof(self._buffer),
                size=1,
                value=code,
                notify=_SIGEV_THREAD,
                function=leave,
            )
            if self._library.aio_read(ctypes.byref(request)):
                self.close()
                raise OSError("the C library reads nothing in the background")
            self._reads.append(request)

    def close(self) -> None:
        """Takes the pipes away again; nothing ends the process any more."""
        for request in self._reads:
            request.notify = _SIGEV_NONE
        for _, write in self.pipes.values():
            os.close(write)
        # Each read ends with its pipe; until then its control block must stay.
        until = time.monotonic() + 5
        while any(self._library.aio_error(ctypes.byref(request)) == errno.EINPROGRESS for request in self._reads):
            if time.monotonic() > until:
                _KEPT.append(self)
                return
            time.sleep(0.001)
        for read, _ in self.pipes.values():
            os.close(read)


_KEPT: list[_Exits] = []


@contextlib.contextmanager
def bounded(seconds: float, what: str) -> Iterator[None]:
    """Around a native call that may wait for ever: SIGTERM, SIGINT and the limit end the process with a line.

    The exit code is 2 after the limit, 128 + its number after a signal. Outside the main thread, whose signals these
    are, only the limit counts.

    Args:
        seconds: the limit.
        what: the call, for the line.
    """
    main = threading.current_thread() is threading.main_thread()
    line = f"error: {what} took more than {seconds:g} s."
    read, write = socket.socketpair()
    write.setblocking(False)
    before: list[tuple[int, Any]] = []
    old_descriptor = -1
    with contextlib.ExitStack() as stack:
        stack.callback(read.close)
        stack.callback(write.close)
        try:
            stack.enter_context(_watched_by_process(read, seconds, line))
        except (OSError, AttributeError):
            # Elsewhere a thread watches, which helps where the call gives Python's lock away.
            stack.enter_context(_watched_by_thread(read, seconds, line))
        try:
            if main:
                before = [(n, signal.signal(n, lambda *_: None)) for n in _SIGNALS]
                old_descriptor = signal.set_wakeup_fd(write.fileno(), warn_on_full_buffer=False)
            yield
        finally:
            if main:
                signal.set_wakeup_fd(old_descriptor)
                for number, handler in before:
                    signal.signal(number, handler)
            with contextlib.suppress(OSError):
                write.send(b"\0")


@contextlib.contextmanager
def _watched_by_process(read: socket.socket, seconds: float, line: str) -> Iterator[None]:
    if getattr(sys, "frozen", False) or not sys.executable:
        raise OSError("there is no Python to start")
    exits = _Exits([2, *(128 + number for number in _SIGNALS)])
    try:
        pipes = [(write, code) for code, (_, write) in exits.pipes.items()]
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _WATCH, str(seconds), line, *(f"{w}={code}" for w, code in pipes)],
            stdin=read.fileno(),
            stdout=subprocess.DEVNULL,
            pass_fds=[write for write, _ in pipes],
            # Ctrl-C reaches every process of a terminal; this one is told by the descriptor.
            start_new_session=True,
        )
        try:
            yield
        finally:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    finally:
        exits.close()


@contextlib.contextmanager
def _watched_by_thread(read: socket.socket, seconds: float, line: str) -> Iterator[None]:
    def watch() -> None:
        ready, _, _ = select.select([read], [], [], seconds)
        number = (read.recv(1) or b"\0")[0] if ready else 0
        if ready and not number:
            return
        with contextlib.suppress(OSError, ValueError):
            print("interrupted" if number else line, file=sys.stderr, flush=True)
        os._exit(128 + number if number else 2)

    watcher = threading.Thread(target=watch, daemon=True, name="bounded")
    watcher.start()
    try:
        yield
    finally:
        watcher.join(5)
