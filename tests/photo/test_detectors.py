"""How detectors are named, boxes that come from files, and RapidOCR's engine."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from spin_tf import PhotoReader, Recognizer
from spin_tf.data.quadrilaterals import area, intersection
from spin_tf.photo import rapidocr_detector
from spin_tf.photo.box_file import BoxFile, parse_box
from spin_tf.photo.detector import VARIABLE, Detector, find_detector
from spin_tf.photo.line_cuts import cut_at_gaps
from tests import known_words
from tests.photo.pictures import PlateDetector, draw_signs

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
SIGNS = [("Garden", 60, 60, 60), ("Street", 300, 60, 60), ("Market", 60, 220, 80), ("HOTEL", 480, 420, 50)]


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer(known_words.FILE, num_threads=2)


@pytest.fixture
def signs(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "signs.png"
    draw_signs(SIGNS)[0].save(path)
    return path


def test_lines_of_icdar() -> None:
    corners, text = parse_box("377,117,463,117,465,130,378,130,Genaxis, Theatre") or ([], "")
    assert text == "Genaxis, Theatre"
    assert corners == [[377, 117], [463, 117], [465, 130], [378, 130]]
    assert parse_box("1,2,31,12,a,b") == ([[1, 2], [31, 2], [31, 12], [1, 12]], "a,b")
    assert parse_box("1,2,3,4,5,6,7,8") == ([[1, 2], [3, 4], [5, 6], [7, 8]], "")
    assert parse_box("1,2,3,x,word") is None
    assert parse_box("nan,2,3,4,word") is None


def test_boxes_of_one_photograph(recognizer: Recognizer, signs: pathlib.Path, tmp_path: pathlib.Path) -> None:
    garden, street = draw_signs(SIGNS)[1][:2].astype(int)
    upright = ",".join(map(str, [*garden[0], *garden[2]]))
    (tmp_path / "boxes.txt").write_text(
        f"\ufeff{upright},###\r\n{','.join(map(str, street.ravel()))},Street\r\n\r\n", encoding="utf-8"
    )
    reader = PhotoReader(recognizer, tmp_path / "boxes.txt")
    photo = reader.read(signs)
    assert [word.text.lower() for word in photo] == ["garden", "street"]
    assert photo[1].polygon == tuple(map(tuple, street.tolist()))
    assert {word.score for word in photo} == {1.0}
    # Of a region, in the pixels of the whole.
    (word,) = reader.read(np.asarray(Image.open(signs)), region=(280, 0, 900, 600))
    assert word == photo[1]


def test_what_the_command_wrote_is_read_again(
    recognizer: Recognizer, signs: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    photo = PhotoReader(recognizer, PlateDetector()).read(signs)
    words = [word.to_dict() for word in photo]
    # A word of a curve has more corners than four.
    words.append({"polygon": [[0, 0], [50, 0], [100, 1], [100, 20], [50, 20], [0, 20]]})
    lines = [{"path": "elsewhere/signs.png", "words": words}, {"image": str(tmp_path / "b.png"), "words": []}]
    boxes = tmp_path / "words.jsonl"
    boxes.write_text("\n".join(map(json.dumps, lines)))
    again = PhotoReader(recognizer, boxes).read(signs)
    assert [(word.text, word.line) for word in again] == [(word.text, word.line) for word in photo]
    assert BoxFile(boxes).boxes_of("signs.png").shape == (5, 4, 2)
    assert BoxFile(boxes).boxes_of(tmp_path / "b.png").shape == (0, 4, 2)
    with pytest.raises(ValueError, match="no boxes for the photograph"):
        PhotoReader(recognizer, boxes).read(_saved(tmp_path / "c.png"))
    with pytest.raises(ValueError, match="by their path"):
        PhotoReader(recognizer, boxes).read(np.zeros((4, 4), np.uint8))


def _saved(path: pathlib.Path) -> pathlib.Path:
    Image.new("L", (20, 20)).save(path)
    return path


def test_a_folder_of_boxes(tmp_path: pathlib.Path) -> None:
    for name in ("gt_a", "res_b", "c"):
        (tmp_path / f"{name}.txt").write_text("0,0,9,0,9,9,0,9,x\n")
    boxes = find_detector(tmp_path)
    assert isinstance(boxes, BoxFile)
    for name in ("x/a.jpg", "b.png", "c.jpeg"):
        assert boxes.boxes_of(name).shape == (1, 4, 2)
    with pytest.raises(ValueError, match="no boxes"):
        boxes.boxes_of("d.jpg")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", b"1,2,3\n"),
        ("a.txt", b"\xff\xfe1,2,3,4,x"),
        ("a.jsonl", b"{}\n"),
        ("a.jsonl", b"[1]\n"),
        ("a.jsonl", b'{"path": "a", "words": [{"polygon": [[1, 2]]}]}\n'),
        ("a.jsonl", b'{"path": "a", "words": [{"polygon": [[1, 2], [NaN, 3], [1, 3]]}]}\n'),
        ("a.jsonl", b'{"path": 3, "words": []}\n'),
        ("a.jsonl", b'{"path": "a", "words": 3}\n'),
        ("a.jsonl", b"[" * 100_000),
    ],
)
def test_broken_files_of_boxes(tmp_path: pathlib.Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match="Received: "):
        BoxFile(tmp_path / name).boxes_of("a")


def test_detectors_by_name(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FileNotFoundError, match=r"no such detector\. Received: detector='absent.onnx'"):
        find_detector("absent.onnx")
    (tmp_path / "model.pt").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"A detector is a \.onnx or \.tflite file"):
        find_detector(tmp_path / "model.pt")
    with pytest.raises(TypeError, match=r"Received: a builtins\.int"):
        find_detector(7)  # type: ignore[arg-type]
    own = PlateDetector()
    assert find_detector(own) is own
    assert isinstance(own, Detector)
    (tmp_path / "boxes.txt").write_text("")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "boxes.txt"))
    assert isinstance(find_detector(), BoxFile)


def test_a_tflite_file_is_run_by_its_own_reader(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class LiteRTDetector:
        def __init__(self, path: str, num_threads: int | None) -> None:
            self.path = path

    module = type(sys)("spin_tf.photo.litert_detector")
    module.LiteRTDetector = LiteRTDetector  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "spin_tf.photo.litert_detector", module)
    (tmp_path / "x.tflite").write_bytes(b"")
    assert find_detector(tmp_path / "x.tflite").path == str(tmp_path / "x.tflite")  # type: ignore[union-attr]


def test_without_the_extra_one_line_says_so() -> None:
    code = (
        "import sys; sys.modules['rapidocr'] = None\n"
        "from spin_tf import PhotoReader\n"
        "try: PhotoReader()\n"
        "except ImportError as error: print(error)"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert result.stdout.startswith('finding the words of a photograph needs rapidocr: pip install "spin-tf[photo]"')
    assert result.stdout.count("\n") == 1


def test_words_are_found_and_read(recognizer: Recognizer, detector: str, signs: pathlib.Path) -> None:
    # Whatever the model makes of boxes that it does not know: what a trained one reads there, tests/photo/test_docs.py
    # looks at.
    photo = PhotoReader(recognizer, detector, min_confidence=0, turn=False).read(signs)
    assert len(photo) == 4 and all(word.text for word in photo)
    assert [word.line for word in photo] == [0, 0, 1, 2]
    for word, place in zip(photo, draw_signs(SIGNS)[1], strict=True):
        common = intersection(word.polygon, place)
        assert common > 0.5 * (area(word.polygon) + area(place) - common)
        assert 0.5 <= word.score <= 1


def test_the_bundled_model_of_lines_is_cut_at_gaps(recognizer: Recognizer, tmp_path: pathlib.Path) -> None:
    from PIL import ImageDraw, ImageFont

    picture = Image.new("RGB", (900, 300), (235, 235, 230))
    pen = ImageDraw.Draw(picture)
    pen.text((60, 60), "Garden Street Hotel", fill=(20, 20, 30), font=ImageFont.load_default(60))
    pen.text((60, 180), "Market", fill=(20, 20, 30), font=ImageFont.load_default(60))
    detector = find_detector("lines")
    assert isinstance(detector, rapidocr_detector.LineDetector)
    lines, _ = detector.detector(np.asarray(picture))
    assert len(lines) == 2
    photo = PhotoReader(recognizer, detector, min_confidence=0, turn=False).read(picture)
    assert [len(line) for line in photo.lines] == [3, 1]
    assert [word.text for word in photo.lines[0]][:2] == ["Garden", "Street"] and photo[3].text == "Market"


def test_gaps_of_a_line_and_lines_without_any() -> None:
    picture, (place,) = draw_signs([("Good Old Days", 60, 60, 60)], (700, 200))
    words = cut_at_gaps(np.asarray(picture), place)
    assert len(words) == 3
    assert (np.diff([word[0, 0] for word in words]) > 60).all()
    np.testing.assert_allclose([words[0][0, 0], words[-1][1, 0]], [place[0, 0], place[1, 0]], atol=4)
    spaced, (place,) = draw_signs([("M M M M M M", 60, 60, 60)], (700, 200))
    # Letters that stand apart all over are one word.
    assert len(cut_at_gaps(np.asarray(spaced), place)) == 1
    for quadrilateral in (place[:, ::-1], place * 0.02):
        assert cut_at_gaps(np.asarray(picture), quadrilateral.astype(np.float32)).shape == (1, 4, 2)


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (7, 5), (60, 468), (3000, 20), (736, 1312), (1, 1_750_000)])
def test_pictures_of_any_size_go_through_the_model(detector: str, size: tuple[int, int]) -> None:
    found = find_detector(detector)
    assert isinstance(found, Detector)
    quadrilaterals, scores = found(np.zeros((*size, 3), np.uint8))
    assert quadrilaterals.shape == (len(scores), 4, 2)
    rows, columns = rapidocr_detector._input_size(*size)
    assert rows % 32 == columns % 32 == 0 and min(rows, columns) >= 32
    assert rows * columns <= 1_850_000


def test_files_that_are_no_detector(tmp_path: pathlib.Path) -> None:
    (tmp_path / "text.onnx").write_text("no model")
    with pytest.raises(
        ValueError, match=r"RapidOCR cannot (start|run) the detector: .*Received: detector='.*text.onnx'"
    ):
        find_detector(tmp_path / "text.onnx")


def test_where_the_word_model_cannot_be_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    from rapidocr.utils.download_file import DownloadFile, DownloadFileException

    fetch = DownloadFile.run

    def fail(wanted: object) -> None:
        # The bundled model is there already.
        if "multi" not in wanted.file_url:  # type: ignore[attr-defined]
            return fetch(wanted)
        raise DownloadFileException("no network")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(DownloadFile, "run", fail)
    really = DownloadFile.check_file_sha256
    monkeypatch.setattr(
        DownloadFile, "check_file_sha256", lambda path, wanted: "multi" not in str(path) and really(path, wanted)
    )
    with pytest.warns(RuntimeWarning, match="bundled line model.*--detector=FILE.*no network"):
        assert isinstance(find_detector(), rapidocr_detector.LineDetector)
    with pytest.raises(OSError, match="cannot be fetched"):
        find_detector("words")

    def write_another(asked: object) -> None:
        pathlib.Path(asked.save_path).write_bytes(b"another file")  # type: ignore[attr-defined]

    monkeypatch.setattr(DownloadFile, "run", write_another)
    with pytest.raises(OSError, match="another checksum"):
        find_detector("words")
    assert not list(tmp_path.rglob("*.onnx"))


def test_the_word_model_is_fetched_once(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    from rapidocr.utils.download_file import DownloadFile

    asked = []

    def write(wanted: object) -> None:
        asked.append(wanted.file_url)  # type: ignore[attr-defined]
        pathlib.Path(wanted.save_path).write_bytes(b"the model")  # type: ignore[attr-defined]

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    # As where the package cannot be written to.
    monkeypatch.setattr(rapidocr_detector.os, "access", lambda *_: False)
    monkeypatch.setattr(DownloadFile, "run", write)
    monkeypatch.setattr(
        DownloadFile, "check_file_sha256", lambda path, _: pathlib.Path(path).read_bytes() == b"the model"
    )
    path = rapidocr_detector.fetch_word_model()
    assert path == rapidocr_detector.fetch_word_model() == str(tmp_path / "spin_tf" / "multi_PP-OCRv3_det_mobile.onnx")
    assert len(asked) == 1 and asked[0].endswith("multi_PP-OCRv3_det_mobile.onnx")


def test_twelve_megapixels_with_fifty_words_stay_small(tmp_path: pathlib.Path, detector: str) -> None:
    """The whole process on two threads, but for the model of words: at most 500 MB; three seconds of two cores are six
    of the processor."""
    places = [
        (f"Sign{row}{column}", 100 + column * 780, 80 + row * 290, 60) for row in range(10) for column in range(5)
    ]
    picture, _ = draw_signs(places, (4000, 3000))
    picture.save(tmp_path / "large.jpg", quality=90)
    code = (
        "import re, sys, time, spin_tf\n"
        "reader = spin_tf.PhotoReader(sys.argv[2], num_threads=2, min_confidence=0, turn=False)\n"
        "reader.read(sys.argv[1], region=(0, 0, 500, 500))\n"
        "start = time.process_time()\n"
        "words = reader.read(sys.argv[1])\n"
        # Not ru_maxrss, which begins at what the process that started this one had.
        "peak = re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]\n"
        "print(len(words), time.process_time() - start, peak)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "large.jpg"), str(known_words.FILE)]
    result = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    count, seconds, peak = result.stdout.split()
    assert int(count) >= 45
    # The larger model inside the package takes twice as long.
    assert float(seconds) < (20 if detector == "lines" else 10)
    assert int(peak) * (1 if sys.platform == "darwin" else 1024) < 500e6
