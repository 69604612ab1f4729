"""Detectors in LiteRT: found where the words are, whatever the picture's size, and files that are none refused."""

from __future__ import annotations

import concurrent.futures
import io
import json
import pathlib
import zipfile
from typing import Any

import numpy as np
import pytest
from PIL import Image

from spin_tf import Recognizer
from spin_tf.contract.metadata import read_metadata
from spin_tf.photo.litert_detector import LiteRTDetector, letterbox, place
from tests.photo.dark_detector import SIZES


def page(height: int, width: int, blocks: list[tuple[float, float, float, float]]) -> np.ndarray:
    """A light picture with dark blocks, given as shares of its sides: left, top, right, bottom."""
    image = np.full((height, width, 3), 235, np.uint8)
    for left, top, right, bottom in blocks:
        image[round(top * height) : round(bottom * height), round(left * width) : round(right * width)] = 20
    return image


# Far enough from the edges for what is widened.
BLOCKS = [(0.25, 0.1, 0.45, 0.16), (0.55, 0.3, 0.8, 0.38), (0.3, 0.7, 0.65, 0.8)]


@pytest.mark.parametrize(
    ("height", "width"), [(192, 320), (320, 192), (100, 100), (1200, 1600), (1600, 900), (120, 300), (2000, 700)]
)
def test_blocks_are_found_where_they_are(dark_file: pathlib.Path, height: int, width: int) -> None:
    corners, scores = LiteRTDetector(dark_file)(page(height, width, BLOCKS))
    assert corners.dtype == scores.dtype == np.float32
    assert corners.shape == (3, 4, 2) and scores.min() > 0.6
    key, rows, columns = place(height, width, {name: list(size) for name, size in SIZES.items()})
    assert rows == SIZES[key][0] or columns == SIZES[key][1]
    # In pixels of the detector's input: letters grow together by some, and are widened on purpose.
    near = max(height / rows, width / columns)
    for quadrilateral, (left, top, right, bottom) in zip(corners, BLOCKS, strict=True):
        np.testing.assert_allclose(
            quadrilateral.mean(axis=0), [(left + right) / 2 * width, (top + bottom) / 2 * height], atol=2 * near
        )
        first, second = quadrilateral[1] - quadrilateral[0], quadrilateral[2] - quadrilateral[1]
        assert abs(first[1]) < near and first[0] > (right - left) * width * 0.9
        assert abs(second[0]) < near and second[1] > (bottom - top) * height * 0.9


def test_corners_stay_inside_and_nothing_is_nothing(dark_file: pathlib.Path) -> None:
    detector = LiteRTDetector(dark_file, num_threads=1)
    image = page(300, 400, [(0, 0, 0.3, 0.2), (0.8, 0.9, 1, 1)])
    corners, _ = detector(image)
    assert len(corners) == 2 and corners.min() == 0
    assert corners[..., 0].max() == 400 and corners[..., 1].max() == 300
    for empty in (page(300, 400, []), page(1, 1, []), page(1, 900, [])):
        corners, scores = detector(empty)
        assert corners.shape == (0, 4, 2) and scores.shape == (0,)


def test_colours_are_told_apart(dark_file: pathlib.Path) -> None:
    """Red weighs more than blue: with the channels in the wrong order, red would be ink and blue not."""
    image = page(192, 320, [])
    image[40:60, 30:120] = (230, 0, 0)
    image[120:140, 30:120] = (0, 0, 230)
    detector = LiteRTDetector(dark_file)
    probabilities = detector.map("landscape", letterbox(image, 192, 320, (192, 320)))
    assert probabilities[50, 75] < 0.01 and probabilities[130, 75] > 0.99


def test_place_takes_the_input_in_which_a_picture_is_largest() -> None:
    sizes = {"flat": [736, 1312], "flat_4_3": [736, 992], "tall": [1312, 736]}
    assert place(720, 1280, sizes) == ("flat", 736, 1308)
    assert place(3024, 4032, sizes) == ("flat_4_3", 736, 981)
    assert place(4032, 3024, sizes) == ("tall", 981, 736)
    assert place(1, 5000, sizes) == ("flat", 1, 1312)


def test_threads_share_a_detector(dark_file: pathlib.Path) -> None:
    detector = LiteRTDetector(dark_file)
    pictures = [page(300 + 100 * (i % 2), 320, BLOCKS[: 1 + i % 3]) for i in range(12)]
    expected = [detector(picture)[0] for picture in pictures]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for ours, theirs in zip(expected, pool.map(lambda picture: detector(picture)[0], pictures), strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    "wrong",
    [np.zeros((5, 5), np.uint8), np.zeros((5, 5, 3)), np.zeros((0, 5, 3), np.uint8), np.zeros((5, 5, 4), np.uint8)],
)
def test_other_arrays_are_refused(dark_file: pathlib.Path, wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"uint8 array \(height, width, 3\)"):
        LiteRTDetector(dark_file)(wrong)


def with_metadata(file: pathlib.Path, changes: dict[str, Any], path: pathlib.Path) -> pathlib.Path:
    data = file.read_bytes()
    with zipfile.ZipFile(file) as archive:
        metadata = json.loads(archive.read("spin_tf.json"))
    stream = io.BytesIO(data[: data.rfind(b"PK\3\4")])
    stream.seek(0, 2)
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr("spin_tf.json", json.dumps({**metadata, **changes}))
    path.write_bytes(stream.getvalue())
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": None}, "reads words and finds none"),
        ({"format": 2}, "another version"),
        ({"sizes": None}, "names no sizes"),
        ({"sizes": {}}, "names no sizes"),
        ({"sizes": {"landscape": [192.0, 320]}}, "names no sizes"),
        ({"sizes": {"landscape": [192, 10**9]}}, "names no sizes"),
        ({"sizes": {"landscape": [192, 352]}}, "is not what its spin_tf.json says"),
        ({"sizes": {"sideways": [192, 320]}}, "LiteRT cannot load the detector"),
    ],
)
def test_damaged_metadata_are_refused(
    dark_file: pathlib.Path, tmp_path: pathlib.Path, changes: dict[str, Any], message: str
) -> None:
    path = with_metadata(dark_file, changes, tmp_path / "wrong.tflite")
    with pytest.raises(ValueError, match=message) as caught:
        LiteRTDetector(path)
    assert "\n" not in str(caught.value)


def test_models_and_detectors_are_not_taken_for_each_other(
    dark_file: pathlib.Path, strip_model: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    with pytest.raises(ValueError, match="it is a model, no detector"):
        LiteRTDetector(strip_model)
    with pytest.raises(ValueError, match="it is a detector for --detector, no model"):
        Recognizer(dark_file)
    with pytest.raises(ValueError, match="it is a detector"):
        read_metadata(dark_file)
    with pytest.raises(FileNotFoundError):
        LiteRTDetector(tmp_path / "absent.tflite")
    (tmp_path / "text.tflite").write_text("no model")
    with pytest.raises(ValueError, match=r"bin/convert_detector.py writes them"):
        LiteRTDetector(tmp_path / "text.tflite")
    with pytest.raises(ValueError, match="num_threads must be at least 1"):
        LiteRTDetector(dark_file, num_threads=0)


def test_a_file_of_pictures_is_like_an_array(dark_file: pathlib.Path) -> None:
    """Pillow's own resizing of a picture that is read from a file is the one that the array has."""
    image = page(500, 800, BLOCKS)
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "PNG")
    again = np.asarray(Image.open(stream))
    np.testing.assert_array_equal(letterbox(image, 192, 307, (192, 320)), letterbox(again, 192, 307, (192, 320)))
