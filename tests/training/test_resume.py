"""Killed at any moment and started again, a run ends with the weights of an unbroken one, to the bit."""

from __future__ import annotations

import os
import pathlib
import random
import signal

import numpy as np
import pytest

from tests import forked
from tests.training import tiny

# Half the operations, and half the time; the slow test below has the transformation.
PLAIN = "--set=model.transformation.name=none"


def run(folder: pathlib.Path, name: str, *options: str, code: int = 0) -> str:
    result = forked.run(["-m", "tests.training.run_tiny", folder, name, *options])
    assert result.returncode == code, result.stderr[-3000:]
    return result.stderr


def last_state(folder: pathlib.Path, name: str) -> dict[str, np.ndarray]:
    with np.load(folder / name / "checkpoint-00000006.npz") as data:
        return {key: data[key] for key in data.files if key != "state"}


def assert_same(ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray]) -> None:
    assert ours.keys() == theirs.keys()
    assert [key for key in ours if ours[key].tobytes() != theirs[key].tobytes()] == []


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Words, and an unbroken run of six steps that saves at 2, 4 and 6."""
    folder = tmp_path_factory.mktemp("runs")
    tiny.write_config(folder)
    run(folder, "unbroken", PLAIN)
    return folder


@pytest.mark.integration
def test_killed_at_a_step_and_in_a_write(folder: pathlib.Path) -> None:
    run(folder, "killed", PLAIN, "--kill_at=3", code=-signal.SIGKILL)
    assert os.listdir(folder / "killed").count("checkpoint-00000002.npz") == 1
    run(folder, "killed", PLAIN, "--kill_in_write=4", code=-signal.SIGKILL)
    names = os.listdir(folder / "killed")
    # The write that was cut off has not touched the checkpoint before it, and its remains go.
    assert "checkpoint-00000002.npz" in names and "checkpoint-00000004.npz" not in names
    assert any(name.startswith(".partial") for name in names)
    run(folder, "killed", PLAIN)
    assert_same(last_state(folder, "killed"), last_state(folder, "unbroken"))
    assert not any(name.startswith(".partial") for name in os.listdir(folder / "killed"))
    # Steps that were done twice are in the log once.
    steps = [
        line.split(",")[0] for line in (folder / "killed" / "log.csv").read_text().splitlines() if ",loss," in line
    ]
    assert steps == ["1", "2", "3", "4", "5", "6"]


def test_sigterm_saves_first(folder: pathlib.Path) -> None:
    run(folder, "stopped", PLAIN, "--terminate_at=3", "--set=training.checkpoint_every=100", code=128 + signal.SIGTERM)
    (saved,) = (folder / "stopped").glob("checkpoint-*.npz")
    assert saved.name != "checkpoint-00000006.npz"
    run(folder, "stopped", PLAIN, "--set=training.checkpoint_every=100")
    assert_same(last_state(folder, "stopped"), last_state(folder, "unbroken"))


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_killed_again_and_again(folder: pathlib.Path, dtype: str) -> None:
    setting = f"--set=training.dtype={dtype}"
    run(folder, f"whole_{dtype}", setting)
    for point in random.Random(dtype).sample(range(1, 6), 3):
        run(folder, f"broken_{dtype}", setting, f"--kill_at={point}", code=-signal.SIGKILL)
    run(folder, f"broken_{dtype}", setting)
    assert_same(last_state(folder, f"broken_{dtype}"), last_state(folder, f"whole_{dtype}"))
