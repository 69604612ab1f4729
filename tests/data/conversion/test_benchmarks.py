"""The seven benchmarks in the structure of their archives, scaled down, through both commands."""

from __future__ import annotations

import io
import json
import pathlib
import subprocess
import sys

import lmdb
import numpy as np
import pytest
import scipy.io
from PIL import Image

from spin_tf.data.conversion import benchmarks
from spin_tf.data.records.tfrecord import RecordIndex
from tests import strip_model as strips
from tests.data import samples

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
# What the filters are about: short, with punctuation, accented, plain.
ICDAR = ["PLAIN", "ab", "it's", "abc", "Größe", "x", "1st", "A&B"]
COUNTS = {
    "IIIT5K_3000": 3,
    "SVT_647": 2,
    "IC03_867": 2,
    "IC13_857": 3,
    "IC13_1015": 5,
    "IC15_2077": 8,
    "SVTP_645": 2,
    "CUTE80_288": 2,
}


def _strip(word: str) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(strips.draw(word)).save(stream, format="PNG")
    return stream.getvalue()


def _icdar(folder: pathlib.Path, name: str) -> None:
    lines = "\ufeff" + "".join(f'word_{i}.png, "{text}"\r\n' for i, text in enumerate(ICDAR, 1))
    samples.write(folder / name, lines)
    for i in range(1, len(ICDAR) + 1):
        samples.write(folder / f"word_{i}.png", samples.picture(seed=i))


def _database(folder: pathlib.Path, words: list[str]) -> None:
    folder.mkdir(parents=True)
    with lmdb.open(str(folder), map_size=1 << 22) as database, database.begin(write=True) as transaction:
        transaction.put(b"num-samples", str(len(words)).encode())
        for i, word in enumerate(words, 1):
            transaction.put(b"image-%09d" % i, _strip(word))
            transaction.put(b"label-%09d" % i, word.encode())


@pytest.fixture
def archives(tmp_path: pathlib.Path) -> pathlib.Path:
    folder = tmp_path / "downloads"
    iiit = folder / "a" / "IIIT5K"
    rows = [(f"test/{i}_1.png", f"W{i}", 0, 0) for i in range(3)]
    kind = [("ImgName", "O"), ("GroundTruth", "O"), ("smallLexi", "O"), ("mediumLexi", "O")]
    for name, *_ in rows:
        samples.write(iiit / name, samples.picture())
    scipy.io.savemat(iiit / "testdata.mat", {"testdata": np.array(rows, kind).reshape(1, -1)})
    box = (5, 5, 60, 20)
    samples.tagged_rectangles(folder / "svt1", "test.xml", {"img/a.jpg": [("LIVING", box), ("ROOM", (5, 40, 60, 20))]})
    samples.tagged_rectangles(folder / "svt1", "train.xml", {"img/b.jpg": [("TRAINED", box)]})
    words = [("Handle", box), ("of", (5, 30, 60, 20)), ("don't", (5, 50, 60, 20)), ("care", (60, 5, 50, 20))]
    samples.tagged_rectangles(folder / "SceneTrialTest", "words.xml", {"x/I.JPG": words})
    samples.tagged_rectangles(folder / "SceneTrialTrain", "words.xml", {"x/J.JPG": words})
    _icdar(folder / "ICDAR2013" / "Challenge2_Test_Task3_Images", "gt.txt")
    _icdar(folder / "ch4_test_word_images_gt", "gt.txt")
    _icdar(folder / "ch4_training_word_images_gt", "gt.txt")
    samples.write(folder / "svt-p" / "gt.txt", "image/1.jpg ONE\nimage/2.jpg TWO\n")
    samples.write(folder / "cute" / "labels.txt", "timage/1.jpg RONALDO 1 RONALDO\ntimage/2.jpg SEVEN 1 SEVEN\n")
    for i in (1, 2):
        samples.write(folder / "svt-p" / "image" / f"{i}.jpg", samples.picture(format="JPEG"))
        samples.write(folder / "cute" / "timage" / f"{i}.jpg", samples.picture(format="JPEG"))
    return folder


