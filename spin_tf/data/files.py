"""The one way in which files of strangers come into memory: regular files only, their size first."""

from __future__ import annotations

import errno
import os
import stat

MAX_BYTES = 256 * 2**20
# Some file systems (/proc) tell no size of files that hold a little.
_UNTOLD_BYTES = 1 << 20

# Neither wait for a pipe's other end, nor take a terminal for ours, nor let Windows translate line ends.
_FLAGS = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_NOCTTY", "O_BINARY"))


def check_regular(path: str | os.PathLike[str]) -> os.stat_result:
    """Refuses what is no regular file, without opening it: that alone makes some devices act.

    Returns:
        what `os.stat` says about the file.

    Raises:
        OSError: there is no such file, it cannot be looked at, or it is a folder, a pipe, a socket or a device.
        ValueError: the path holds a null character.
    """
    status = os.stat(path)
    _check_mode(status.st_mode, path)
    return status


def _check_mode(mode: int, path: str | os.PathLike[str]) -> None:
    if stat.S_ISREG(mode):
        return
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
    kind = {stat.S_IFIFO: "a named pipe", stat.S_IFSOCK: "a socket"}.get(stat.S_IFMT(mode), "a device")
    raise OSError(errno.EINVAL, f"Only regular files are read, and this is {kind}", os.fspath(path))


def read_regular_file(path: str | os.PathLike[str], limit: int = MAX_BYTES) -> bytes:
    """Reads a whole regular file, or the one that a link leads to.

    A named pipe, a device or a terminal is refused instead of waited for, and a file that is too large is refused
    before its first byte is read.

    Raises:
        OSError: the file is missing, cannot be opened, is no regular file, or (errno EFBIG) has more than `limit`
            bytes.
        ValueError: the path holds a null character.
    """
    check_regular(path)
    descriptor = os.open(path, _FLAGS)
    with open(descriptor, "rb") as file:
        # Another thing may lie there by now.
        status = os.fstat(descriptor)
        _check_mode(status.st_mode, path)
        size = status.st_size
        if size <= limit:
            data = file.read(min(size or _UNTOLD_BYTES, limit) + 1)
            size = max(size, len(data))
    if size > limit:
        raise OSError(errno.EFBIG, f"Files may have up to {limit} bytes. Received: {size} bytes", os.fspath(path))
    return data
