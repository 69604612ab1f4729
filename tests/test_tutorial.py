"""docs/tutorial.md: every command, and the words that stand in for the reader's own."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tests.pages import REPOSITORY, copy_repository, run_commands, targets

PAGE = (REPOSITORY / "docs" / "tutorial.md").read_text(encoding="utf-8")
SMALLER = {
    r"^(docs/tutorial/draw_displays\.py \S+) 200$": r"\1 24",
    r"^(bin/train\.py .*)$": (
        r"\1 --set training.steps=4 --set training.batch_size=8 --set training.validate_every=4"
        r" --set training.checkpoint_every=4 --set training.optimizer.warmup_steps=1"
    ),
}


@pytest.mark.slow
def test_every_command_runs(tmp_path: pathlib.Path) -> None:
    folder = copy_repository(tmp_path / "spin_tf")
    outputs = run_commands(PAGE, folder, SMALLER)
    assert outputs[1].count("\n") == 24
    assert "kept 18, excluded 6, rejected 0" in outputs[3]
    assert "kept 6, excluded 18, rejected 0" in outputs[4]
    assert "| displays     |     6 |" in outputs[5]
    assert "would train 4 steps of 8 words" in outputs[6]
    assert "first: runs/displays, second: exported/spin.tflite" in outputs[8]
    assert "Most frequent wrong readings" in (folder / "runs/displays/evaluation/results.md").read_text()
    assert (folder / "runs/displays/evaluation/errors.html").exists() and (
        folder / "data/displays.report.html"
    ).exists()
    # The last command reads with the exported file, under a pattern that only figures and one point meet.
    readings = [line.split("\t")[1] for line in outputs[-1].splitlines()]
    assert len(readings) == 24
    assert all(re.fullmatch(r"([0-9]+(\.[0-9]+)?)?", reading) for reading in readings)
    assert 2e6 < (folder / "displays.tflite").stat().st_size < 6e6


def test_links_lead_somewhere() -> None:
    for target in targets(PAGE):
        assert (REPOSITORY / "docs" / target).exists(), target


def test_displays_show_their_readings(tmp_path: pathlib.Path) -> None:
    """Every figure lights its own segments, and the same seed draws the same."""
    command = [sys.executable, str(REPOSITORY / "docs/tutorial/draw_displays.py")]
    for name in ("a", "b"):
        subprocess.run([*command, str(tmp_path / name), "12", "7"], check=True)
    lines = (tmp_path / "a" / "labels.txt").read_text().splitlines()
    assert len(lines) == 12
    for line in lines:
        file, reading = line.split("\t")
        assert re.fullmatch(r"\d+(\.\d+)?", reading) and 3 <= len(reading.replace(".", "")) <= 6
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
        # Wider readings are wider pictures: nothing is cut.
        image = np.asarray(Image.open(tmp_path / "a" / file).convert("L"))
        assert image.shape[1] / image.shape[0] > 0.4 * len(reading.replace(".", ""))
