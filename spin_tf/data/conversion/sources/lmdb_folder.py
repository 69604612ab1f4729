"""LMDB in the layout of deep-text-recognition-benchmark: num-samples, image-000000001, label-000000001, ..."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator

from spin_tf._input_files import MAX_BYTES
from spin_tf.data.conversion.entry import Entry, EntryError, bad_line
from spin_tf.data.records.lmdb_file import LmdbError, LmdbFile


def label_files(path: str) -> list[str]:
    """The file inside the folder that holds everything."""
    file = os.path.join(path, "data.mdb")
    return [file] if os.path.exists(file) else []


def _open(path: str) -> LmdbFile:
    if not label_files(path):
        raise ValueError(f"This folder is no LMDB, it holds no data.mdb. Received: input={path!r}")
    state = os.stat(label_files(path)[0])
    return _open_once(path, state.st_size, state.st_mtime_ns)


# By size and time, so that one that has been replaced meanwhile is opened anew.
@functools.lru_cache(maxsize=8)
def _open_once(path: str, size: int, time: int) -> LmdbFile:
    return LmdbFile(path, MAX_BYTES)


def entries(path: str, root: str) -> Iterator[Entry]:
    """Yields the words of a database; the pictures stay in it until they are read."""
    database = _open(path)
    value = database.get(b"num-samples")
    # int() takes much more than digits, and thousands of them.
    if value is None or not value.strip().isdigit() or len(value) > 20:
        found = [key.decode("utf-8", "replace") for key in database.first_keys(5)]
        raise ValueError(f"The LMDB has no number under num-samples. Received: input={path!r}, keys={found}")
    count = int(value)
    for number in range(1, min(count, database.num_entries) + 1):
        key = f"image-{number:09d}"
        try:
            label = database.get(b"label-%09d" % number)
        except LmdbError as error:
            yield bad_line(path, number, str(error), "damaged_lmdb")
            continue
        if label is None:
            yield bad_line(path, number, f"no label-{number:09d}")
            continue
        try:
            yield Entry(key, label.decode(), path, key=key)
        except UnicodeDecodeError:
            yield bad_line(path, number, ascii(label), "label_not_utf8")
    if count > database.num_entries:
        detail = f"num-samples is {count}, the database holds {database.num_entries} keys"
        yield bad_line(path, database.num_entries + 1, detail)


def read(path: str, key: str) -> bytes:
    """Reads one picture.

    Raises:
        EntryError: when the database does not hold it, or is damaged there.
    """
    try:
        data = _open(path).get(key.encode())
    except (ValueError, OSError) as error:
        raise EntryError(f"{error}", "damaged_lmdb") from error
    if data is None:
        raise EntryError(f"The LMDB does not hold this key. Received: key={key!r}", "missing_file")
    return data
