"""bin/recognize.py --explain and the section of errors.html, as a user runs them."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest
from PIL import Image

from spin_tf.cli import recognize as command
from spin_tf.data.records.tfrecord import ShardWriter, WordExample
from tests import strip_model as strips
from tests.cli.test_evaluate import evaluate, png
from tests.explanation.test_page import Page, text_of

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


def recognize(*arguments: object) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "bin/recognize.py", *map(str, arguments)]
    return subprocess.run(line, cwd=REPOSITORY, capture_output=True, text=True)


def test_page_of_what_was_read(strip_model: pathlib.Path, tmp_path: pathlib.Path) -> None:
    (tmp_path / "words").mkdir()
    for name, word in (("<b>&.png", "two"), ("b.png", "3")):
        Image.fromarray(strips.draw(word)).save(tmp_path / "words" / name)
    (tmp_path / "words" / "c.png").write_bytes(b"no image")
    result = recognize(f"--model={strip_model}", f"--explain={tmp_path}/new/folder", tmp_path / "words")
    assert result.returncode == 1
    assert [line.split("\t")[1] for line in result.stdout.splitlines()] == ["two", "3"]
    page = Page((tmp_path / "new" / "folder" / "explain.html").read_text(encoding="utf-8"))
    assert page.tags.count("article") == 2
    # Two of each word, and one for each step: 3 characters and an end, 1 and an end.
    assert len(page.pictures) == 2 + 4 + 2 + 2
    text = text_of(page)
    assert "“two”" in text and "/words/<b>&.png" in text and f"{strip_model} · strips · 2 of 2 words shown" in text


def test_a_name_that_is_no_text(strip_model: pathlib.Path, tmp_path: pathlib.Path) -> None:
    path = os.fsencode(tmp_path) + b"/\xff.png"
    try:
        with open(path, "wb") as stream:
            stream.write(png("7"))
    except OSError:
        pytest.skip("file names are text here")
    line = [sys.executable, "bin/recognize.py", f"--model={strip_model}", f"--explain={tmp_path}", os.fsdecode(path)]
    result = subprocess.run(line, cwd=REPOSITORY, capture_output=True)
    assert result.returncode == 0, result.stderr
    assert "\\udcff.png" in (tmp_path / "explain.html").read_text(encoding="utf-8")


def test_long_pages_are_cut(strip_model: pathlib.Path, tmp_path: pathlib.Path) -> None:
    image = tmp_path / "a.png"
    image.write_bytes(png("7"))
    number = command.MAX_EXPLAINED + 3
    result = recognize(f"--model={strip_model}", f"--explain={tmp_path}", *[image] * number)
    assert result.returncode == 0
    assert result.stdout.count("\n") == number
    assert result.stderr == f"explain.html holds the first {number - 3} of {number} words\n"
    text = (tmp_path / "explain.html").read_text(encoding="utf-8")
    assert text.count("<article") == number - 3
    assert f"{number - 3} of {number} words shown" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--explain=setup.cfg"], "The output cannot be written"),
        (["--explain=out", "--server=http://localhost:1/v1/models/a"], "--explain does not go with --server"),
    ],
)
def test_mistakes_are_one_line_before_anything_is_read(
    arguments: list[str], message: str, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "a.png").write_bytes(png("7"))
    result = recognize(tmp_path / "a.png", *arguments)
    assert result.returncode == 2 and result.stdout == ""
    assert message in result.stderr and result.stderr.count("\n") == 1


def test_gallery_tells_how_mistakes_came_about(strip_model: pathlib.Path, tmp_path: pathlib.Path) -> None:
    with ShardWriter(str(tmp_path / "words"), num_shards=1) as writer:
        for i, (label, shown) in enumerate([("wide", "side"), ("<b>", "x"), ("ok", "ok"), ("12", "13")]):
            writer.write(WordExample(png(shown), label, f"words_{i}", "png"))
        writer.write(WordExample(b"no image", "gone", "words_broken", "png"))
    run = [f"--model={strip_model}", f"--data=<i>={tmp_path}/words-*", f"--output={tmp_path}/out"]
    result = evaluate(*run)
    assert result.returncode == 0, result.stderr
    page = Page((tmp_path / "out" / "errors.html").read_text(encoding="utf-8"))
    assert page.tags.count("figure") == 4 and page.tags.count("article") == 3
    text = text_of(page)
    assert "3 of them, the surest of each set" in text
    assert "label “wide”" in text and "label “<b>”" in text and "<i>: words_0" in text
    for size, articles in ((1, 1), (0, 0)):
        assert evaluate(*run, f"--gallery_explained={size}").returncode == 0
        text = (tmp_path / "out" / "errors.html").read_text(encoding="utf-8")
        assert text.count("<article") == articles and text.count("<figure") == 4
        assert ("How mistakes came about" in text) == (size > 0)