def _labels(folder: pathlib.Path, name: str) -> list[str]:
    index = RecordIndex(str(folder / f"{name}-*.tfrecord"))
    return [index.read_example(i).text for i in range(len(index))]


def test_archives_are_found_filtered_and_counted(archives: pathlib.Path, tmp_path: pathlib.Path) -> None:
    layouts = benchmarks.find_layouts(str(archives))
    assert not [f for found in layouts.values() for f in found if "train" in f.path[len(str(archives)) :].lower()]
    for name, count in COUNTS.items():
        result = benchmarks.create(name, layouts, str(tmp_path), expected=count)
        assert (result.words, result.problem) == (count, ""), result
    assert _labels(tmp_path, "IC13_1015") == ["PLAIN", "ab", "abc", "x", "1st"]
    assert _labels(tmp_path, "IC13_857") == ["PLAIN", "abc", "1st"]
    assert _labels(tmp_path, "IC15_2077") == ICDAR
    assert _labels(tmp_path, "IC03_867") == ["Handle", "care"]
    assert _labels(tmp_path, "SVT_647") == ["LIVING", "ROOM"]
    result = benchmarks.create("IC13_857", layouts, str(tmp_path))
    assert result.problem == "differs: 3 words, 857 in published tables"


def test_lists(archives: pathlib.Path, tmp_path: pathlib.Path) -> None:
    layouts = benchmarks.find_layouts(str(archives))
    assert "--list=IC15_1811=FILE" in benchmarks.create("IC15_1811", layouts, str(tmp_path)).problem
    listed = benchmarks.read_list(str(samples.write(tmp_path / "list.txt", "word_3.png\r\nword_8.png\n\n")))
    assert benchmarks.create("IC15_1811", layouts, str(tmp_path), listed, 2).problem == ""
    assert _labels(tmp_path, "IC15_1811") == ["it's", "A&B"]
    result = benchmarks.create("IC03_860", layouts, str(tmp_path), ["x/I.JPG#word4"], 1)
    assert (result.words, _labels(tmp_path, "IC03_860")) == (1, ["care"])
    with pytest.raises(ValueError, match=r"word_99\.png"):
        benchmarks.create("IC15_1811", layouts, str(tmp_path), ["word_99.png"])


def test_lmdb_where_the_archive_is_missing_or_differs(archives: pathlib.Path, tmp_path: pathlib.Path) -> None:
    _database(archives / "evaluation" / "IC15_1811", ["one", "six"])
    _database(archives / "evaluation" / "IC13_857", ["one", "two"])
    layouts = benchmarks.find_layouts(str(archives))
    assert benchmarks.create("IC15_1811", layouts, str(tmp_path), expected=2).problem == ""
    # The archive has three, the database the two that are right.
    assert benchmarks.create("IC13_857", layouts, str(tmp_path), expected=2).path.endswith("IC13_857")


