"""Files and folders as a user names them: what cannot be used is told, the rest is read."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from spin_tf._input_files import check_regular, is_pipe
from spin_tf.data.formats import HEAD_BYTES, format_of, is_image_name


class Found(NamedTuple):
    """An image file, or an argument that leads to none: then `problem` says why; or a pipe, `-` for standard input."""

    path: str
    problem: str = ""
    is_pipe: bool = False


def find_images(arguments: Iterable[str], say: Callable[[str, str], None] = lambda path, note: None) -> Iterator[Found]:
    """Yields the files named by the arguments; of a folder, its image files by name, without those of folders in it.

    Other files beside the images of a folder (labels, notes) are no mistake, and neither is what a file manager hides
    (`.hidden.png`); a file named by the user is always tried.

    Args:
        arguments: files and folders.
        say: called with a folder and what is not read of it.
    """
    for argument in arguments:
        # os.path, unlike pathlib, never raises for a name that cannot be one.
        if not os.path.isdir(argument):
            yield Found(argument, is_pipe=is_pipe(argument))
            continue
        try:
            names = [path for path in pathlib.Path(argument).iterdir() if not path.name.startswith(".")]
        except OSError as error:
            yield Found(argument, f"the folder cannot be read: {error.strerror or error}")
            continue
        folders = [path for path in names if os.path.isdir(path)]
        images = sorted(str(path) for path in set(names) - set(folders) if _is_image(path))
        if not images:
            yield Found(argument, "the folder holds no image files (.jpg, .png, .tif, .webp, .avif and their like)")
        if inner := sorted(path.name for path in folders if _holds_images(path)):
            count = (
                f"{len(inner)} folders in it hold images, which are not read"
                if len(inner) > 1
                else ("a folder in it holds images, which are not read")
            )
            say(argument, f"{count}: {inner[0]}{', ...' if len(inner) > 1 else ''}")
        yield from map(Found, images)


def _is_image(path: pathlib.Path) -> bool:
    """By its name, or by its first bytes: images without a suffix, or with one of their own, count as well."""
    if is_image_name(path.name):
        return True
    try:
        check_regular(path)
        with open(path, "rb") as file:
            return bool(format_of(file.read(HEAD_BYTES)))
    except OSError:
        return False


def _holds_images(folder: pathlib.Path) -> bool:
    try:
        with os.scandir(folder) as entries:
            return any(is_image_name(entry.name) and not entry.name.startswith(".") for entry in entries)
    except OSError:
        return False
