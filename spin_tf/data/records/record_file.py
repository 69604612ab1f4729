"""The TFRecord container: a little-endian uint64 length, its masked CRC-32C, the payload, its masked CRC-32C.

https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details. Written and read here without
TensorFlow, so that converting processes start at once and stay small.
"""

from __future__ import annotations

import contextlib
import os
import struct
import threading

import google_crc32c
import numpy as np

HEADER = struct.Struct("<QI")
FOOTER = struct.Struct("<I")
_OVERHEAD = HEADER.size + FOOTER.size


def mask(crc: int) -> int:
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


class RecordError(ValueError):
    """A TFRecord file, or a record in one, that is broken."""


class PositionalFile:
    """A file open for reading at any place, from any number of threads.

    It is not mapped into memory: a file that becomes shorter gives fewer bytes, not a signal.

    Args:
        path: the file.

    Raises:
        OSError: it cannot be opened.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        # Closed by close().
        self._file = open(path, "rb", buffering=0)  # noqa: SIM115
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """The present length in bytes."""
        return os.fstat(self._file.fileno()).st_size

    def read(self, size: int, offset: int) -> bytes:
        """Reads `size` bytes at `offset`; fewer where the file ends."""
        parts: list[bytes] = []
        done = 0
        # One call reads up to 2 GiB, and may be cut short by a signal.
        while done < size and (data := self._read_some(size - done, offset + done)):
            parts.append(data)
            done += len(data)
        return b"".join(parts)

    def _read_some(self, size: int, offset: int) -> bytes:
        if hasattr(os, "pread"):
            return os.pread(self._file.fileno(), size, offset)
        # Windows has no pread.
        with self._lock:
            self._file.seek(offset)
            return self._file.read(size) or b""

    def close(self) -> None:
        """Closes the file; more than once does no harm."""
        self._file.close()

    def __enter__(self) -> PositionalFile:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


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
        self._file.write(length + FOOTER.pack(mask(google_crc32c.value(length))))
        self._file.write(record)
        self._file.write(FOOTER.pack(mask(google_crc32c.value(record))))
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
    problem = ""
    with PositionalFile(path) as file:
        size = file.size
        position = 0
        while position < size and not problem:
            header = file.read(HEADER.size, position)
            if len(header) < HEADER.size:
                problem = f"the file ends inside the header of the record at offset {position}"
                break
            length, checksum = HEADER.unpack(header)
            if mask(google_crc32c.value(header[:8])) != checksum:
                problem = f"the length of the record at offset {position} has a wrong checksum"
            elif position + _OVERHEAD + length > size:
                problem = f"the file ends inside the record at offset {position}"
            else:
                offsets.append(position + HEADER.size)
                lengths.append(length)
                position += _OVERHEAD + length
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
    if mask(google_crc32c.value(payload)) != FOOTER.unpack(footer)[0]:
        raise RecordError(f"{path}: the record at offset {offset - HEADER.size} has a wrong checksum")
    return payload
