"""The one way in which files of strangers come into memory: regular files only, their size first.

Pipes are read where a person has named one, not where a folder holds it.
"""

from __future__ import annotations

import errno
import io
import os
import re
import select
import stat
import sys
import time
from typing import BinaryIO

from spin_tf.contract.constants import MAX_IMAGE_BYTES as MAX_BYTES

# Some file systems (/proc) tell no size of files that hold a little.
_UNTOLD_BYTES = 1 << 20

# How long a named pipe may have nobody who writes to it.
PIPE_SECONDS = 5.0
_CHUNK = 1 << 20
# Files that the process has open already. Opening such a pipe anew would lose whether its writer has gone.
_DESCRIPTOR = re.compile(r"/dev/(?:fd/(\d+)|stdin)|/proc/self/fd/(\d+)")

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


def is_pipe(path: str | os.PathLike[str]) -> bool:
    """Whether a path that a person has named is `-`, standard input, or leads to a pipe."""
    if os.fspath(path) == "-":
        return True
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return False
    # A socket can only be read by whom it was handed to.
    return stat.S_ISFIFO(mode) or (stat.S_ISSOCK(mode) and _descriptor_of(path) is not None)


def _descriptor_of(path: str | os.PathLike[str]) -> int | None:
    name = os.fspath(path)
    match = _DESCRIPTOR.fullmatch(name) if isinstance(name, str) else None
    if match is None:
        return 0 if name == "-" else None
    return int(match[1] or match[2] or 0)


def read_pipe(path: str | os.PathLike[str], limit: int = MAX_BYTES) -> bytes:
    """Reads what comes through a pipe that a person has named, up to its end.

    Args:
        path: a named pipe, `/dev/fd/N` (what a shell makes of `<(command)`), or `-` for standard input.
        limit: bytes that are taken.

    Raises:
        OSError: it cannot be read, has more than `limit` bytes (errno EFBIG), or is a named pipe to which nobody
            writes for `PIPE_SECONDS`.
    """
    number = _descriptor_of(path)
    if number == 0 and sys.platform == "win32":
        import msvcrt

        msvcrt.setmode(0, os.O_BINARY)
    descriptor = os.open(path, _FLAGS) if number is None else os.dup(number)
    try:
        return _read_to_end(descriptor, limit, path, waits=number is None)
    finally:
        os.close(descriptor)


def _read_to_end(descriptor: int, limit: int, path: str | os.PathLike[str], waits: bool) -> bytes:
    chunks: list[bytes] = []
    size = 0
    end = time.monotonic() + PIPE_SECONDS
    while size <= limit:
        try:
            chunk = os.read(descriptor, _CHUNK)
        except BlockingIOError:
            # Somebody has it open and has not written yet.
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            poll.poll(1000)
            waits = False
            continue
        if chunk:
            chunks.append(chunk)
            size += len(chunk)
        elif chunks or not waits:
            return b"".join(chunks)
        elif time.monotonic() > end:
            raise OSError(errno.EINVAL, f"Nobody writes to this named pipe for {PIPE_SECONDS:g} s", os.fspath(path))
        else:
            time.sleep(0.02)
    raise OSError(errno.EFBIG, f"Files may have up to {limit} bytes. Received: more", os.fspath(path))


def read_list(path: str | os.PathLike[str], errors: str = "strict") -> str:
    """The text of a list that a person has named (words, characters): UTF-8, with any line ends as one kind.

    Args:
        path: a file, or a pipe.
        errors: what becomes of bytes that are no UTF-8, as in `open`.

    Raises:
        OSError: as `open_named`.
        UnicodeDecodeError: (a ValueError) it is not UTF-8.
    """
    with io.TextIOWrapper(open_named(path), encoding="utf-8-sig", errors=errors) as file:
        return file.read()


def open_named(path: str | os.PathLike[str], limit: int = MAX_BYTES) -> BinaryIO:
    """Opens a file that a person has named, for reading: a regular one, or what comes through a pipe.

    Raises:
        OSError: as `check_regular` and `read_pipe`.
        ValueError: the path holds a null character.
    """
    if is_pipe(path):
        return io.BytesIO(read_pipe(path, limit))
    check_regular(path)
    descriptor = os.open(path, _FLAGS)
    file = open(descriptor, "rb")  # noqa: SIM115
    try:
        # Another thing may lie there by now.
        _check_mode(os.fstat(descriptor).st_mode, path)
    except BaseException:
        file.close()
        raise
    return file
