from __future__ import annotations

import io
import pathlib

import numpy as np
import pytest
from PIL import Image

from spin_tf.data.feeding.record_sizes import wide_records
from spin_tf.data.records.tfrecord import RecordIndex, ShardWriter, WordExample


def encode(width: int, height: int, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (width, height), (90, 120, 30)).save(stream, kind, **options)
    return stream.getvalue()


def turned_exif() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


PICTURES = {
    "png of 5 to 1": (encode(50, 10, "PNG"), False),
    "png a pixel wider": (encode(51, 10, "PNG"), True),
    "jpeg": (encode(200, 20, "JPEG"), True),
    "progressive jpeg": (encode(200, 20, "JPEG", progressive=True), True),
    "jpeg with a comment longer than the head": (encode(200, 20, "JPEG", comment=b"c" * 3000), True),
    "tall jpeg": (encode(20, 200, "JPEG"), False),
    "jpeg with EXIF": (encode(200, 20, "JPEG", exif=turned_exif()), True),
    "webp": (encode(200, 20, "WEBP"), True),
    "no picture": (b"\x89PNG\r\n\x1a\n", False),
    "nothing": (b"", False),
}


@pytest.mark.parametrize("name", PICTURES)
def test_wide_is_what_the_header_says(name: str, tmp_path: pathlib.Path) -> None:
    encoded, expected = PICTURES[name]
    with ShardWriter(str(tmp_path / "a"), 2) as writer:
        for i in range(4):
            writer.write(WordExample(encoded if i % 2 else PICTURES["png of 5 to 1"][0], "word", f"{i}", ""))
    index = RecordIndex(str(tmp_path / "a-*"))
    assert wide_records(index, np.arange(4)).sum() == 2 * expected
    assert wide_records(index, np.arange(0)).shape == (0,)
