"""bin/train_lap.py as a user runs it: a lap under either backend, then one under TensorFlow from its weights."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest

from spin_tf.cli._run import UserError
from spin_tf.evaluation.metrics import Score
from spin_tf.models import load_model
from tests.training import tiny
from tools import train_lap as lap

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


def run(folder: pathlib.Path, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "bin/train_lap.py",
        f"--config={tiny.write_config(folder)}",
        f"--model_dir={folder}/{name}",
        f"--best={folder}/best",
        f"--record={folder}/TRAINING.md",
        "--set=training.steps=1000",
        f"--set={tiny.PLAIN}",
        *arguments,
    ]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)


def rows(folder: pathlib.Path) -> list[dict[str, str]]:
    lines = (folder / "TRAINING.md").read_text().splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    assert cells[0] == list(lap.COLUMNS)
    return [dict(zip(cells[0], row, strict=True)) for row in cells[2:]]


# Runs, and one backend that goes on with the other's, are what tests/training see; here it is the tool around them.
@pytest.mark.slow
@pytest.mark.parametrize(("backend", "flag"), [("tensorflow", "--strategy=one"), ("jax", "--generated=0.5")])
def test_two_laps(backend: str, flag: str, tmp_path: pathlib.Path) -> None:
    first = run(tmp_path, "first", "--minutes=0.05", f"--backend={backend}", "--", flag)
    assert first.returncode == 0, first.stderr
    (row,) = rows(tmp_path)
    assert (row["lap"], row["before"]) == ("1", "-")
    assert int(row["words seen"].replace(",", "")) >= 8 and row["after"].endswith(" %")
    assert flag in row["config"] and "cores" in row["hardware"]
    assert f"kept in {tmp_path}/best" in first.stdout
    kept = load_model(tmp_path / "best")
    assert kept.charset.name == "36"

    second = run(tmp_path, "second", "--minutes=0.1", "--backend=tensorflow")
    assert second.returncode == 0, second.stderr
    assert second.stdout.startswith("before: check ")
    assert f"init_from: {tmp_path}/best" in (tmp_path / "second" / "config.yaml").read_text()
    rows_now = rows(tmp_path)
    assert [r["lap"] for r in rows_now] == ["1", "2"] and rows_now[1]["before"] == rows_now[0]["after"]
    better = float(rows_now[1]["after"].split()[0]) > float(rows_now[1]["before"].split()[0])
    assert better != rows_now[1]["after"].endswith("(not kept)")

    again = run(tmp_path, "second", "--minutes=0.1", "--backend=tensorflow")
    assert (again.returncode, again.stderr.count("\n")) == (2, 1)
    assert "this lap is over" in again.stderr
    assert len(rows(tmp_path)) == 2


def test_a_lap_needs_words_to_be_judged_by(tmp_path: pathlib.Path) -> None:
    result = run(tmp_path, "run", "--minutes=1", "--set=data.validation={}")
    assert result.returncode == 2
    assert result.stderr == (
        "error: a lap is judged by data.validation, which names no words. Received: data.validation={}\n"
    )


def test_the_backend_follows_what_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"tensorflow", "jax"}
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name if name in found else None)
    gpu = False
    monkeypatch.setattr("os.path.exists", lambda path: gpu)
    assert lap.choose_backend() == "tensorflow"
    assert lap.choose_backend("jax") == "jax"
    gpu = True
    assert lap.choose_backend() == "jax"
    found.remove("jax")
    assert lap.choose_backend() == "tensorflow"
    with pytest.raises(UserError, match=r"training needs jax.*Received: jax"):
        lap.choose_backend("jax")
    found.clear()
    with pytest.raises(UserError, match="TensorFlow or JAX"):
        lap.choose_backend()


def test_record_keeps_what_else_is_in_the_file(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "record.md"
    scores = {"one": Score(10, 4), "all": Score(10, 4)}
    cells = lap.describe("a|b.yaml", 90.0, 1234567, None, scores, kept=True)
    row = lap.add_record(str(path), cells)
    assert "| a/b.yaml |" in row and "| 1,234,567 | - | 40.0 % | one 40.0 |" in row
    path.write_text(path.read_text() + "\nMore words.\n")
    lap.add_record(str(path), lap.describe("c", 60.0, 1, scores, scores, kept=False))
    lines = path.read_text().splitlines()
    assert lines[-1] == "More words." and lines[-3].startswith("| 2 |") and "40.0 % (not kept)" in lines[-3]
    (tmp_path / "other.md").write_text("# Another file\n")
    with pytest.raises(ValueError, match=r"no table with the columns lap, date.*Received: .*other.md"):
        lap.add_record(str(tmp_path / "other.md"), cells)
