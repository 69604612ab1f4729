"""Damaged photographs and files of boxes: reading raises documented errors only, in bounded time and memory.

A few dozen in `make test`; more than 500 in `make test_slow`, through RapidOCR's engine.
"""

from __future__ import annotations

import io
import json
import pathlib

import numpy as np
import pytest
from PIL import Image

from spin_tf import PhotoReader, Recognizer
from spin_tf.data.images import ImageError
from spin_tf.photo.box_file import BoxFile
from tests import known_words
from tests.fuzz.images import image_seeds
from tests.fuzz.mutations import Trials, mutations
from tests.photo.pictures import PlateDetector, draw_signs

QUICK, SLOW, QUICK_BOXES = 60, 560, 200


def photo_seeds() -> dict[str, bytes]:
    """The small seeds of all formats, and photographs with several words."""
    picture, _ = draw_signs([("Garden", 30, 30, 40), ("Street", 220, 30, 40), ("HOTEL", 60, 150, 40)], (420, 240))
    seeds = dict(image_seeds())
    for name, file_format in (("photo_jpeg", "JPEG"), ("photo_png", "PNG"), ("photo_webp", "WEBP")):
        stream = io.BytesIO()
        exif = Image.Exif()
        exif[0x0112] = 8
        picture.save(stream, file_format, exif=exif)
        seeds[name] = stream.getvalue()
    return seeds


def fuzz_photos(reader: PhotoReader, count: int, first: int, max_bytes: int, seconds: float) -> Trials:
    trials = Trials((ImageError,), seconds=seconds, max_bytes=max_bytes)
    for mutation in mutations(photo_seeds(), count, first):
        with trials.trial(mutation):
            photo = reader.read(mutation.data)
            assert photo.height > 0 and photo.width > 0
            assert all(np.isfinite(word.polygon).all() and 0 <= word.confidence <= 1 for word in photo)
            json.dumps([word.to_dict() for word in photo], allow_nan=False)
    print(f"photographs: {trials.summary()}")
    assert min(trials.endings["ok"], trials.endings["ImageError"]) > count // 10
    return trials


def test_damaged_photographs_end_in_documented_errors() -> None:
    reader = PhotoReader(Recognizer(known_words.FILE, num_threads=1), PlateDetector(), min_confidence=0)
    assert len(reader.read(photo_seeds()["photo_png"])) == 3
    # Python's memory: the picture, a look, the crops.
    fuzz_photos(reader, QUICK, 0, 256 * 2**20, 20.0)


@pytest.mark.slow
def test_five_hundred_damaged_photographs(shared: pathlib.Path) -> None:
    """Through the detector's engine, which is given pictures of any size and content."""
    path = shared / "detectors" / "Multilingual_PP-OCRv3_det.onnx"
    reader = PhotoReader(known_words.FILE, path if path.exists() else "lines", num_threads=2, min_confidence=0)
    fuzz_photos(reader, SLOW, QUICK, 0, 30.0)


def test_damaged_files_of_boxes(tmp_path: pathlib.Path) -> None:
    place = [[1, 2], [30, 2], [30, 12], [1, 12]]
    record = {"path": "a.png", "words": [{"text": "a", "polygon": place}, {"text": "b", "polygon": place}]}
    seeds = {
        "jsonl": (json.dumps(record) + "\n").encode() * 2,
        "txt": b"1,2,31,2,31,12,1,12,Genaxis, Theatre\r\n5,5,9,9,###\r\n",
    }
    trials = Trials((ValueError,))
    for mutation in mutations(seeds, QUICK_BOXES):
        path = tmp_path / f"boxes.{mutation.name}"
        path.write_bytes(mutation.data)
        with trials.trial(mutation):
            boxes = BoxFile(path).boxes_of("a.png")
            assert boxes.shape[1:] == (4, 2)
    assert min(trials.endings.values()) > QUICK_BOXES // 10
