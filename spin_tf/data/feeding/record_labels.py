"""The labels of all records, read in bulk: checking millions of them must not cost minutes before training starts."""

from __future__ import annotations

import collections
from collections.abc import Iterator

import numpy as np

from spin_tf._progress import ProgressBar
from spin_tf.charset import LabelError, Tokenizer
from spin_tf.data.records.record_file import PositionalFile
from spin_tf.data.records.tfrecord import RecordIndex

_CHUNK = 1 << 16
_LONGEST = 64
_KEY = np.frombuffer(b"\x0a\x0aimage/text\x12", np.uint8)
_ROOM = _LONGEST + 6 + len(_KEY)


def read_labels(index: RecordIndex) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Labels of an index, in pieces.

    The records of this project end with their label, so that their last bytes are read and the labels cut out for
    thousands of records at a time; records of other makers are left to the caller. Nothing is mapped into memory: a
    file that is cut off meanwhile gives records without a label, not a signal that ends the process.

    Yields:
        first record's number; labels, uint8 (n, 64), filled up with zeros on the left; their lengths, -1 where the
        record has no label of 1 to 64 bytes at its end.
    """
    numbers, offsets, lengths = index._file_numbers, index._offsets, index._lengths
    for start in range(0, len(index), _CHUNK):
        stop = min(start + _CHUNK, len(index))
        labels = np.zeros((stop - start, _LONGEST), np.uint8)
        sizes = np.full(stop - start, -1)
        for number in np.unique(numbers[start:stop]):
            here = np.flatnonzero(numbers[start:stop] == number)
            ends = (offsets + lengths)[start:stop][here]
            with PositionalFile(index.files[number]) as file:
                labels[here], sizes[here] = _cut(_tails(file, ends, lengths[start:stop][here]))
        yield start, labels, sizes


def _tails(file: PositionalFile, ends: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """The last bytes of each record, uint8 (n, _ROOM); zeros for records that are shorter."""
    parts = []
    for end, length in zip(ends.tolist(), lengths.tolist(), strict=True):
        data = file.read(_ROOM, end - _ROOM) if length >= _ROOM else b""
        parts.append(data if len(data) == _ROOM else bytes(_ROOM))
    return np.frombuffer(b"".join(parts), np.uint8).reshape(-1, _ROOM)


def _cut(tails: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    labels, sizes = np.zeros((len(tails), _LONGEST), np.uint8), np.full(len(tails), -1)
    for size in range(1, _LONGEST + 1):
        # Feature { BytesList { value } }: each message tells its length, and all are below 128.
        head = np.concatenate([_KEY, np.array([size + 4, 0x0A, size + 2, 0x0A, size], np.uint8)])
        first = _ROOM - size - len(head)
        found = np.flatnonzero((tails[:, first : _ROOM - size] == head).all(axis=1))
        labels[found, _LONGEST - size :] = tails[found, _ROOM - size :]
        sizes[found] = size
    return labels, sizes


class LabelCounts:
    """How often each character occurs in labels, and in how many words one outside the charset does (`unknown`)."""

    def __init__(self) -> None:
        self.characters: collections.Counter[str] = collections.Counter()
        self.unknown: collections.Counter[str] = collections.Counter()
        self.words = 0

    def add_bytes(self, labels: np.ndarray, sizes: np.ndarray) -> None:
        """Counts ASCII labels as `read_labels` gives them."""
        counts = np.bincount(labels.ravel(), minlength=256)
        self.characters.update({chr(i): int(counts[i]) for i in range(1, 128) if counts[i]})
        self.words += len(sizes)

    def add(self, text: str) -> None:
        """Counts one label."""
        self.characters.update(text)
        self.words += 1


def usable_records(
    index: RecordIndex, tokenizer: Tokenizer, counts: LabelCounts | None = None, name: str = ""
) -> tuple[np.ndarray, dict[str, int]]:
    """Which records have a label that the tokenizer takes.

    Args:
        index: the records.
        tokenizer: what must take them.
        counts: also counts the characters of all labels, taken or not.
        name: of the source, for the progress.

    Returns:
        the numbers of the records, int64, and how many the tokenizer refuses, by reason.
    """
    allowed = np.zeros(256, bool)
    for character in map(chr, range(1, 128)):
        allowed[ord(character)] = not tokenizer.charset.unknown(character)
    # Zero fills a label up.
    allowed[0] = True
    usable = []
    rejected: collections.Counter[str] = collections.Counter()
    bar = ProgressBar(len(index), "labels", name, enabled=len(index) > 5 * _CHUNK)
    for start, labels, sizes in read_labels(index):
        good = (sizes > 0) & (sizes <= tokenizer.max_length) & allowed[labels].all(axis=1)
        # A label with a zero byte, or with one beyond ASCII, is for the tokenizer to judge.
        good &= (labels != 0).sum(axis=1) == sizes
        if counts is not None:
            counts.add_bytes(labels[good], sizes[good])
        for i in np.flatnonzero(~good):
            text = index.read_example(start + int(i)).text
            if counts is not None:
                counts.add(text)
            try:
                tokenizer.check(text)
                good[i] = True
            except LabelError as error:
                rejected[error.reason] += 1
                if counts is not None:
                    counts.unknown.update(error.characters)
        usable.append(start + np.flatnonzero(good))
        bar.move_to(start + len(sizes))
    bar.close()
    return np.concatenate([np.zeros(0, np.int64), *usable]), dict(rejected)
