"""bin/demo.py: what `make demo` runs."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from spin_tf.synthesis.vocabulary import is_word
from tests import strip_model as strips

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


def demo(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "bin/demo.py", *map(str, arguments)]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)


def test_without_research_data(strip_model: pathlib.Path, tmp_path: pathlib.Path) -> None:
    result = demo(f"--model={strip_model}", f"--output={tmp_path / 'words'}", f"--real={tmp_path}", "--num_words=5")
    assert (result.returncode, result.stderr) == (0, "")
    images = sorted((tmp_path / "words").iterdir())
    assert [path.name for path in images] == [f"word_{i:03d}.png" for i in range(5)]
    assert all(np.asarray(Image.open(path)).std() > 1 for path in images)
    assert len([line for line in result.stdout.splitlines() if line.startswith(("right ", "wrong "))]) == 5
    assert "of 5 words right" in result.stdout
    assert "Photographed" not in result.stdout
    # Run again with fewer words, nothing of the first run is left.
    assert demo(f"--model={strip_model}", f"--output={tmp_path / 'words'}", "--num_words=2").returncode == 0
    assert len(list((tmp_path / "words").iterdir())) == 2


def test_the_file_that_it_names_can_be_read(strip_model: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """By whatever name the demonstration was called: `spin-tf demo` has no bin/ beside it."""
    command = [sys.executable, "-m", "spin_tf", "demo", f"--model={strip_model}", "--num_words=2"]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    advice = result.stdout.splitlines()[-1].split(": ")[1]
    assert advice == "python -m spin_tf recognize build/demo/word_000.png"
    program, *arguments = advice.split()
    assert program == "python"
    arguments.append(f"--model={strip_model}")
    read = subprocess.run([sys.executable, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert read.returncode == 0 and read.stdout.startswith("build/demo/word_000.png\t")


def test_words_are_spelt_as_in_the_dictionary() -> None:
    assert all(map(is_word, ["Exit", "SALE!", "Toilets", "12:30", "$5", "co."]))
    # What synthesis also draws, so that a model reads letters and not words.
    assert not any(map(is_word, ["DPEARTMNET", "xqz"]))


def test_with_real_words(strip_model: pathlib.Path, tmp_path: pathlib.Path) -> None:
    images = tmp_path / "real" / "svt" / "images"
    images.mkdir(parents=True)
    for name, word in [("1.png", "read"), ("2.png", "seen"), ("3.png", "spin")]:
        Image.fromarray(strips.draw(word)).save(images / name)
    (tmp_path / "real" / "svt" / "labels.txt").write_text(
        "images/1.png\tRead!\nimages/2.png\tseen\nimages/3.png\tspan\n"
    )
    (tmp_path / "real" / "validation.txt").write_text("icdar2015/word_1.png\nsvt/images/1.png\nsvt/images/3.png\n")
    result = demo(
        f"--model={strip_model}", f"--output={tmp_path / 'words'}", f"--real={tmp_path / 'real'}", "--num_words=1"
    )
    assert result.returncode == 0, result.stderr
    real = [
        line.split()[:3]
        for line in result.stdout.split("Photographed")[1].splitlines()
        if line.startswith(("right", "wrong"))
    ]
    assert real == [["right", "Read!", "read"], ["wrong", "span", "spin"]]


@pytest.mark.parametrize("arguments", [["extra"], ["--model=absent.tflite"]])
def test_mistakes_are_one_line(arguments: list[str]) -> None:
    result = demo(*arguments)
    assert result.returncode == 2
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
