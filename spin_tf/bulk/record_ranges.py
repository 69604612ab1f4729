"""TFRecord files in pieces that workers read on their own, however many files there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

import google_crc32c

from spin_tf._types import JsonObject
from spin_tf.contract.word import ReadError
from spin_tf.data.records.record_file import FOOTER, HEADER, RecordError, check_record, mask, walk
from spin_tf.data.records.word_example import decode_bytes_features, value_of


class RecordRange(NamedTuple):
    """Some records of a file.

    Args:
        path: the file.
        first: number of the first record.
        start: where its header begins.
        length: how many; None is up to the end of the file.
    """

    path: str
    first: int
    start: int
    length: int | None


def split(path: str, size: int) -> Iterator[RecordRange]:
    """Divides a local file into ranges of `size` records, by its headers alone; another file system's is one range.

    What lies behind a broken place gets a range too: whoever reads it finds out what is broken.
    """
    if "://" in path:
        yield RecordRange(path, 0, 0, None)
        return
    offsets, lengths, problem = walk(path)
    for first in range(0, len(offsets), size):
        yield RecordRange(path, first, int(offsets[first]) - HEADER.size, min(size, len(offsets) - first))
    if problem:
        end = int(offsets[-1] + lengths[-1]) + FOOTER.size if len(offsets) else 0
        yield RecordRange(path, len(offsets), end, None)


def records(part: RecordRange, open_file: Callable[[str], BinaryIO]) -> Iterator[tuple[JsonObject, bytes | ReadError]]:
    """Reads a range one record after another.

    Args:
        part: which.
        open_file: opens `part.path` for reading bytes.

    Yields:
        Where each record comes from (`path`, `record`, and `source_id` and `label` where it has them), and the image
        file in it, or a `ReadError` (`bad_record`, or `corrupt_tfrecord`, after which nothing can be found).
    """
    number = part.first
    with open_file(part.path) as file:
        file.seek(part.start)
        while part.length is None or number < part.first + part.length:
            source: JsonObject = {"path": part.path, "record": number}
            try:
                data = _next_record(file, part.path)
            except RecordError as error:
                yield source, ReadError(f"{error}", "corrupt_tfrecord")
                return
            if data is None:
                return
            yield (source, data) if isinstance(data, ReadError) else _image(source, data)
            number += 1


def _next_record(file: BinaryIO, path: str) -> bytes | ReadError | None:
    """The payload of the next record, or what is wrong with it alone; None at the end of the file.

    Raises:
        RecordError: nothing tells where the record after it begins.
    """
    offset = file.tell()
    header = file.read(HEADER.size)
    if not header:
        return None
    if len(header) < HEADER.size:
        raise RecordError(f"{path}: the file ends inside the header of the record at offset {offset}")
    length, checksum = HEADER.unpack(header)
    if mask(google_crc32c.value(header[:8])) != checksum:
        raise RecordError(f"{path}: the length of the record at offset {offset} has a wrong checksum")
    data = file.read(length + FOOTER.size)
    if len(data) < length + FOOTER.size:
        raise RecordError(f"{path}: the file ends inside the record at offset {offset}")
    try:
        return check_record(path, offset + HEADER.size, length, data)
    except RecordError as error:
        return ReadError(f"{error}", "bad_record")


def _image(source: JsonObject, data: bytes) -> tuple[JsonObject, bytes | ReadError]:
    try:
        features = decode_bytes_features(data)
        for name, field in (("source_id", "source_id"), ("label", "text")):
            if (value := value_of(features, field)) is not None:
                source[name] = value.decode()
    except ValueError as error:
        return source, ReadError(f"The record is no tf.train.Example of a word: {error}", "bad_record")
    encoded = features.get("image/encoded")
    if encoded is None:
        found = ", ".join(features) or "none"
        return source, ReadError(f"The record misses the key image/encoded. Received: keys={found}", "bad_record")
    return source, encoded
