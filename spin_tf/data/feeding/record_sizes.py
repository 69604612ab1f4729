"""Which records hold wide pictures, from their first bytes: training sorts words by width before it begins."""

from __future__ import annotations

import contextlib
import struct

import numpy as np

from spin_tf._progress import ProgressBar
from spin_tf.contract.constants import WIDE_ASPECT
from spin_tf.data.images import ImageError, inspect_image
from spin_tf.data.records.record_file import PositionalFile
from spin_tf.data.records.tfrecord import RecordIndex

# Of a record: the header of a JPEG without embedded previews lies within.
_HEAD = 1024
# Where the picture begins, in records of this project.
_FIRST_BYTES = 64
_TOLD = 1 << 12


def wide_records(index: RecordIndex, records: np.ndarray, name: str = "") -> np.ndarray:
    """Which records hold a picture that is wider than `WIDE_ASPECT` times its height.

    Pictures that cannot be read are not wide: whoever decodes them says so.

    Args:
        index: all records.
        records: int64 (n,), numbers of those in question.
        name: of the source, for the progress.

    Returns:
        bool (n,).
    """
    is_wide = np.zeros(len(records), bool)
    numbers, offsets, lengths = index._file_numbers, index._offsets, index._lengths
    with (
        contextlib.ExitStack() as opened,
        ProgressBar(len(records), "shapes", name, enabled=len(records) > 1 << 18) as bar,
    ):
        last, file = -1, None
        for i, record in enumerate(records.tolist()):
            number = int(numbers[record])
            if file is None or number != last:
                opened.close()
                last, file = number, opened.enter_context(PositionalFile(index.files[number]))
            head = file.read(min(_HEAD, int(lengths[record])), int(offsets[record]))
            size = _size_of(head) or _inspected(index, record)
            is_wide[i] = size is not None and size[1] > WIDE_ASPECT * size[0]
            if i % _TOLD == 0:
                bar.move_to(i)
    return is_wide


def _size_of(head: bytes) -> tuple[int, int] | None:
    """(height, width) of the picture that begins within the first bytes of a record; None where they do not say.

    By hand: Pillow takes ten times as long to look at a header, which millions of records would wait for.
    """
    start = head.find(b"\x89PNG\r\n\x1a\n", 0, _FIRST_BYTES)
    if start >= 0 and len(head) >= start + 24:
        width, height = struct.unpack_from(">II", head, start + 16)
        return height, width
    place = head.find(b"\xff\xd8\xff", 0, _FIRST_BYTES) + 2
    if place < 2:
        return None
    while place + 9 <= len(head) and head[place] == 0xFF:
        marker, size = head[place + 1], struct.unpack_from(">H", head, place + 2)[0]
        if marker == 0xE1:
            # EXIF may turn the picture.
            return None
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", head, place + 5)
            return height, width
        place += 2 + size
    return None


def _inspected(index: RecordIndex, record: int) -> tuple[int, int] | None:
    try:
        info = inspect_image(index.read_example(record).encoded)
    except (ImageError, ValueError):
        return None
    return info.height, info.width
