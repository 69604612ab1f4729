"""bin/read_photo.py as a user runs it, on photographs that are drawn; boxes of a file stand in for a detector."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from spin_tf.photo.annotate import Annotations
from spin_tf.photo.reader import PhotoReader
from tests import known_words
from tests.photo.pictures import draw_signs

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
SIGNS = [("Garden", 60, 60, 60), ("Street", 300, 60, 60), ("HOTEL", 480, 420, 50)]
MODEL = f"--model={known_words.FILE}"


def read_photo(
    *arguments: object, cwd: pathlib.Path = REPOSITORY, **environment: str
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(REPOSITORY / "bin" / "read_photo.py"), MODEL, *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, env={**os.environ, **environment})


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    """A folder of two photographs, and boxes.jsonl beside it."""
    folder = tmp_path / "photos"
    folder.mkdir()
    picture, places = draw_signs(SIGNS)
    words = [{"polygon": place.tolist()} for place in places]
    picture.save(folder / "b.PNG")
    picture.save(folder / "a.jpg", quality=95)
    (folder / "notes.txt").write_text("not a photograph")
    lines = [json.dumps({"path": name, "words": words}) for name in ("a.jpg", "b.PNG", "c.png")]
    (tmp_path / "boxes.jsonl").write_text("\n".join(lines))
    return folder


def test_lines_of_words(folder: pathlib.Path) -> None:
    result = read_photo("photos", "--detector=boxes.jsonl", cwd=folder.parent)
    assert (result.returncode, result.stderr) == (0, "")
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert [(path, text.lower()) for path, text in lines] == [
        ("photos/a.jpg", "garden street"),
        ("photos/a.jpg", "hotel"),
        ("photos/b.PNG", "garden street"),
        ("photos/b.PNG", "hotel"),
    ]


def test_json_lines_are_what_the_reader_answers(folder: pathlib.Path) -> None:
    result = read_photo("--format=jsonl", folder / "b.PNG", f"--detector={folder.parent / 'boxes.jsonl'}")
    (record,) = map(json.loads, result.stdout.splitlines())
    assert set(record) == {"path", "width", "height", "turned", "words"}
    assert (record["path"], record["width"], record["height"], record["turned"]) == (str(folder / "b.PNG"), 900, 600, 0)
    photo = PhotoReader(known_words.FILE, detector=folder.parent / "boxes.jsonl").read(folder / "b.PNG")
    assert record["words"] == json.loads(json.dumps([word.to_dict() for word in photo]))
    for word, (_, place) in zip(record["words"], zip(SIGNS, draw_signs(SIGNS)[1], strict=True), strict=True):
        assert set(word) == {"text", "confidence", "polygon", "line", "score"}
        np.testing.assert_allclose(word["polygon"], place, atol=0.01)
    assert [word["line"] for word in record["words"]] == [0, 0, 1]


def test_options_of_finding_and_reading(folder: pathlib.Path) -> None:
    result = read_photo(
        "--format=jsonl", folder, f"--detector={folder.parent / 'boxes.jsonl'}",
        "--region=280,0,900,600", "--pattern=[A-Z][a-z]+", "--n_best=2", "--min_probability=0", "--min_height=39",
    )  # fmt: skip
    assert (result.returncode, result.stderr) == (0, "")
    for record in map(json.loads, result.stdout.splitlines()):
        (word,) = record["words"]
        assert word["text"] == "Street" and word["polygon"][0][0] > 280
        ((text, confidence),) = word["alternatives"]
        assert re.fullmatch("[A-Z][a-z]+", text) and 0 < confidence < word["confidence"]


def test_hocr_is_xml_with_places(folder: pathlib.Path) -> None:
    odd = folder / 'a "<&> é.png'
    (folder / "b.PNG").rename(odd)
    boxes = folder.parent / "boxes.jsonl"
    boxes.write_text(boxes.read_text().replace('"b.PNG"', json.dumps(odd.name)))
    result = read_photo("--format=hocr", folder, f"--detector={boxes}")
    assert (result.returncode, result.stderr) == (0, "")
    root = ET.fromstring(result.stdout)
    name = "{http://www.w3.org/1999/xhtml}"
    pages = [part for part in root.iter(f"{name}div") if part.get("class") == "ocr_page"]
    assert [page.get("title", "").rpartition("; ppageno ")[2] for page in pages] == ["0", "1"]
    assert 'a \\"<&> é.png"; bbox 0 0 900 600' in pages[0].get("title", "")
    lines = [part for part in pages[0].iter(f"{name}span") if part.get("class") == "ocr_line"]
    words = [[word for word in line.iter(f"{name}span") if word.get("class") == "ocrx_word"] for line in lines]
    assert [[(word.text or "").lower() for word in line] for line in words] == [["garden", "street"], ["hotel"]]
    left, top, right, bottom = draw_signs(SIGNS)[1][0][[0, 2]].astype(int).ravel()
    assert f"bbox {left} {top} {right} {bottom}; poly {left} {top} " in words[0][0].get("title", "")
    ids = [part.get("id") for part in root.iter() if part.get("id")]
    assert len(ids) == len(set(ids)) == 2 * (1 + 2 + 3)
    # Where the terminal has no such letters, the document is the same.
    plain = read_photo("--format=hocr", folder, f"--detector={boxes}", PYTHONIOENCODING="ascii")
    assert ET.tostring(ET.fromstring(plain.stdout)) == ET.tostring(root)


def test_annotated_pictures(folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    result = read_photo(
        folder, folder / "a.jpg", f"--detector={folder.parent / 'boxes.jsonl'}", f"--annotate={tmp_path / 'out'}"
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert sorted(os.listdir(tmp_path / "out")) == ["a-2.jpg", "a.jpg", "b.jpg"]
    before = np.asarray(Image.open(folder / "b.PNG")).astype(int)
    after = np.asarray(Image.open(tmp_path / "out" / "b.jpg")).astype(int)
    assert before.shape == after.shape
    changed = np.abs(before - after).max(axis=-1) > 80
    for place in draw_signs(SIGNS)[1].astype(int):
        # The outline of the word is green, what is above it is a label.
        left, top, right, bottom = place[[0, 2]].ravel().tolist()
        red, green, blue = after[bottom - 1 : bottom + 2, left:right].mean(axis=(0, 1))
        assert green > red and green > blue
        assert changed[top - 12 : top - 2, left : left + 40].mean() > 0.5
    assert not changed[250:400, :400].any()


def test_annotations_of_large_and_tiny_pictures(tmp_path: pathlib.Path) -> None:
    from spin_tf.photo.annotate import annotate

    class One:
        def __call__(self, picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            height, width = picture.shape[:2]
            return np.array([[(0, 0), (width, 0), (width, height), (0, height)]], np.float32), np.ones(1)

    reader = PhotoReader(known_words.FILE, detector=One(), min_confidence=0)
    word = draw_signs([("Garden", 8, 4, 40)], (170, 50))[0]
    photo = reader.read(word)
    assert len(photo) == 1 and annotate(word, photo).size == (170, 50)
    large = word.resize((5000, 1500))
    assert annotate(large, reader.read(large)).size == (2400, 720)
    assert annotate(np.zeros((3, 2, 1), np.uint8), reader.read(np.zeros((3, 2, 1), np.uint8))).size == (2, 3)
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="output cannot be written"):
        Annotations(str(tmp_path / "file"))


def test_unreadable_files_go_to_stderr(folder: pathlib.Path) -> None:
    (folder / "c.png").write_bytes((folder / "b.PNG").read_bytes()[:400])
    boxes = folder.parent / "boxes.jsonl"
    result = read_photo(folder, folder / "absent.jpg", folder / "notes.txt", f"--detector={boxes}", "--format=jsonl")
    assert result.returncode == 1
    assert [pathlib.Path(json.loads(line)["path"]).name for line in result.stdout.splitlines()] == ["a.jpg", "b.PNG"]
    errors = result.stderr.splitlines()
    assert [pathlib.Path(line.split(": ")[0]).name for line in errors] == ["c.png", "absent.jpg", "notes.txt"]
    assert "truncated" in errors[0] and "No such file" in errors[1] and "Not an image" in errors[2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name the photographs"),
        (["--detector=absent.onnx", "a.jpg"], "no such detector"),
        (["--detector=setup.cfg", "a.jpg"], "A detector is a .onnx"),
        (["--detector=", "a.jpg"], "--detector is empty"),
        (["--model=absent.tflite", "a.jpg"], "no such model"),
        (["--region=1,2,3", "a.jpg"], "LEFT,TOP,RIGHT,BOTTOM"),
        (["--region=1,2,x,4", "a.jpg"], "LEFT,TOP,RIGHT,BOTTOM"),
        (["--region=", "a.jpg"], "LEFT,TOP,RIGHT,BOTTOM"),
        (["--min_confidence=2", "a.jpg"], "min_confidence lies in 0..1"),
        (["--tile=5", "a.jpg"], "--tile is 0 or at least 64"),
        (["--pattern=[", "a.jpg"], "Received: pattern="),
        (["--format=xml", "a.jpg"], "--format"),
        (["tests/cli"], "holds no image files"),
    ],
)
def test_mistakes_are_one_line(arguments: list[str], message: str) -> None:
    result = read_photo(*arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("error: ") and result.stderr.count("\n") == 1
    assert message in result.stderr


def test_a_missing_extra_is_one_line(tmp_path: pathlib.Path) -> None:
    (tmp_path / "rapidocr.py").write_text("raise ModuleNotFoundError(\"No module named 'rapidocr'\", name='rapidocr')")
    result = read_photo("a.jpg", PYTHONPATH=str(tmp_path))
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    assert 'pip install "spin-tf[photo]"' in result.stderr


def test_recognize_tells_of_a_whole_photograph(folder: pathlib.Path) -> None:
    """A photograph as one word: one line says where it belongs; words stay without."""
    word, _ = draw_signs([("Garden", 8, 4, 40)], (170, 50))
    word.save(folder / "word.png")
    noise = np.random.default_rng(1).integers(0, 255, (400, 160, 3), np.uint8)
    # Tall, and small: no photograph, however little is read in it.
    Image.fromarray(noise[:, :100]).save(folder / "tall.png")
    Image.fromarray(noise[:100, :100]).save(folder / "small.png")
    command = [sys.executable, "-m", "spin_tf", "recognize", MODEL, *sorted(map(str, folder.glob("*.[pjP]*")))]
    result = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    assert result.returncode == 0
    assert len(result.stdout.splitlines()) == 5
    told = [line for line in result.stderr.splitlines() if "looks like a whole photograph (900 x 600)" in line]
    assert [line.split(": ")[0] for line in told] == [str(folder / "a.jpg"), str(folder / "b.PNG")]
    # Once is enough: the other line, of words that are hardly more than a guess, does not name them again.
    assert result.stderr.count("a.jpg") == 1 and result.stderr.count("b.PNG") == 1
    assert "python -m spin_tf read_photo" in result.stderr
