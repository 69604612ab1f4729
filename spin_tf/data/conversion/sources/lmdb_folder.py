"""LMDB in the layout of deep-text-recognition-benchmark: num-samples, image-000000001, label-000000001, ..."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from typing import Any

from spin_tf._extras import require
from spin_tf.data.conversion.entry import Entry, EntryError, bad_line


@functools.lru_cache(maxsize=8)
def _open(path: str) -> Any:
    lmdb = require("lmdb", "Reading LMDB", "data")
    try:
        return lmdb.open(path, readonly=True, lock=False, readahead=False, meminit=False)
    except lmdb.Error as error:
        raise ValueError(f"This folder is no LMDB that can be read: {error}. Received: input={path!r}") from error


def entries(path: str, root: str) -> Iterator[Entry]:
    """Yields the words of a database; the pictures stay in it until they are read."""
    with _open(path).begin() as transaction:
        try:
            count = int(transaction.get(b"num-samples"))
        except (TypeError, ValueError):
            keys = itertools.islice(transaction.cursor().iternext(values=False), 5)
            found = [key.decode("utf-8", "replace") for key in keys]
            raise ValueError(
                f"The LMDB has no number under num-samples. Received: input={path!r}, keys={found}"
            ) from None
        for number in range(1, count + 1):
            label = transaction.get(b"label-%09d" % number)
            key = f"image-{number:09d}"
            if label is None:
                yield bad_line(path, number, f"no label-{number:09d}")
                continue
            try:
                yield Entry(key, label.decode(), path, key=key)
            except UnicodeDecodeError:
                yield bad_line(path, number, ascii(label), "label_not_utf8")


def read(path: str, key: str) -> bytes:
    """Reads one picture.

    Raises:
        EntryError: when the database does not hold it.
    """
    with _open(path).begin() as transaction:
        data = transaction.get(key.encode())
    if data is None:
        raise EntryError(f"The LMDB does not hold this key. Received: key={key!r}", "missing_file")
    return data
