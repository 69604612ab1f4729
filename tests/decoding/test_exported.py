"""Decoding with the file that ships: the whole way from images to words under constraints."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from spin_tf.recognizer import Recognizer, bundled_model


@pytest.fixture(scope="module")
def exported() -> pathlib.Path:
    return bundled_model()


def draw(text: str) -> np.ndarray:
    image = Image.new("L", (24 + 18 * len(text), 44), 235)
    ImageDraw.Draw(image).text((12, 4), text, fill=20, font=ImageFont.load_default(30))
    return np.asarray(image)


def test_searching_reads_as_greedy_reading_does_where_the_model_is_sure(exported: pathlib.Path) -> None:
    images = [draw(text) for text in ("House", "street", "Coffee", "2024", "MILK")]
    greedy = Recognizer(exported).read(images)
    for options in ({"beam_width": 5}, {"n_best": 3}, {"lexicon": [word.text for word in greedy]}):
        for a, b in zip(greedy, Recognizer(exported, **options).read(images), strict=True):  # type: ignore[arg-type]
            assert b.confidence >= a.confidence - 0.05
            if a.confidence > 0.6:
                assert b.text == a.text
                np.testing.assert_allclose([c.x for c in b.characters], [c.x for c in a.characters], atol=0.02)
    assert sum(word.confidence > 0.6 for word in greedy) >= 3


def test_a_number_plate_a_product_and_three_readings(exported: pathlib.Path) -> None:
    plate = Recognizer(exported, pattern="[A-Z]{2}[0-9]{4}", min_probability=0).read(draw("BO1508"))
    assert plate.text[:2].isalpha() and plate.text[2:].isdigit() and len(plate.text) == 6
    product = Recognizer(exported, lexicon=["Tea", "Coffee", "Cocoa"]).read(draw("COFFEE"))
    assert product.text == "Coffee"
    words = Recognizer(exported, n_best=3).read(draw("House"))
    readings = [words, *words.alternatives]
    assert len({reading.text for reading in readings}) == 3
    assert [r.confidence for r in readings] == sorted((r.confidence for r in readings), reverse=True)
    # A word of the list cannot be read in a picture of something else.
    assert Recognizer(exported, lexicon=["Xylophone"]).read(draw("House")).reason
