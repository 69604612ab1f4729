"""TFRecord files of labelled word images: written one record at a time, read at random through an index."""

from __future__ import annotations

import dataclasses
import glob
import os
import pathlib
import re
from collections.abc import Iterable, Iterator

import numpy as np
from absl import logging

from spin_tf._files import place
from spin_tf.data.records.record_file import (
    FOOTER,
    HEADER,
    PositionalFile,
    RecordError,
    RecordWriter,
    check_record,
    walk,
)
from spin_tf.data.records.word_example import WordExample, parse_example, serialize_example

__all__ = [
    "RecordError",
    "RecordIndex",
    "RecordWriter",
    "ShardWriter",
    "SkippedRecords",
    "WordExample",
    "expand_patterns",
    "find_shards",
    "is_shard",
    "parse_example",
    "serialize_example",
    "shard_path",
]

_MAX_OPEN_FILES = 256


def shard_path(prefix: str, shard: int, num_shards: int) -> str:
    """Returns PREFIX-0000i-of-000NN.tfrecord."""
    return f"{prefix}-{shard:05d}-of-{num_shards:05d}.tfrecord"


def find_shards(prefix: str) -> list[str]:
    """Returns the shards of a prefix, whatever their number, sorted, with the prefix as it is written."""
    folder, name = os.path.split(prefix)
    folder = folder or os.curdir
    if not os.path.isdir(folder):
        return []
    # Spelled as the prefix is, `x//r` and `r` too: what `shard_path` gives.
    start = prefix[: len(prefix) - len(name)]
    return sorted(start + entry for entry in os.listdir(folder) if is_shard(entry, name))


def is_shard(file_name: str, name: str) -> bool:
    """Whether a file's name is that of a shard of the prefix `name`, and of no longer one."""
    return re.fullmatch(re.escape(name) + r"-\d{5,}-of-\d{5,}\.tfrecord", file_name) is not None


class ShardWriter:
    """Writes examples in turn into `num_shards` files that appear together at the end; holds none of them in memory.

    Args:
        prefix: path and start of the names.
        num_shards: how many files; the i-th example goes into file `i % num_shards` unless `write` is told otherwise.

    Example:
        ```python
        with ShardWriter("data/words", num_shards=8) as writer:
            writer.write(WordExample(png, "Word", "word_1", "png"))
        ```
    """

    def __init__(self, prefix: str, num_shards: int) -> None:
        if num_shards < 1:
            raise ValueError(f"There must be at least one shard. Received: num_shards={num_shards}")
        pathlib.Path(prefix).parent.mkdir(parents=True, exist_ok=True)
        self.num_records = 0
        self._writers = [RecordWriter(shard_path(prefix, i, num_shards)) for i in range(num_shards)]

    def write(self, example: WordExample, shard: int | None = None) -> None:
        """Appends one word."""
        self._writers[self.num_records % len(self._writers) if shard is None else shard].write(
            serialize_example(example)
        )
        self.num_records += 1

    def __enter__(self) -> ShardWriter:
        return self

    def __exit__(self, *error: object) -> None:
        finished = False
        try:
            if error[0] is None:
                # Each to its end before the first gets its name: a full disk leaves an older set whole.
                for writer in self._writers:
                    writer.finish()
                finished = True
        finally:
            for writer in self._writers:
                if finished:
                    writer.close()
                else:
                    writer.abandon()


@dataclasses.dataclass(frozen=True)
class SkippedRecords:
    """What an index left out of a broken file: everything from `offset` on, after `num_records` good records."""

    file: str
    num_records: int
    offset: int
    reason: str


