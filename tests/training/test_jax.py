"""Pretraining under JAX in a process without TensorFlow; its weights do the same under TensorFlow."""

from __future__ import annotations

import os
import pathlib
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest

from tests.training import tiny

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent.parent

# TensorFlow cannot be imported here, whether it is installed or not.
LAUNCH = """
import sys
sys.modules["tensorflow"] = None
sys.path.insert(0, ".")
from spin_tf.cli import pretrain
from spin_tf.cli._run import run
if __name__ == "__main__":
    run(pretrain.main)
"""
READ = """
import sys
sys.modules["tensorflow"] = None
sys.path.insert(0, ".")
import numpy as np
from spin_tf.models.loading import load_weights
model = load_weights(sys.argv[1])
images = np.load(sys.argv[2])["images"]
output = model(images)
np.savez(sys.argv[3], **{key: np.asarray(value) for key, value in output.items()})
"""


def python(folder: pathlib.Path, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    script = folder / "script.py"
    script.write_text(code)
    return subprocess.run(
        [sys.executable, str(script), *arguments],
        cwd=REPOSITORY,
        env={**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
    )


def pretrain(folder: pathlib.Path, name: str, *options: str) -> None:
    result = python(
        folder,
        LAUNCH,
        f"--config={folder}/config-0.5.yaml",
        "--set=training.checkpoint_every=2",
        "--set=training.steps=4",
        f"--set={tiny.PLAIN}",
        "--generated=0.75",
        *options,
        f"--model_dir={folder}/{name}",
    )
    assert result.returncode == 0, result.stderr[-3000:]


def state(folder: pathlib.Path) -> dict[str, np.ndarray]:
    with np.load(folder / "checkpoint-00000004.npz") as data:
        return {key: data[key] for key in data.files if key != "state"}


@pytest.mark.integration
def test_resumes_and_reads_the_same_under_tensorflow(tmp_path: pathlib.Path) -> None:
    from spin_tf.models.loading import load_weights

    tiny.write_config(tmp_path)
    pretrain(tmp_path, "whole")
    # Without its last checkpoint the run goes on from the one before.
    shutil.copytree(tmp_path / "whole", tmp_path / "again")
    (tmp_path / "again" / "checkpoint-00000004.npz").unlink()
    pretrain(tmp_path, "again")
    whole, again = state(tmp_path / "whole"), state(tmp_path / "again")
    assert whole.keys() == again.keys()
    for key, value in whole.items():
        np.testing.assert_array_equal(value, again[key], err_msg=key)

    images = np.random.default_rng(0).uniform(-1, 1, (3, 32, 32, 1)).astype("float32")
    np.savez(tmp_path / "images.npz", images=images)
    result = python(tmp_path, READ, str(tmp_path / "whole"), str(tmp_path / "images.npz"), str(tmp_path / "read.npz"))
    assert result.returncode == 0, result.stderr[-3000:]
    ours = load_weights(str(tmp_path / "whole"))(images)
    with np.load(tmp_path / "read.npz") as theirs:
        for key in ("probabilities", "positions"):
            np.testing.assert_allclose(np.asarray(ours[key]), theirs[key], atol=1e-4)


def test_a_signal_to_the_whole_group_saves_and_ends(tmp_path: pathlib.Path) -> None:
    """What a batch system or a container does to stop a run reaches the processes that make words as well."""
    tiny.write_config(tmp_path)
    script = tmp_path / "script.py"
    script.write_text(LAUNCH)
    process = subprocess.Popen(
        [
            sys.executable,
            str(script),
            f"--config={tmp_path}/config-0.5.yaml",
            "--set=training.steps=1000000",
            f"--set={tiny.PLAIN}",
            "--set=training.log_every=1",
            f"--model_dir={tmp_path}/run",
        ],
        cwd=REPOSITORY,
        env={**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": str(REPOSITORY)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if "step 2:" in line:
                break
        os.killpg(process.pid, signal.SIGTERM)
        error = process.communicate(timeout=120)[1]
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 128 + signal.SIGTERM, error[-2000:]
    assert "Traceback" not in error
    assert list((tmp_path / "run").glob("checkpoint-*.npz"))
