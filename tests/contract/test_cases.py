"""tests/contract/cases in numpy, and as `Recognizer` reads them: what every other reader is held to."""

from __future__ import annotations

import json

import numpy as np
import pytest

from spin_tf.contract.errors import ImageError
from spin_tf.contract.preprocessing import prepare
from spin_tf.contract.turning import TURN, turned_views
from spin_tf.data.images import decode_image, open_picture
from spin_tf.recognizer import Recognizer
from tests.contract import make_cases
from tests.contract.make_cases import CASES, EXPECTED, PREPROCESSING

FILES = json.loads(EXPECTED.read_text(encoding="utf-8"))["files"]


def test_every_file_has_an_expectation_and_is_drawn_by_the_script() -> None:
    drawn = make_cases.readable() | make_cases.broken()
    kept = {path.name for path in CASES.iterdir()} - {EXPECTED.name, make_cases.MODEL.name}
    assert set(FILES) == kept == set(drawn)
    # Where another Pillow encodes otherwise, the pixels are still those.
    for name, data in drawn.items():
        if FILES[name].get("lossless"):
            np.testing.assert_array_equal(decode_image(data), decode_image((CASES / name).read_bytes()), err_msg=name)


@pytest.mark.parametrize("name", sorted(FILES))
def test_numpy_does_what_is_expected(name: str) -> None:
    data, expected = (CASES / name).read_bytes(), dict(FILES[name])
    if expected["error"]:
        with pytest.raises(ImageError) as caught:
            decode_image(data)
        assert caught.value.reason == expected["error"]
        return
    actual = make_cases.expect(name, data, {})
    expected.pop("words", None)
    if not expected["lossless"] and actual != expected:
        # Another JPEG decoder.
        actual, expected = _but_for_sums(actual), _but_for_sums(expected)
    assert actual == expected
    views = turned_views(open_picture(data), PREPROCESSING, "auto")
    assert list(views) == [int(degrees) for degrees in expected["views"]]
    for degrees, (view,) in views.items():
        sample = expected["views"][str(degrees)]["sample"]
        np.testing.assert_allclose(view[::8, ::16, 0], sample, rtol=0, atol=2e-6 if expected["lossless"] else 0.02)
    np.testing.assert_array_equal(views[0][0], prepare(decode_image(data), PREPROCESSING))


def test_words_are_as_expected() -> None:
    """Through `read_many`, which puts views of both sizes in one batch where there are several."""
    names = [name for name, case in FILES.items() if case["error"] == "" and case["lossless"]]
    for turn in TURN:
        recognizer = Recognizer(make_cases.MODEL, 1, turn=turn)
        for name, word in zip(names, recognizer.read([CASES / name for name in names]), strict=True):
            expected = FILES[name]["words"][turn]
            assert (word.text, word.turned) == (expected["text"], expected["turned"]), (turn, name)
            np.testing.assert_allclose(word.confidence, expected["confidence"], rtol=1e-3, atol=1e-6)
    turned = {case["words"]["auto"]["turned"] for case in FILES.values() if "words" in case}
    assert turned == {0, 90, -90, 180}


def _but_for_sums(case: dict) -> dict:
    views = {degrees: view["size"] for degrees, view in case["views"].items()}
    return {**case, "views": views}
