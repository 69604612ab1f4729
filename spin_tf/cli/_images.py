"""The images that a command is given: files, folders and pipes, found and read one after another."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from spin_tf._input_files import check_regular, is_pipe, read_pipe
from spin_tf.cli._lines import show_path
from spin_tf.cli._run import UserError
from spin_tf.cli._streams import say
from spin_tf.data.formats import HEAD_BYTES, format_of, is_image_name
from spin_tf.reading.inputs import ImageLike


class FoundImage(NamedTuple):
    """An image file, or an argument that leads to none: then `problem` says why; or a pipe, `-` for standard input."""

    path: str
    problem: str = ""
    is_pipe: bool = False


def find_images(
    arguments: Iterable[str], say: Callable[[str, str], None] = lambda path, note: None
) -> Iterator[FoundImage]:
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
            yield FoundImage(argument, is_pipe=is_pipe(argument))
            continue
        try:
            names = [path for path in pathlib.Path(argument).iterdir() if not path.name.startswith(".")]
        except OSError as error:
            yield FoundImage(argument, f"the folder cannot be read: {error.strerror or error}")
            continue
        folders = [path for path in names if os.path.isdir(path)]
        images = sorted(str(path) for path in set(names) - set(folders) if _is_image(path))
        if not images:
            kinds = ".jpg, .png, .tif, .webp, .avif and their like"
            yield FoundImage(argument, f"the folder holds no image files ({kinds})")
        if inner := sorted(path.name for path in folders if _holds_images(path)):
            count = (
                f"{len(inner)} folders in it hold images, which are not read"
                if len(inner) > 1
                else ("a folder in it holds images, which are not read")
            )
            say(argument, f"{count}: {inner[0]}{', ...' if len(inner) > 1 else ''}")
        yield from map(FoundImage, images)


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


def find_some_images(arguments: Sequence[str]) -> list[FoundImage]:
    """What `find_images` finds; what it leaves out goes to stderr.

    Raises:
        UserError: there is nothing that could be read.
    """
    found = list(find_images(arguments, lambda path, note: say(f"{show_path(path)}: {' '.join(note.split())}")))
    if all(one.problem for one in found):
        raise UserError("; ".join(f"{one.problem}. Received: {one.path}" for one in found))
    return found


class Sources:
    """What `read_many` is given for the files that were found, without those that have a problem.

    A pipe is read when it is its turn, by whoever takes the images: Ctrl-C ends the waiting for one.

    Args:
        found: see `find_images`.
        keep: keep what came through pipes, which cannot be read again, for `image`.
    """

    def __init__(self, found: Sequence[FoundImage], keep: bool) -> None:
        self._found, self._keep = found, keep
        self._kept: dict[str, bytes] = {}

    def __iter__(self) -> Iterator[ImageLike]:
        for found in self._found:
            if found.is_pipe:
                yield self._take(found.path)
            elif not found.problem:
                yield found.path

    def image(self, path: str) -> ImageLike:
        """The image of a path, once more."""
        return self._kept.get(path, path)

    def _take(self, path: str) -> ImageLike:
        try:
            data = read_pipe(path)
        except OSError as error:
            return _Unreadable(error)
        if self._keep:
            self._kept[path] = data
        return data


class _Unreadable:
    """In the place of an image: reading it says what went wrong."""

    def __init__(self, error: OSError) -> None:
        self._error = error

    def read(self, size: int) -> bytes:
        raise self._error
