"""Files that appear whole or not at all, and paths that are compared by where they lead, not by their spelling."""

from __future__ import annotations

import glob
import os
import tempfile
from collections.abc import Iterable
from typing import Any


def place(path: str | os.PathLike[str]) -> str:
    """The one name of a path: `d`, `./d`, `x//d` and `link/d` are the same file. A link at its end is a file itself."""
    folder, name = os.path.split(os.fspath(path))
    return os.path.join(os.path.realpath(folder or os.curdir), os.path.normcase(name))


def remove_others(present: Iterable[str], kept: Iterable[str]) -> list[str]:
    """Removes those of the `present` files that are none of the `kept` ones, in whatever spelling; returns them."""
    places = {place(path) for path in kept}
    removed = [path for path in present if place(path) not in places]
    for path in removed:
        os.remove(path)
    return removed


def write_atomically(path: str, write: Any) -> None:
    """Calls `write(temporary_path)` and puts the result in place of `path`, or leaves `path` as it was.

    The temporary name keeps the extension, and nothing but a whole file ever has the name `path`, whenever the
    process or the machine stops, or the disk is full.
    """
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, f".partial-{os.getpid()}-{name}")
    try:
        write(temporary)
        with open(temporary, "rb+") as stream:
            os.fsync(stream.fileno())
        os.replace(temporary, path)
        _sync_folder(folder or ".")
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)


def write_text(path: str, text: str, errors: str = "strict") -> None:
    """Writes a text file in UTF-8, whole or not at all."""

    def write(temporary: str) -> None:
        with open(temporary, "w", encoding="utf-8", errors=errors) as stream:
            stream.write(text)

    write_atomically(path, write)


def _sync_folder(folder: str) -> None:
    """Makes a renaming outlive a power cut, where the system lets a folder be opened."""
    if hasattr(os, "O_DIRECTORY"):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove_partial(folder: str) -> None:
    """Removes what writes that were killed have left."""
    for path in glob.glob(os.path.join(glob.escape(folder), ".partial-*")):
        os.remove(path)


def check_output_file(path: str) -> None:
    """Sees to it that a file can be written, before the work that fills it: its folder is made and tried.

    Raises:
        OSError: it cannot; names the path.
    """
    if os.path.isdir(path):
        raise IsADirectoryError(f"The output is a file, and there is a folder of that name. Received: output={path!r}")
    check_output_folder(os.path.dirname(path) or os.curdir, path)


def check_output_folder(folder: str, shown: str | None = None) -> None:
    """Sees to it that files can be written into a folder, before the work that fills it; makes it.

    Raises:
        OSError: they cannot; names the path.
    """
    try:
        os.makedirs(folder, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        reason = error.strerror or error
        raise type(error)(f"The output cannot be written: {reason}. Received: output={shown or folder!r}") from error
