"""Photographs that are drawn; their words are found without a model, and read with one that knows them."""

from __future__ import annotations

import io
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import spin_tf
from spin_tf import Photo, PhotoReader, ReadError, Recognizer
from spin_tf.data.images import ImageError
from spin_tf.reading.inputs import ImageLike
from tests import known_words
from tests.photo.pictures import PlateDetector, draw_signs

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
SIGNS = [("Garden", 60, 60, 60), ("Street", 330, 60, 60), ("Market", 60, 220, 80), ("HOTEL", 480, 420, 50)]
TEXTS = ["garden", "street", "market", "hotel"]


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer(known_words.FILE, num_threads=2)


@pytest.fixture(scope="module")
def reader(recognizer: Recognizer) -> PhotoReader:
    return PhotoReader(recognizer, PlateDetector())


@pytest.fixture(scope="module")
def signs() -> tuple[Image.Image, np.ndarray]:
    return draw_signs(SIGNS)


def texts(photo: Photo) -> list[str]:
    return [word.text.lower() for word in photo]


def test_words_with_their_places_in_reading_order(reader: PhotoReader, signs: tuple[Image.Image, np.ndarray]) -> None:
    picture, places = signs
    photo = reader.read(picture)
    assert texts(photo) == TEXTS
    assert [word.line for word in photo] == [0, 0, 1, 2]
    assert [[word.text for word in line] for line in photo.lines] == [
        [photo[0].text, photo[1].text], [photo[2].text], [photo[3].text]
    ]  # fmt: skip
    assert photo.text == f"{photo[0].text} {photo[1].text}\n{photo[2].text}\n{photo[3].text}"
    assert (photo.height, photo.width, photo.turned) == (600, 900, 0)
    for word, place in zip(photo, places, strict=True):
        # The plates are a little larger than the letters.
        np.testing.assert_allclose(np.array(word.polygon), place, atol=22)
        assert np.array(word.polygon).shape == (4, 2)
        assert 0.4 <= word.confidence == word.word.confidence <= 1
        assert word.score == pytest.approx(0.9)
        assert word.text == word.word.text


def test_path_bytes_picture_and_array_are_the_same(
    reader: PhotoReader, signs: tuple[Image.Image, np.ndarray], tmp_path: pathlib.Path
) -> None:
    picture, _ = signs
    path = tmp_path / "signs.png"
    picture.save(path)
    expected = reader.read(picture)
    for image in (path, str(path), path.read_bytes(), np.asarray(picture)):
        assert reader.read(image) == expected


