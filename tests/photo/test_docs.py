"""docs/photographs.md: its commands and examples run, and it says what there is."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import sys

import pytest
from PIL import Image

from spin_tf.evaluation.photo_labels import read_labels
from spin_tf.photo import looks
from spin_tf.photo.reader import MIN_CONFIDENCE
from tests.pages import REPOSITORY, blocks, run_commands, targets

PAGE = (REPOSITORY / "docs" / "photographs.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    folder = tmp_path_factory.mktemp("photographs")
    for name in ("bin", "docs", "exported", "spin_tf"):
        (folder / name).symlink_to(REPOSITORY / name)
    return folder


@pytest.mark.integration
def test_every_command_runs(folder: pathlib.Path, detector: str) -> None:
    outputs = run_commands(PAGE, folder, {})
    lines = [line.split("\t") for line in outputs[1].splitlines()]
    assert {path for path, _ in lines} == {"street.jpg"}
    words = " ".join(text for _, text in lines).split()
    labels = [word.text for photo in read_labels(str(folder / "street.jsonl")) for word in photo.words]
    assert len(labels) == 9
    # Drawn and plain: a model that misses one of them is no better than none.
    assert len({word.lower() for word in words} & {word.lower() for word in labels}) >= 7
    record = json.loads(outputs[2])
    assert " ".join(word["text"] for word in record["words"]).split() == words
    assert Image.open(folder / "annotated" / "street.jpg").size == (1280, 800)
    assert "ocr_page" in (folder / "street.html").read_text()
    capitals = [line.split("\t")[1] for line in outputs[4].splitlines()]
    assert capitals and all(re.fullmatch("[A-Z ]+", text) for text in capitals)
    assert "| street | 1 | 9 | " in outputs[6]
    assert {path.name for path in (folder / "measured").iterdir()} == {
        "results.json", "results.md", "readings.jsonl", "photos.html"
    }  # fmt: skip
    assert json.loads((folder / "measured" / "results.json").read_text())["sets"]["street"]["found"]["hmean"] > 0.6


def test_examples_in_python_run(folder: pathlib.Path, detector: str) -> None:
    subprocess.run([sys.executable, "docs/photographs/draw_street.py", "street.jpg"], cwd=folder, check=True)
    examples = [block.text for block in blocks(PAGE) if block.language == "python"]
    assert len(examples) == 2
    for example in examples:
        result = subprocess.run([sys.executable, "-c", example], cwd=folder, capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
    assert "BAKERY" in subprocess.run(
        [sys.executable, "-c", examples[0]], cwd=folder, capture_output=True, text=True
    ).stdout  # fmt: skip


def test_what_it_says() -> None:
    # Not in this process: reading words has another flag --turn.
    code = (
        "from spin_tf.cli import _photos as p\n"
        "print(*(flag.name for flag in (p._DETECTOR, p._MIN_HEIGHT, p._TURN, p._TILE, p._THREADS)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    flags = {*done.stdout.split(), "region", "min_confidence"}
    assert len(flags) == 7
    assert {name for name in flags if f"| `--{name}` |" in PAGE} == flags
    assert f"default {MIN_CONFIDENCE:g}" in PAGE
    assert f"default: {looks._TILE} pixels and up above {looks.MAX_PIXELS / 1e6:g} million pixels" in PAGE
    assert f"shrunk to {looks._TILE_PIXELS / 1e6:g} million pixels" in PAGE
    before, rest = PAGE.split("<!-- measured by benchmarks/photos.py -->\n")
    assert rest.count("<!-- until here -->") == 1 and before


def test_tiles_of_the_largest_photographs_are_as_many_as_it_says() -> None:
    for height, width in ((3000, 4000), (8000, 8000), (100, 30_000), (1400, 1400)):
        parts = looks.looks(height, width)[1:]
        assert len({part.left for part in parts}) <= 6 and len({part.top for part in parts}) <= 6
        # They cover everything.
        covered = {(part.left, part.top) for part in parts}
        assert (0, 0) in covered
        assert max(part.right for part in parts) == width and max(part.bottom for part in parts) == height


def test_links_lead_somewhere() -> None:
    for target in targets(PAGE):
        assert (REPOSITORY / "docs" / target).exists(), target


def test_the_picture_is_drawn_and_small() -> None:
    path = REPOSITORY / "docs" / "photographs.jpg"
    assert path.stat().st_size < 120_000
    assert Image.open(path).width >= 800
