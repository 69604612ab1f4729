"""The core install reads photographs: a detector in LiteRT in front of the bundled model."""

from __future__ import annotations

import pathlib

import numpy as np

from spin_tf import PhotoReader, Recognizer
from tests.photo.drawn import LINES, drawn_photograph


def test_photographs_are_read_with_a_detector_in_litert(dark_file: pathlib.Path) -> None:
    reader = PhotoReader(Recognizer(num_threads=1), str(dark_file))
    photo = reader.read(drawn_photograph())
    texts = {word.text.lower() for word in photo}
    drawn = {word.lower() for line in LINES for word, _, _ in line}
    assert len(texts & drawn) >= 0.8 * len(drawn), (texts, drawn)
    again = reader.read(np.asarray(drawn_photograph().convert("RGB")))
    assert [word.text for word in again] == [word.text for word in photo]
