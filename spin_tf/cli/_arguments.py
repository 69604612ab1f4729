"""Files and folders as a user names them: what cannot be used is told, the rest is read."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

# Other files beside the images of a folder (labels, notes) are no mistake; a file named by the user is always tried.
SUFFIXES = {".jpg", ".jpeg", ".png", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".pbm", ".pnm"}


class Found(NamedTuple):
    """An image file, or an argument that leads to none: then `problem` says why."""

    path: str
    problem: str = ""


def find_images(arguments: Iterable[str]) -> Iterator[Found]:
    """Yields the files named by the arguments; of a folder, its image files by name, without those of folders in it."""
    for argument in arguments:
        # os.path, unlike pathlib, never raises for a name that cannot be one.
        if not os.path.isdir(argument):
            yield Found(argument)
            continue
        try:
            images = sorted(
                str(path)
                for path in pathlib.Path(argument).iterdir()
                if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and not os.path.isdir(path)
            )
        except OSError as error:
            yield Found(argument, f"the folder cannot be read: {error.strerror or error}")
            continue
        if not images:
            yield Found(argument, f"the folder holds no image files ({', '.join(sorted(SUFFIXES))})")
        yield from map(Found, images)
