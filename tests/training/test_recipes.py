"""The recipes of configs/ whose models are larger than the one that ships: they train with the same command."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest

from tests.training import tiny

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["spin_small", "spin_base", "ga_spin_r32"])
def test_a_lap_of_one_step(name: str, tmp_path: pathlib.Path) -> None:
    tiny.write_config(tmp_path)
    command = [
        sys.executable,
        "bin/train_lap.py",
        f"--config=configs/{name}.yaml",
        "--minutes=60",
        "--backend=tensorflow",
        f"--model_dir={tmp_path}/run",
        f"--best={tmp_path}/best",
        f"--record={tmp_path}/record.md",
        "--set=training.steps=1",
        "--set=training.batch_size=2",
        f"--set=data.train={{words: {{files: ['{tmp_path}/words-*.tfrecord']}}}}",
        f"--set=data.validation={{check: ['{tmp_path}/check-*.tfrecord']}}",
    ]
    result = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-2000:]
    assert "| 1 |" in (tmp_path / "record.md").read_text()
    parts = list((tmp_path / "best").glob("weights-*.npz"))
    assert parts and all(part.stat().st_size < 16 * 2**20 for part in parts)
