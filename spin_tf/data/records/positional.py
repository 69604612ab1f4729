"""Reads at a place of a file, without mapping it: a file that becomes shorter gives fewer bytes, not a signal."""

from __future__ import annotations

import os
import threading


class PositionalFile:
    """A file open for reading at any place, from any number of threads.

    Args:
        path: the file.

    Raises:
        OSError: it cannot be opened.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        # Closed by close().
        self._file = open(path, "rb", buffering=0)  # noqa: SIM115
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """The present length in bytes."""
        return os.fstat(self._file.fileno()).st_size

    def read(self, size: int, offset: int) -> bytes:
        """Reads `size` bytes at `offset`; fewer where the file ends."""
        if hasattr(os, "pread"):
            data = os.pread(self._file.fileno(), size, offset)
            if len(data) == size or not data:
                return data
            # One call reads up to 2 GiB, and may be cut short by a signal.
            parts = [data]
            while len(data) and sum(map(len, parts)) < size:
                done = sum(map(len, parts))
                data = os.pread(self._file.fileno(), size - done, offset + done)
                parts.append(data)
            return b"".join(parts)
        # Windows has no pread.
        with self._lock:
            self._file.seek(offset)
            parts, missing = [], size
            while missing:
                data = self._file.read(missing) or b""
                if not data:
                    break
                parts.append(data)
                missing -= len(data)
            return b"".join(parts)

    def close(self) -> None:
        """Closes the file; more than once does no harm."""
        self._file.close()

    def __enter__(self) -> PositionalFile:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