def test_the_detector_gets_red_first(recognizer: Recognizer, tmp_path: pathlib.Path) -> None:
    seen: list[np.ndarray] = []

    def detector(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        seen.append(picture)
        return np.zeros((0, 4, 2)), np.zeros(0)

    orange = Image.new("RGB", (50, 40), (250, 120, 10))
    orange.save(tmp_path / "a.png")
    reader = PhotoReader(recognizer, detector)
    images: list[ImageLike] = [
        tmp_path / "a.png",
        orange,
        np.asarray(orange),
        orange.convert("RGBA"),
        orange.quantize(4),
    ]
    for image in images:
        assert len(reader.read(image)) == 0
    for grey in (orange.convert("L"), np.asarray(orange.convert("L")), np.asarray(orange.convert("L"))[..., None]):
        assert len(reader.read(grey)) == 0
    assert all(picture.shape == (40, 50, 3) and picture.dtype == np.uint8 for picture in seen)
    assert all(picture[0, 0].tolist() == [250, 120, 10] for picture in seen[: len(images)])
    assert all(len(set(picture[0, 0].tolist())) == 1 for picture in seen[len(images) :])


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_places_are_those_of_the_picture_as_exif_shows_it(
    reader: PhotoReader, signs: tuple[Image.Image, np.ndarray], orientation: int
) -> None:
    picture, _ = signs
    stored = picture.rotate({3: 180, 6: 90, 8: -90}[orientation], expand=True)
    exif = Image.Exif()
    exif[0x0112] = orientation
    stream = io.BytesIO()
    stored.save(stream, "PNG", exif=exif)
    assert reader.read(stream.getvalue()) == reader.read(picture)


def test_a_region_keeps_the_places_of_the_whole(reader: PhotoReader, signs: tuple[Image.Image, np.ndarray]) -> None:
    picture, _ = signs
    whole = reader.read(picture)
    part = reader.read(picture, region=(300, 30, 620.5, 160))
    assert texts(part) == ["street"]
    np.testing.assert_allclose(np.array(part[0].polygon), np.array(whole[1].polygon), atol=1)
    assert (part.height, part.width) == (600, 900)
    # What lies beyond the picture is cut off.
    assert texts(reader.read(picture, region=(-50, 180, 5000, 5000))) == TEXTS[2:]


@pytest.mark.parametrize(
    "region", [(900, 0, 1000, 50), (10, 10, 10, 50), (50, 10, 20, 50), (0, 0, float("nan"), 9), (1, 2, 3), "abcd", 5]
)
def test_regions_without_pixels_are_refused(reader: PhotoReader, region: object) -> None:
    with pytest.raises(ValueError, match="Received: region="):
        reader.read(np.zeros((100, 900), np.uint8), region=region)  # type: ignore[arg-type]


def test_low_and_unsure_words_are_left_out(recognizer: Recognizer, signs: tuple[Image.Image, np.ndarray]) -> None:
    picture, _ = signs
    everything = PhotoReader(recognizer, PlateDetector(), min_confidence=0).read(picture)
    assert texts(PhotoReader(recognizer, PlateDetector(), min_height=90).read(picture)) == ["market"]
    middle = sorted(word.confidence for word in everything)[1]
    surer = PhotoReader(recognizer, PlateDetector(), min_confidence=middle).read(picture)
    # Without a word between them, others may stand in one line: the order is another matter.
    assert sorted(texts(surer)) == sorted(word.text.lower() for word in everything if word.confidence >= middle)
    assert 0 < len(surer) < 4


@pytest.mark.parametrize(("quarters", "turned"), [(0, 0), (1, -90), (2, 180), (3, 90)])
def test_photographs_on_a_side_and_upside_down(
    recognizer: Recognizer, signs: tuple[Image.Image, np.ndarray], quarters: int, turned: int
) -> None:
    picture = np.asarray(signs[0])
    upright = PhotoReader(recognizer, PlateDetector()).read(picture)
    lying = np.ascontiguousarray(np.rot90(picture, quarters))
    photo = PhotoReader(recognizer, PlateDetector()).read(lying)
    assert texts(photo) == TEXTS
    assert (photo.turned, photo.height, photo.width) == (turned, *lying.shape[:2])
    assert [word.line for word in photo] == [word.line for word in upright]
    for word, straight in zip(photo, upright, strict=True):
        # np.rot90 turns counter-clockwise: x runs up, then to the left, then down.
        x, y = np.array(straight.polygon).T
        expected = {0: (x, y), 1: (y, 900 - x), 2: (900 - x, 600 - y), 3: (600 - y, x)}[quarters]
        np.testing.assert_allclose(np.array(word.polygon).T, expected, atol=2)
    as_it_is = PhotoReader(recognizer, PlateDetector(), turn=False).read(lying)
    assert as_it_is.turned == 0
    # Words on a side are read one by one, whatever the picture; upside down nothing is.
    assert len(as_it_is) < 4 if quarters == 2 else sorted(texts(as_it_is)) == sorted(TEXTS)


def test_a_word_that_runs_up_begins_below(recognizer: Recognizer) -> None:
    picture, places = draw_signs([("Garden", 300, 40, 70), ("Street", 300, 300, 70), ("Market", 300, 420, 70)])
    sign, (place,) = draw_signs([("HOTELS", 30, 30, 60)], (300, 120))
    left, top = 40, 150
    picture.paste(sign.rotate(90, expand=True), (left, top))
    photo = PhotoReader(recognizer, PlateDetector()).read(picture)
    (word,) = [word for word in photo if word.text.lower() == "hotels"]
    assert photo.turned == 0 and word.word.turned == -90
    # The upper left of the sign lies below now, and its upper edge on the left.
    x, y = place.T
    np.testing.assert_allclose(np.array(word.polygon).T, (left + y, top + 300 - x), atol=20)
    assert len(places) == 3 == len(photo) - 1


def test_options_of_decoding_are_handed_through(signs: tuple[Image.Image, np.ndarray]) -> None:
    picture, _ = signs
    reader = PhotoReader(
        known_words.FILE, PlateDetector(), lexicon=["Hotel", "Gardens", "Sweet"], n_best=2, min_confidence=0
    )
    photo = reader.read(picture)
    assert {word.text for word in photo} <= {"Hotel", "Gardens", "Sweet"}
    assert photo.words[-1].text == "Hotel"
    several = PhotoReader(known_words.FILE, PlateDetector(), n_best=2).read(picture)
    assert texts(several) == TEXTS
    assert [len(word.word.alternatives) for word in several] == [1] * 4
    assert [len(alternative) for alternative in several[0].to_dict()["alternatives"]] == [2]
    capitals = PhotoReader(known_words.FILE, PlateDetector(), pattern="[A-Z]+", turn=False).read(picture)
    assert all(word.text.isupper() for word in capitals) and "HOTEL" in [word.text for word in capitals]
    figures = PhotoReader(known_words.FILE, PlateDetector(), allowlist="0-9", turn=False, min_confidence=0).read(
        picture
    )
    assert all(word.text.isdecimal() for word in figures)
    with pytest.raises(TypeError, match="Received: n_best"):
        PhotoReader(Recognizer(known_words.FILE), PlateDetector(), n_best=2)


def test_large_photographs_are_looked_at_in_tiles(recognizer: Recognizer) -> None:
    """12 megapixels: no look of more than 1.75, and words at seams are one word."""
    words = [(f"Word{column}", 100 + column * 470, 90 + row * 330, 60) for row in range(9) for column in range(8)]
    picture, places = draw_signs(words, (4000, 3000))
    detector = PlateDetector()
    photo = PhotoReader(recognizer, detector, min_confidence=0, turn=False).read(picture)
    assert len(detector.shapes) > 4
    assert all(height * width <= 1_750_000 for height, width, _ in detector.shapes)
    assert len(photo) == len(places) == 72
    found = np.array([word.polygon for word in photo])
    for place in places:
        distances = np.abs(found - place).max(axis=(1, 2))
        assert distances.min() < 25
    whole = PlateDetector()
    PhotoReader(recognizer, whole, tile=0).read(picture)
    assert len(whole.shapes) == 1
    small = PlateDetector()
    PhotoReader(recognizer, small, tile=500, turn=False).read(picture.crop((0, 0, 900, 900)))
    assert len(small.shapes) == 1 + 4


def test_settings_that_make_no_sense(recognizer: Recognizer) -> None:
    for values in ({"min_confidence": 2}, {"min_height": -1}, {"tile": 5}, {"num_threads": 0}, {"effort": 9}):
        (name,) = values
        with pytest.raises(ValueError, match=f"Received: {name}="):
            PhotoReader(known_words.FILE, PlateDetector(), **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "answer",
    [
        np.zeros((3, 4, 2)),
        (np.zeros((3, 4, 2)), np.zeros(2)),
        (np.zeros((3, 8)), np.zeros(3)),
        (["a"], ["b"]),
        None,
    ],
)
def test_detectors_that_answer_something_else(recognizer: Recognizer, answer: object) -> None:
    with pytest.raises(ValueError, match="A detector answers with"):
        PhotoReader(recognizer, lambda _: answer).read(np.zeros((30, 30), np.uint8))  # type: ignore[arg-type,return-value]


def test_places_of_no_use_are_left_out(recognizer: Recognizer, signs: tuple[Image.Image, np.ndarray]) -> None:
    picture, places = signs
    nowhere = np.array(
        [
            [(1, 1)] * 4,
            [(np.nan, 0), (9, 0), (9, 9), (0, 9)],
            [(0, 0), (np.inf, 0), (9, 9), (0, 9)],
            [(-90, -90), (-50, -90), (-50, -60), (-90, -60)],
            [(2000, 10), (2100, 10), (2100, 40), (2000, 40)],
            [(1e30, 0), (2e30, 0), (2e30, 1e30), (1e30, 1e30)],
            [(0, 0), (40, 0), (80, 0), (120, 0)],
        ],
        np.float32,
    )

    def detector(_: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.concatenate([nowhere, places]), np.linspace(0, 3, 11)

    photo = PhotoReader(recognizer, detector).read(picture)
    assert sorted(texts(photo)) == sorted(TEXTS)
    assert all(0 <= word.score <= 1 for word in photo)


def test_a_word_that_leaves_the_picture_is_read(recognizer: Recognizer) -> None:
    picture, places = draw_signs([("Garden", 60, 60, 60)], (400, 200))
    top = int(places[0, 0, 1])
    picture = picture.crop((0, top, 400, 200))
    # The edge of the picture is that of the letters; the box begins beyond it.
    boxes = places - np.array([[(0, top + 3), (0, top + 3), (0, top), (0, top)]], np.float32)
    photo = PhotoReader(recognizer, lambda _: (boxes, np.ones(1, np.float32)), min_confidence=0).read(picture)
    assert texts(photo) == ["garden"]


def test_errors_are_those_of_the_recognizer(reader: PhotoReader, tmp_path: pathlib.Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno more")
    with pytest.raises(ImageError):
        reader.read(tmp_path / "broken.png")
    with pytest.raises(FileNotFoundError):
        reader.read(tmp_path / "absent.png")
    with pytest.raises(ValueError, match="uint8"):
        reader.read(np.zeros((4, 4)))
    with pytest.raises(TypeError, match="An image is"):
        reader.read(None)  # type: ignore[arg-type]


def test_a_stream_goes_on_after_what_cannot_be_read(
    reader: PhotoReader, signs: tuple[Image.Image, np.ndarray], tmp_path: pathlib.Path
) -> None:
    picture, _ = signs
    answers = list(reader.read_many([picture, b"no picture", tmp_path / "absent.png", picture]))
    assert [type(answer) for answer in answers] == [Photo, ReadError, ReadError, Photo]
    assert isinstance(answers[1], ReadError) and answers[1].kind == "not_an_image"
    assert isinstance(answers[2], ReadError) and answers[2].kind == "cannot_open"
    with pytest.raises(TypeError, match="several images"):
        reader.read_many("street.jpg")


def test_one_call_reads_a_photograph(signs: tuple[Image.Image, np.ndarray]) -> None:
    photo = spin_tf.read_photo(signs[0], known_words.FILE, detector=PlateDetector(), region=(0, 0, 900, 180))
    assert texts(photo) == TEXTS[:2]
    assert [word.text for word in photo[:1]] == [photo[0].text]


def test_a_picture_of_one_pixel_and_a_banner(recognizer: Recognizer) -> None:
    reader = PhotoReader(recognizer, PlateDetector())
    assert list(reader.read(np.zeros((1, 1), np.uint8))) == []
    assert list(reader.read(np.zeros((2, 60000, 3), np.uint8))) == []


def test_importing_imports_no_engine() -> None:
    code = (
        "import sys, spin_tf; spin_tf.PhotoReader; spin_tf.read_photo; spin_tf.Photo; spin_tf.PhotoWord\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'rapidocr', 'onnxruntime', 'cv2', 'tensorflow'}))"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