class RecordIndex:
    """Where every record of some TFRecord files lies: random access without reading the files through.

    Only the 12-byte headers are read, and their checksums verified. 24 bytes of memory a record.

    Args:
        patterns: paths or glob patterns; each must match at least one file.
        on_corrupt: `"raise"`, or `"skip"` to keep what comes before the broken place of a file and say so in
            `skipped` and through absl logging.

    Attributes:
        files: the matched files; in the order of the patterns, sorted within each.
        skipped: what was left out, see `SkippedRecords`.

    Raises:
        FileNotFoundError: for a pattern that matches nothing.
        RecordError: for a broken file, naming the file and the offset.
    """

    def __init__(self, patterns: str | os.PathLike[str] | Iterable[str | os.PathLike[str]], on_corrupt: str = "raise"):
        if on_corrupt not in ("raise", "skip"):
            raise ValueError(f'on_corrupt is "raise" or "skip". Received: on_corrupt={on_corrupt!r}')
        self.files = expand_patterns(patterns)
        self.skipped: list[SkippedRecords] = []
        offsets, lengths = [], []
        for file in self.files:
            file_offsets, file_lengths, problem = walk(file)
            if problem:
                end = int(file_offsets[-1] + file_lengths[-1]) + FOOTER.size if len(file_offsets) else 0
                message = f"{file} is corrupt after {len(file_offsets)} records: {problem}"
                if on_corrupt == "raise":
                    raise RecordError(message)
                logging.warning("%s; the rest of the file is skipped.", message)
                self.skipped.append(SkippedRecords(file, len(file_offsets), end, problem))
            offsets.append(file_offsets)
            lengths.append(file_lengths)
        self._file_numbers = np.repeat(np.arange(len(self.files), dtype=np.int32), [len(o) for o in offsets])
        self._offsets = np.concatenate(offsets)
        self._lengths = np.concatenate(lengths)
        self._descriptors: dict[int, PositionalFile] = {}

    def __len__(self) -> int:
        return len(self._offsets)

    def count_by_file(self) -> dict[str, int]:
        """Returns how many records each file has."""
        counts = np.bincount(self._file_numbers, minlength=len(self.files))
        return dict(zip(self.files, counts.tolist(), strict=True))

    def locate(self, i: int) -> tuple[str, int, int]:
        """Returns file, offset and length of the payload of record `i`."""
        if not 0 <= i < len(self):
            raise IndexError(f"The index has {len(self)} records. Received: i={i}")
        return self.files[self._file_numbers[i]], int(self._offsets[i]), int(self._lengths[i])

    def read(self, i: int, check: bool = False) -> bytes:
        """Reads the payload of record `i`; any number of threads may call this at once.

        Args:
            i: 0..len(self) - 1.
            check: whether the checksum of the payload is verified.

        Raises:
            RecordError: when the checksum is wrong or the file has become shorter.
        """
        file, offset, length = self.locate(i)
        number = int(self._file_numbers[i])
        size = length + FOOTER.size if check else length
        opened = self._descriptors.get(number)
        if opened is None and len(self._descriptors) < _MAX_OPEN_FILES:
            mine = PositionalFile(file)
            opened = self._descriptors.setdefault(number, mine)
            if opened is not mine:
                mine.close()
        if opened is not None:
            data = opened.read(size, offset)
        else:
            with PositionalFile(file) as alone:
                data = alone.read(size, offset)
        if check:
            return check_record(file, offset, length, data)
        if len(data) < size:
            raise RecordError(f"{file} has become shorter. Received: {len(data)} of {size} bytes at offset {offset}")
        return data

    def read_example(self, i: int, check: bool = False) -> WordExample:
        """Reads and parses record `i`; errors name the file and the offset."""
        data = self.read(i, check)
        try:
            return parse_example(data)
        except RecordError as error:
            file, offset, _ = self.locate(i)
            raise RecordError(f"{file}, offset {offset - HEADER.size}: {error}") from error

    def __iter__(self) -> Iterator[bytes]:
        return (self.read(i) for i in range(len(self)))

    def close(self) -> None:
        """Closes the files; the next `read` opens them again."""
        while self._descriptors:
            self._descriptors.popitem()[1].close()

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_descriptors": {}}

    def __del__(self) -> None:
        if hasattr(self, "_descriptors"):
            self.close()


def expand_patterns(patterns: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> list[str]:
    """Returns the files that paths or glob patterns match, each once, sorted within each pattern.

    Raises:
        FileNotFoundError: for a pattern that matches nothing.
    """
    if isinstance(patterns, (str, os.PathLike)):
        patterns = [patterns]
    files: dict[str, str] = {}
    for path in patterns:
        pattern = os.fspath(path)
        matches = [pattern] if os.path.isfile(pattern) else sorted(filter(os.path.isfile, glob.glob(pattern)))
        if not matches:
            raise FileNotFoundError(f"No file matches. Received: pattern={pattern!r}")
        for match in matches:
            # By place: `a.tfrecord` and `./a.tfrecord` are one file, whose words must not count twice.
            files.setdefault(place(match), match)
    if not files:
        raise FileNotFoundError("No TFRecord file was named. Received: patterns=[]")
    return list(files.values())
