"""The images that a command reads, found and one after another: paths, and the bytes of what comes through pipes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from spin_tf._input_files import read_pipe
from spin_tf.cli._arguments import Found, find_images
from spin_tf.cli._lines import show_path
from spin_tf.cli._run import UserError
from spin_tf.cli._streams import say
from spin_tf.reading.images import ImageLike


def find_some_images(arguments: Sequence[str]) -> list[Found]:
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

    def __init__(self, found: Sequence[Found], keep: bool) -> None:
        self._found, self._keep = found, keep
        self._kept: dict[str, bytes] = {}

    def __iter__(self) -> Iterator[ImageLike]:
        for path, problem, is_pipe in self._found:
            if is_pipe:
                yield self._take(path)
            elif not problem:
                yield path

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