def test_sets_beyond_the_classic_ones(tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "downloads"
    word = {"points": [], "language": "Latin", "illegibility": False}
    words = [
        word | {"transcription": "Curve"},
        word | {"transcription": "mas##d"},
        word | {"transcription": "LocaL#3"},
        word | {"transcription": "字", "language": "Chinese"},
        word | {"transcription": "blur", "illegibility": True},
    ]
    for i in range(len(words)):
        samples.write(folder / "ArT" / "train_task2_images" / f"res_{i}.jpg", samples.picture(format="JPEG"))
    labels = {f"res_{i}": [word] for i, word in enumerate(words)}
    samples.write(folder / "ArT" / "train_task2_labels.json", json.dumps(labels))
    for number in (1, 2):
        samples.write(folder / "coco" / "val_words" / f"{number}.jpg", samples.picture(format="JPEG"))
    samples.write(folder / "coco" / "val_words_gt.txt", "1,|Tea|\n2,\n")
    curve = folder / "Union14M-L" / "Union14M-Benchmarks" / "curve"
    samples.write(curve / "imgs" / "a.png", samples.picture())
    samples.write(curve / "annotation.jsonl", json.dumps({"filename": "imgs/a.png", "text": "round"}) + "\n")
    _database(folder / "u14m" / "multi_oriented", ["up", "down"])
    _database(folder / "test" / "Uber", ["road", "12", "shop"])
    # Of the same name, and of another collection.
    _database(folder / "general", ["no"])
    layouts = benchmarks.find_layouts(str(folder))
    counts = {"ArT_35149": 2, "COCO_9825": 1, "U14M_Curve_2426": 1, "U14M_MultiOriented_1369": 2, "Uber_80418": 3}
    for name, count in counts.items():
        result = benchmarks.create(name, layouts, str(tmp_path), expected=count)
        assert (result.words, result.problem) == (count, ""), result
    assert _labels(tmp_path, "ArT_35149") == ["Curve", "LocaL#3"]
    assert _labels(tmp_path, "COCO_9825") == ["Tea"]
    assert _labels(tmp_path, "U14M_Curve_2426") == ["round"]
    assert benchmarks.create("U14M_General_400000", layouts, str(tmp_path)).problem.startswith("missing")
    # The folder of the collection as the input tells which one it is, too.
    assert "union14m_curve" in benchmarks.find_layouts(str(curve.parent))


def test_pictures_that_cannot_be_read_are_named(archives: pathlib.Path, tmp_path: pathlib.Path) -> None:
    (archives / "cute" / "timage" / "2.jpg").unlink()
    result = benchmarks.create("CUTE80_288", benchmarks.find_layouts(str(archives)), str(tmp_path), expected=2)
    assert result.problem == "differs: 1 words, 2 in published tables; rejected: 1 missing_file"


def _run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *map(str, arguments)], cwd=REPOSITORY, capture_output=True, text=True)


def test_both_commands(strip_model: pathlib.Path, tmp_path: pathlib.Path) -> None:
    sizes = {"IIIT5k": 4, "SVT": 2, "IC03_860": 2, "IC13_857": 2, "IC15_1811": 2, "SVTP": 2, "CUTE80": 2}
    for folder, count in sizes.items():
        _database(tmp_path / "lmdb" / folder, ["ab", "zz9", "cd", "last"][:count])
    made = _run("bin/create_benchmarks.py", f"--input={tmp_path}/lmdb", f"--output={tmp_path}/made")
    assert made.returncode == 1
    assert "IC15_1811        2 differs: 2 words, 1811 in published tables" in made.stdout
    assert "IC03_867         0 missing" in made.stdout
    read = _run(
        "bin/evaluate.py", f"--model={strip_model}", f"--benchmarks={tmp_path}/made", f"--output={tmp_path}/out"
    )
    assert read.returncode == 0, read.stderr
    assert read.stderr == f"not in {tmp_path}/made: IC03_867, IC13_1015, IC15_2077\n"
    assert f"| {strip_model} |{' 100.0 |' * 7} 100.00 | 100.00 |" in read.stdout
    # The means follow from the paper's row: 630.5 / 7 by hand.
    assert "| GA-SPIN, paper | 94.7 | 90.3 | 94.4 | 92.8 | 82.2 | 82.8 | 87.5 | 89.24 |" in read.stdout
    assert "SVT_647 has 2 words, 647 in published tables" in read.stdout
    results = (tmp_path / "out" / "results.md").read_text()
    assert "| GA-SPIN, PaddleOCR |" in results and "words a second." in results
    summary = json.loads((tmp_path / "out" / "results.json").read_text())
    assert next(iter(summary["sets"])) == "IIIT5K_3000" and summary["sets"]["SVTP_645"]["words_per_second"] > 0
    assert (tmp_path / "out" / "errors.html").exists()


def test_nothing_there(tmp_path: pathlib.Path) -> None:
    (tmp_path / "empty").mkdir()
    made = _run("bin/create_benchmarks.py", f"--input={tmp_path}/empty", f"--output={tmp_path}/made")
    assert made.returncode == 1 and made.stdout.count("missing") == 10
    # A folder of crops is most likely somebody's own.
    assert "bin/create_tfrecords.py --source=tsv" in made.stderr and made.stderr.count("\n") == 1
    read = _run("bin/evaluate.py", f"--benchmarks={tmp_path}/made")
    assert read.returncode == 2 and "--benchmarks=" in read.stderr
