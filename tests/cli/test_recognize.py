"""bin/recognize.py as a user runs it."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from spin_tf.cli.recognize import format_word
from spin_tf.reading.word import Word
from tests import strip_model as strips

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


def recognize(*arguments: object, cwd: pathlib.Path = REPOSITORY) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(REPOSITORY / "bin" / "recognize.py"), *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


def save(path: pathlib.Path, word: str) -> pathlib.Path:
    Image.fromarray(strips.draw(word)).save(path)
    return path


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    """A folder of three words, the labels beside them, and a folder inside."""
    folder = tmp_path / "words"
    folder.mkdir()
    for name, word in [("b.PNG", "two"), ("a.jpg", "one"), ("c.tiff", "3")]:
        Image.fromarray(strips.draw(word)).save(folder / name, quality=98)
    (folder / "labels.txt").write_text("a.jpg\tone\n")
    (folder / ".hidden.png").write_bytes(b"left by a file manager")
    (folder / "more.png").mkdir()
    return folder


def test_text_lines_in_the_order_given(strip_model: pathlib.Path, folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    last, first = save(tmp_path / "last.png", "last"), save(tmp_path / "first.png", "1st")
    result = recognize(last, folder, first, f"--model={strip_model}")
    assert result.returncode == 0
    assert result.stderr == ""
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    paths = [str(path) for path in (last, folder / "a.jpg", folder / "b.PNG", folder / "c.tiff", first)]
    assert [line[:2] for line in lines] == [
        list(p) for p in zip(paths, ["last", "one", "two", "3", "1st"], strict=True)
    ]
    assert all(len(line) == 3 and 0.5 < float(line[2]) <= 1 for line in lines)


def test_relative_paths_stay_as_given(strip_model: pathlib.Path, folder: pathlib.Path) -> None:
    result = recognize("words", "words/b.PNG", f"--model={strip_model}", cwd=folder.parent)
    assert [line.split("\t")[0] for line in result.stdout.splitlines()] == [
        "words/a.jpg",
        "words/b.PNG",
        "words/c.tiff",
        "words/b.PNG",
    ]


def test_jsonl_has_the_characters(strip_model: pathlib.Path, folder: pathlib.Path) -> None:
    result = recognize(f"--model={strip_model}", "--format=jsonl", folder)
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert [record["text"] for record in records] == ["one", "two", "3"]
    assert set(records[0]) == {
        "path",
        "text",
        "confidence",
        "characters",
        "turned",
        "truncated",
        "alternatives",
        "reason",
    }
    assert [(c["character"], c["x"]) for c in records[1]["characters"]] == [("t", 0.125), ("w", 0.375), ("o", 0.625)]
    assert all(0 < c["confidence"] <= 1 for record in records for c in record["characters"])


def test_unreadable_files_go_to_stderr(strip_model: pathlib.Path, folder: pathlib.Path) -> None:
    (folder / "broken.png").write_bytes((folder / "b.PNG").read_bytes()[:40])
    result = recognize(f"--model={strip_model}", folder, folder / "absent.png", folder / "labels.txt")
    assert result.returncode == 1
    assert [line.split("\t")[1] for line in result.stdout.splitlines()] == ["one", "two", "3"]
    errors = result.stderr.splitlines()
    assert [line.split(": ")[0] for line in errors] == [
        str(folder / name) for name in ("broken.png", "absent.png", "labels.txt")
    ]
    assert "No such file" in errors[1]
    assert "Not an image" in errors[2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name the image files"),
        (["--model=absent.tflite", "word.png"], "no such model"),
        (["--model=setup.cfg", "word.png"], "carries no spin_tf.json"),
        (["tests/cli"], "holds no image files"),
    ],
)
def test_mistakes_are_one_line(arguments: list[str], message: str) -> None:
    result = recognize(*arguments)
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_an_unknown_flag_is_no_traceback() -> None:
    result = recognize("--modell=x", "word.png")
    assert result.returncode != 0
    assert "Unknown command line flag 'modell'" in result.stderr
    assert "Traceback" not in result.stderr


def test_help_tells_of_the_command() -> None:
    result = recognize("--help")
    assert "Reads word images" in result.stdout
    assert "--save_rectified" in result.stdout


def test_a_reader_that_stops_early(strip_model: pathlib.Path, tmp_path: pathlib.Path) -> None:
    path = save(tmp_path / ("long name " * 10 + ".png"), "word")
    command = f'"$0" bin/recognize.py --model="$1" {" ".join(["$2"] * 2000)} | head -n 1; exit "${{PIPESTATUS[0]}}"'
    command = command.replace("$2", '"$2"')
    result = subprocess.run(
        ["bash", "-c", command, sys.executable, str(strip_model), str(path)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.count("\n") == 1


def test_names_that_are_not_utf_8(strip_model: pathlib.Path, tmp_path: pathlib.Path) -> None:
    name = b"caf\xe9.png"
    (tmp_path / "plain.png").write_bytes(save(tmp_path / "plain.png", "cafe").read_bytes())
    path = str(tmp_path).encode() + b"/" + name
    with open(path, "wb") as file:
        file.write((tmp_path / "plain.png").read_bytes())
    result = subprocess.run(
        [sys.executable, "bin/recognize.py", f"--model={strip_model}", path, path + b"x"],
        cwd=REPOSITORY,
        capture_output=True,
    )
    assert result.stdout.startswith(path + b"\tcafe\t")
    assert result.returncode == 1
    assert b"No such file" in result.stderr


def test_save_rectified_needs_a_keras_model(strip_model: pathlib.Path, tmp_path: pathlib.Path) -> None:
    path = save(tmp_path / "word.png", "word")
    result = recognize(f"--model={strip_model}", f"--save_rectified={tmp_path / 'rectified'}", path)
    assert result.returncode == 2
    assert "--save_rectified needs a .keras model" in result.stderr
    assert not (tmp_path / "rectified").exists()


def test_keras_model_and_save_rectified(tmp_path: pathlib.Path) -> None:
    from spin_tf.models import SPINRecognizer

    model = SPINRecognizer(
        {
            "backbone": {"width": 32, "num_blocks": [1, 1, 1, 1]},
            "encoder": {"units": 8, "features": [8]},
            "decoder": {"units": 8},
        }
    )
    model.save(tmp_path / "model.keras")
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        save(tmp_path / folder / "word.png", "word")
    rectified = tmp_path / "rectified"
    result = recognize(
        f"--model={tmp_path / 'model.keras'}", f"--save_rectified={rectified}", tmp_path / "one", tmp_path / "two"
    )
    assert result.returncode == 0, result.stderr
    assert len(result.stdout.splitlines()) == 2
    images = [np.asarray(Image.open(path)) for path in sorted(rectified.iterdir())]
    assert [path.name for path in sorted(rectified.iterdir())] == ["word-2.png", "word.png"]
    assert all(image.shape == (32, 100) and image.dtype == np.uint8 for image in images)
    np.testing.assert_array_equal(images[0], images[1])


def test_reading_options(strip_model: pathlib.Path, folder: pathlib.Path) -> None:
    """What the search does is tested in tests/decoding; here, that the flags arrive."""
    high = recognize(f"--model={strip_model}", "--effort=high", folder)
    assert high.returncode == 0, high.stderr
    assert [line.split("\t")[1] for line in high.stdout.splitlines()] == ["one", "two", "3"]
    refused = recognize(f"--model={strip_model}", "--min_probability=0.9999", folder)
    assert refused.returncode == 0
    assert [line.split("\t")[1:] for line in refused.stdout.splitlines()] == [["", "0.0000"]] * 3
    assert refused.stderr.count("no reading that is allowed has a probability of 0.9999\n") == 3
    for flag in ("--pattern=[a", "--lexicon=absent.txt", "--effort=5", "--n_best=0", "--allowlist=a", "--beam_width=3"):
        mistake = recognize(f"--model={strip_model}", flag, folder)
        assert mistake.returncode != 0 and mistake.stdout == "", flag
    beside = recognize("--server=http://localhost:1/v1/models/x", "--n_best=2", folder)
    assert "--n_best does not go with --server" in beside.stderr
    assert "--pattern" in recognize("--help").stdout


def test_alternatives_follow_in_the_line() -> None:
    word = Word("ab", 0.5, (), alternatives=(Word("a", 0.25, ()),))
    assert format_word("x.png", word, "text") == "x.png\tab\t0.5000\ta\t0.2500"
    assert json.loads(format_word("x.png", word, "jsonl"))["alternatives"][0]["text"] == "a"
