"""One word of a data set before it is read: its label and where its picture lies; and what label files are read by."""

from __future__ import annotations

import functools
import json
import os
import pathlib
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from spin_tf._extras import require
from spin_tf._input_files import MAX_BYTES
from spin_tf._types import JsonObject
from spin_tf.data.images import ImageError, read_image_file

MAX_LINE = 1 << 20
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")


class EntryError(ValueError):
    """An entry that cannot become a word.

    Attributes:
        reason: under which the report counts it.
    """

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason

    def __reduce__(self) -> tuple[object, ...]:
        # As `ImageError`: worker processes send it.
        return type(self), (str(self), self.reason)


class Entry(NamedTuple):
    """What a source yields for each word of its label files, good or bad.

    Args:
        source_id: unique within the data set and the same in every run.
        text: the label exactly as the source has it; None where it lies in the record itself.
        path: the file that holds the picture.
        box: empty for the whole picture; left, top, right, bottom in pixels (right and bottom exclusive); or the x
            and y of four corners, clockwise from the upper left of the text, to be cut out by perspective.
        key: what to read in `path` when that is not an image: the key in an LMDB, or `"offset,length"` in a TFRecord.
        problem: empty, or the reason why the line of the label file gives no word.
        detail: what a person should see about `problem`.
    """

    source_id: str
    text: str | None
    path: str
    box: tuple[float, ...] = ()
    key: str = ""
    problem: str = ""
    detail: str = ""

    @property
    def group(self) -> str:
        """Entries of one group go to one shard in order, so that a full picture is decoded once."""
        return self.path if not self.key else self.source_id

    def to_json(self) -> str:
        """One line that `from_json` takes."""
        return json.dumps(self)

    @classmethod
    def from_json(cls, line: str) -> Entry:
        """Inverse of `to_json`."""
        source_id, text, path, box, *rest = json.loads(line)
        return cls(source_id, text, path, tuple(box), *rest)


def bad_line(path: str, number: int, line: str, problem: str = "bad_line") -> Entry:
    """An entry for a line of a label file that cannot be understood; counted, never dropped in silence."""
    return Entry(f"{os.path.basename(path)}#line{number}", None, "", problem=problem, detail=line[:200])


def resolve(root: str, name: str) -> str:
    """Returns the path that a label file means by `name`; backslashes separate folders where no file has them.

    Raises:
        EntryError: when it leads out of `root`, by `..` or as an absolute path, or cannot be a path at all.
    """
    inside = _inside(name)
    if os.sep == "/" and "\\" in name:
        # Written on Windows, unless a file is really called so; either way it must not lead out.
        other = _inside(name.replace("\\", "/"))
        if not os.path.lexists(os.path.join(root, inside)):
            inside = other
    return os.path.join(root, inside)


def _inside(name: str) -> str:
    inside = os.path.normpath(name) if name else os.pardir
    if "\0" in name or os.path.isabs(inside) or inside.split(os.sep)[0] == os.pardir or _DRIVE.match(name):
        raise EntryError(
            f"The path leads out of the folder of the images. Received: name={name!r}", "path_outside_folder"
        )
    return inside


def image_entry(root: str, name: str, text: str | None, **fields: object) -> Entry:
    """An entry for the picture `name` under `root`; a name that leads out of `root` becomes its problem."""
    try:
        return Entry(name, text, resolve(root, name), **fields)  # type: ignore[arg-type]
    except EntryError as error:
        return Entry(name, text, "", problem=error.reason, detail=str(error))


def lines_of(path: str) -> Iterator[tuple[int, str | None, bytes]]:
    """Number, text (None when it is not UTF-8) and bytes of each line of a label file that is not empty.

    Lines end at LF or CR LF and nowhere else; a byte-order mark at the start is not part of the first line.
    """
    with open(path, "rb") as file:
        # A file without line ends is not read as one line into memory.
        for number, raw in enumerate(iter(lambda: file.readline(MAX_LINE), b""), start=1):
            raw = raw.rstrip(b"\r\n")
            if number == 1:
                raw = raw.removeprefix(b"\xef\xbb\xbf")
            if not raw:
                continue
            try:
                yield number, raw.decode(), raw
            except UnicodeDecodeError:
                yield number, None, raw


def parse_lines(path: str, parse: Callable[[str], Entry | list[Entry] | None]) -> Iterator[Entry]:
    """Yields what `parse` makes of each line; None from it and undecodable lines become entries with a problem."""
    for number, line, raw in lines_of(path):
        if line is None:
            yield bad_line(path, number, ascii(raw), "label_not_utf8")
        else:
            found = parse(line)
            found = bad_line(path, number, line) if found is None else found
            yield from found if isinstance(found, list) else [found]


def read_object(path: str) -> JsonObject:
    """Reads a JSON object of any size.

    Raises:
        ValueError: the file holds something else, or no JSON.
    """
    try:
        with open(path, encoding="utf-8-sig") as file:
            value = json.load(file)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"The file is no JSON: {error}. Received: input={path!r}") from error
    if not isinstance(value, dict):
        raise ValueError(f"The file is no JSON object. Received: input={path!r}, {type(value).__name__}")
    return value


def text_of(value: object, key: str) -> str | None:
    """The string under a key; None where there is none, or one that no UTF-8 text can hold."""
    text = value.get(key) if isinstance(value, dict) else None
    # JSON can write halves of surrogate pairs.
    return text if isinstance(text, str) and not any("\ud800" <= c <= "\udfff" for c in text) else None


def read_file(path: str) -> bytes:
    """Reads a regular file of at most `MAX_BYTES`; one whose path is a URL (gs://..., hdfs://...) through Apache Beam.

    Raises:
        EntryError: for a file that is missing, cannot be opened or is something else than a file.
        ImageError: for an empty or too large one.
    """
    if "://" in path:
        return _read_remote(path)
    try:
        return read_image_file(path)
    except ImageError:
        raise
    except FileNotFoundError as error:
        raise EntryError(f"There is no such file. Received: path={path!r}", "missing_file") from error
    except (OSError, ValueError) as error:
        raise EntryError(f"The file cannot be opened: {error}", "unreadable_file") from error


def _read_remote(path: str) -> bytes:
    files = require("apache_beam.io.filesystems", "Reading remote files", "beam")
    kinds = require("apache_beam.io.filesystem", "Reading remote files", "beam")
    try:
        with files.FileSystems.open(path, compression_type=kinds.CompressionTypes.UNCOMPRESSED) as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError, kinds.BeamIOError) as error:
        raise EntryError(f"The file cannot be opened: {error}", "missing_file") from error
    return data


@functools.lru_cache(maxsize=65536)
def _real_folder(folder: str) -> str:
    return os.path.realpath(folder)


def real_path(path: str) -> str:
    """`os.path.realpath` of the folder and the name as it is: quick over many files of few folders."""
    folder, name = os.path.split(path)
    return os.path.join(_real_folder(folder), name)


def read_path_list(path: str) -> set[str]:
    """Reads a text file of image paths, one a line, relative to its own folder; returns them as `real_path`s."""
    folder = str(pathlib.Path(path).parent)
    return {real_path(os.path.join(folder, line)) for _, line, _ in lines_of(path) if line is not None and line.strip()}
