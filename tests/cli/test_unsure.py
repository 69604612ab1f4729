"""Readings that are hardly more than a guess: a line on stderr, and --min_confidence."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from spin_tf.cli._lines import UnsureWords
from spin_tf.recognizer import Character, Word
from tests import strip_model as strips
from tests.pages import REPOSITORY


def recognize(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(REPOSITORY / "bin" / "recognize.py"), *map(str, arguments)]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)


def word(confidence: float, text: str = "SALE") -> Word:
    return Word(text, confidence, tuple(Character(c, 0.5, 0.5) for c in text))


def told(words: dict[str, Word], capsys: pytest.CaptureFixture[str], advice: str = "") -> str:
    unsure = UnsureWords(advice)
    for path, one in words.items():
        unsure.add(path, one)
    unsure.tell()
    return capsys.readouterr().err


def test_one_line_names_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert told({"a.png": word(0.9), "b.png": word(0.1)}, capsys) == ""
    # No word was read: that is no guess.
    assert told({"a.png": word(0.05, "")}, capsys) == ""
    assert told({"a.png": word(0.03)}, capsys, "do this") == (
        "a.png: the word has a confidence below 0.1: perhaps no word is there, or more than one; do this\n"
    )
    many = {f"{i}.png": word(0.03 if i else 0.9) for i in range(6)}
    assert told(many, capsys) == (
        "1.png, 2.png, 3.png, ...: 5 of 6 words have a confidence below 0.1: "
        "perhaps no word is there, or more than one\n"
    )


def test_a_white_picture(known_words: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """Whatever the model makes of it: the line stands there when the printed confidence is that low, else not."""
    Image.fromarray(np.full((40, 120), 255, np.uint8)).save(tmp_path / "white.png")
    result = recognize(f"--model={known_words}", tmp_path / "white.png")
    _, text, confidence = result.stdout.rstrip("\n").split("\t")
    assert result.returncode == 0
    assert ("perhaps no word is there" in result.stderr) == (text != "" and float(confidence) < 0.1)
    sure = recognize(f"--model={known_words}", "--min_confidence=0.9", tmp_path / "white.png")
    assert sure.returncode == 0 and sure.stdout.split("\t")[1:] == ["", "0.0000\n"]
    assert sure.stderr == f"{tmp_path}/white.png: no word: no reading that is allowed reaches a confidence of 0.9\n"


def test_min_confidence_is_min_probability(strip_model: pathlib.Path, tmp_path: pathlib.Path) -> None:
    Image.fromarray(strips.draw("one")).save(tmp_path / "one.png")
    named = [
        recognize(f"--model={strip_model}", f"--{name}=0.9999", tmp_path)
        for name in ("min_confidence", "min_probability")
    ]
    assert named[0].stdout == named[1].stdout and "\t\t0.0000" in named[0].stdout
    assert named[0].stderr == named[1].stderr and named[0].stderr.count("\n") == 1
    beside = recognize("--server=http://localhost:1/v1/models/x", "--min_confidence=0.5", tmp_path)
    assert beside.returncode == 2 and "does not go with --server" in beside.stderr
