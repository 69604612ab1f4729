"""TFRecords, ours or of other projects: image/encoded with image/text, text/string or image/class/text."""

from __future__ import annotations

import os
from collections.abc import Iterator

from spin_tf._input_files import MAX_BYTES
from spin_tf.data.conversion.entry import Entry, EntryError, bad_line
from spin_tf.data.records.record_file import read_record
from spin_tf.data.records.tfrecord import RecordError, RecordIndex, WordExample, parse_example

_ROOM_FOR_TEXT = 2**20


def entries(path: str, root: str) -> Iterator[Entry]:
    """Yields the records of the files that a path or glob pattern matches; labels are read with the pictures."""
    index = RecordIndex(path, on_corrupt="skip")
    numbers: dict[str, int] = {}
    for i in range(len(index)):
        file, offset, length = index.locate(i)
        numbers[file] = numbers.get(file, 0) + 1
        name = f"{os.path.basename(file)}#{numbers[file]}"
        yield Entry(name, None, file, key=f"{offset},{length}")
    for skipped in index.skipped:
        yield bad_line(skipped.file, skipped.num_records + 1, skipped.reason, "corrupt_tfrecord")


def read(path: str, key: str) -> WordExample:
    """Reads one record and verifies its checksum.

    Raises:
        EntryError: when it is broken or no labelled picture; the message names missing keys.
    """
    offset, length = map(int, key.split(","))
    if length > MAX_BYTES + _ROOM_FOR_TEXT:
        raise EntryError(f"Records may have up to {MAX_BYTES + _ROOM_FOR_TEXT} bytes. Received: {length}", "bad_record")
    try:
        return parse_example(read_record(path, offset, length))
    except RecordError as error:
        raise EntryError(f"{error}", "bad_record") from error
