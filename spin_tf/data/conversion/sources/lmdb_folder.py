"""LMDB in the layout of deep-text-recognition-benchmark: num-samples, image-000000001, label-000000001, ..."""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
from collections.abc import Iterator
from typing import Any

from spin_tf._extras import require
from spin_tf._input_files import MAX_BYTES, check_regular
from spin_tf.data.conversion.entry import Entry, EntryError, bad_line

# Labels that are read before any of them is used.
_MANY = 10_000
# The library opens a file once a process.
_open_here = threading.Lock()


def label_files(path: str) -> list[str]:
    """The file inside the folder that holds everything."""
    file = os.path.join(path, "data.mdb")
    return [file] if os.path.exists(file) else []


@contextlib.contextmanager
def _opened(path: str) -> Iterator[tuple[Any, int]]:
    """A transaction, and how many keys there are; for a short time: meanwhile nobody else in this process may.

    Raises:
        ValueError: this is no LMDB, or one that was cut off: of a file that is mapped, what is missing would end the
            process. Damage inside the library reports mostly: one of 900 files with random bytes in it ended the
            process.
    """
    if not label_files(path):
        raise ValueError(f"This folder is no LMDB, it holds no data.mdb. Received: input={path!r}")
    size = check_regular(label_files(path)[0]).st_size
    lmdb = require("lmdb", "Reading LMDBs", "data")
    try:
        with _open_here, lmdb.open(path, readonly=True, create=False, lock=False, readahead=False) as database:
            state = database.stat()
            needed = (database.info()["last_pgno"] + 1) * state["psize"]
            if size < needed:
                raise ValueError(
                    f"The LMDB is cut off: it has {needed} bytes. Received: input={path!r} of {size} bytes"
                )
            with database.begin() as transaction:
                yield transaction, state["entries"]
    except lmdb.Error as error:
        raise ValueError(f"The LMDB is damaged: {error}. Received: input={path!r}") from error


def entries(path: str, root: str) -> Iterator[Entry]:
    """Yields the words of a database; the pictures stay in it until they are read."""
    with _opened(path) as (transaction, num_keys):
        value = transaction.get(b"num-samples")
        # int() takes much more than digits, and thousands of them.
        if value is None or not value.strip().isdigit() or len(value) > 20:
            keys = itertools.islice(transaction.cursor().iternext(values=False), 5)
            found = [key.decode("utf-8", "replace") for key in keys]
            raise ValueError(f"The LMDB has no number under num-samples. Received: input={path!r}, keys={found}")
    count = min(int(value), num_keys)
    for first in range(1, count + 1, _MANY):
        numbers = range(first, min(first + _MANY, count + 1))
        with _opened(path) as (transaction, _):
            labels = [transaction.get(b"label-%09d" % number) for number in numbers]
        for number, label in zip(numbers, labels, strict=True):
            if label is None:
                yield bad_line(path, number, f"no label-{number:09d}")
                continue
            key = f"image-{number:09d}"
            try:
                yield Entry(key, label.decode(), path, key=key)
            except UnicodeDecodeError:
                yield bad_line(path, number, ascii(label), "label_not_utf8")
    if int(value) > count:
        yield bad_line(path, count + 1, f"num-samples is {int(value)}, the database holds {num_keys} keys")


def read(path: str, key: str) -> bytes:
    """Reads one picture.

    Raises:
        EntryError: when the database does not hold it, or is damaged there.
    """
    try:
        with _opened(path) as (transaction, _):
            data = transaction.get(key.encode())
    except (ValueError, OSError) as error:
        raise EntryError(f"{error}", "damaged_lmdb") from error
    if data is None:
        raise EntryError(f"The LMDB does not hold this key. Received: key={key!r}", "missing_file")
    if len(data) > MAX_BYTES:
        raise EntryError(f"Image files may have up to {MAX_BYTES} bytes. Received: {len(data)} bytes", "damaged_lmdb")
    return data
