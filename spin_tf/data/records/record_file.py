"""The TFRecord container: a little-endian uint64 length, its masked CRC-32C, the payload, its masked CRC-32C.

https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details. Written and read here without
TensorFlow, so that converting processes start at once and stay small.
"""

from __future__ import annotations

import contextlib
import os
import struct

import numpy as np

from spin_tf._extras import require
from spin_tf.data.records.positional import PositionalFile

HEADER = struct.Struct("<QI")
FOOTER = struct.Struct("<I")
_OVERHEAD = HEADER.size + FOOTER.size


def _unmask(crc: np.ndarray | int) -> np.ndarray | int:
    rotated = (crc - 0xA282EAD8) & 0xFFFFFFFF
    return ((rotated >> 17) | (rotated << 15)) & 0xFFFFFFFF


def mask(crc: int) -> int:
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def crc32c(data: bytes) -> int:
    library = require("google_crc32c", "Writing TFRecords and checking their images", "data")
    return library.value(data)


def _make_table() -> np.ndarray:
    values = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        values = np.where(values & 1, (values >> 1) ^ np.uint32(0x82F63B78), values >> 1)
    return values


_TABLE = _make_table()


def _crc32c_of_lengths(lengths: np.ndarray) -> np.ndarray:
    """CRC-32C of each length as 8 little-endian bytes: all records of a file at once."""
    crc = np.full(lengths.shape, 0xFFFFFFFF, np.uint32)
    for shift in range(0, 64, 8):
        byte = ((lengths >> np.uint64(shift)) & np.uint64(0xFF)).astype(np.uint32)
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ np.uint32(0xFFFFFFFF)


class RecordError(ValueError):
    """A TFRecord file, or a record in one, that is broken."""


class RecordWriter:
    """Writes one TFRecord file; it appears under its name only when it is complete.

    Args:
        path: the file; until `close` its content is in `path + ".partial"`. Leaving a `with` block by an exception
            removes that.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self.num_records = 0
        self._partial = f"{self.path}.partial"
        # Closed by close() or __exit__.
        self._file = open(self._partial, "wb", buffering=1 << 20)  # noqa: SIM115

    def write(self, record: bytes) -> None:
        """Appends one record."""
        length = struct.pack("<Q", len(record))
        self._file.write(length + FOOTER.pack(mask(crc32c(length))))
        self._file.write(record)
        self._file.write(FOOTER.pack(mask(crc32c(record))))
        self.num_records += 1

    def close(self) -> None:
        """Finishes the file and gives it its name; removes what there is when the disk is full."""
        self.finish()
        os.replace(self._partial, self.path)

    def finish(self) -> None:
        """Writes the file to its end, under its temporary name yet; removes it when that fails."""
        try:
            self._file.close()
        except OSError:
            self.abandon()
            raise

    def abandon(self) -> None:
        """Removes what there is."""
        # What is still in the buffer cannot be written either.
        with contextlib.suppress(OSError):
            self._file.close()
        with contextlib.suppress(FileNotFoundError):
            os.remove(self._partial)

    def __enter__(self) -> RecordWriter:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self.abandon()


def walk(path: str) -> tuple[np.ndarray, np.ndarray, str]:
    """Offsets and lengths of the payloads of one file, and what is wrong after them (nothing: empty)."""
    offsets: list[int] = []
    lengths: list[int] = []
    checksums: list[int] = []
    problem = ""
    num_checked = 0

    def check() -> bool:
        """Compares the checksums read since the last call; a wrong one ends the list there."""
        nonlocal num_checked, problem
        expected = _unmask(np.array(checksums[num_checked:], np.int64))
        wrong = np.flatnonzero(_crc32c_of_lengths(np.array(lengths[num_checked:], np.uint64)) != expected)
        if wrong.size:
            first = num_checked + int(wrong[0])
            problem = f"the length of the record at offset {offsets[first] - HEADER.size} has a wrong checksum"
            del offsets[first:], lengths[first:]
        num_checked = len(offsets)
        return not wrong.size

    with PositionalFile(path) as file:
        size = file.size
        position = 0
        while position < size:
            header = file.read(HEADER.size, position)
            if len(header) < HEADER.size:
                problem = f"the file ends inside the header of the record at offset {position}"
                break
            length, checksum = HEADER.unpack(header)
            offsets.append(position + HEADER.size)
            lengths.append(length)
            checksums.append(checksum)
            position += _OVERHEAD + length
            # Often, since after a wrong length everything read is noise.
            if len(offsets) - num_checked >= 1024 and not check():
                break
        else:
            if check() and position > size:
                start = offsets.pop() - HEADER.size
                lengths.pop()
                problem = f"the file ends inside the record at offset {start}"
        if len(offsets) > num_checked:
            check()
        if problem and not offsets:
            # Lengths may begin with the same bytes: only where nothing else fits.
            problem = _compression(file.read(3, 0)) or problem
    return np.array(offsets, np.int64), np.array(lengths, np.int64), problem


def _compression(start: bytes) -> str:
    """What is wrong with a file without a record that begins so, when it is a compressed one."""
    if start == b"\x1f\x8b\x08":
        return "the file is compressed with GZIP, which is not read; `gunzip < FILE > OTHER` unpacks it"
    if start[:2] in (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda"):
        return "the file is compressed with ZLIB (TFRecordOptions), which is not read"
    return ""


def read_record(path: str, offset: int, length: int) -> bytes:
    """Reads the payload at `offset` of a file and verifies its checksum.

    Raises:
        RecordError: when it is wrong or the file has become shorter.
    """
    with PositionalFile(path) as file:
        return check_record(path, offset, length, file.read(length + FOOTER.size, offset))


def check_record(path: str, offset: int, length: int, data: bytes) -> bytes:
    """Returns the payload of `data`, which holds it and its checksum.

    Raises:
        RecordError: when the checksum is wrong or bytes are missing.
    """
    if len(data) < length + FOOTER.size:
        raise RecordError(f"{path} has become shorter. Received: {len(data)} bytes at offset {offset}")
    payload, footer = data[:length], data[length:]
    if mask(crc32c(payload)) != FOOTER.unpack(footer)[0]:
        raise RecordError(f"{path}: the record at offset {offset - HEADER.size} has a wrong checksum")
    return payload
