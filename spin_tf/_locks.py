"""A lock on a file that dies with its process: two runs must not write into one folder at a time."""

from __future__ import annotations

import errno
import os
from typing import Any

from absl import logging

try:
    import fcntl
except ImportError:
    fcntl = None  # type: ignore[assignment]
try:
    import msvcrt
except ImportError:
    msvcrt = None  # type: ignore[assignment]

# What a lock that another holds answers: EACCES and EDEADLK on Windows.
_HELD = (errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK)
# Windows locks bytes, which may lie behind the end, so that the holder's line stays readable.
_BYTE = 1 << 30


class Locked(OSError):
    """Another process (or another holder in this one) has the lock; the message names it."""


class FileLock:
    """Holds a lock from its making until `release`, or until the process ends, however it does.

    On file systems and systems that know no locks the run goes on without, and the log says so.

    Args:
        path: the file that carries the lock; made when it is missing, and left there.

    Raises:
        Locked: another holds it.
        OSError: the file cannot be written.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        # Held open as long as the lock is.
        self._file: Any = open(self.path, "a+", encoding="utf-8")  # noqa: SIM115
        try:
            self._acquire()
            self._file.truncate(0)
            self._file.write(f"process {os.getpid()} on {_host()}\n")
            self._file.flush()
        except BaseException:
            self._file.close()
            raise

    def _acquire(self) -> None:
        try:
            if fcntl is not None:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            elif msvcrt is not None:
                self._file.seek(_BYTE)
                msvcrt.locking(self._file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
            else:
                logging.warning("%s: this system knows no locks; see to it that one run writes there.", self.path)
        except OSError as error:
            if error.errno in _HELD:
                raise Locked(f"{self.holder()} holds {self.path}") from error
            logging.warning("%s: no lock there (%s); see to it that one run writes there.", self.path, error)

    def holder(self) -> str:
        """Who wrote into the file last: the process that holds the lock, where it is held."""
        self._file.seek(0)
        return self._file.read(200).strip() or "another process"

    def release(self) -> None:
        """Gives the lock back; more than once does no harm."""
        self._file.close()

    def __enter__(self) -> FileLock:
        return self

    def __exit__(self, *error: object) -> None:
        self.release()


def _host() -> str:
    import platform

    return platform.node() or "this machine"
