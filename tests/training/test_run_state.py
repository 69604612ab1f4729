"""A run goes on under the other backend: variables, their names and what is known beside them are the same."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from spin_tf.training.run_state import RunState
from tests import forked
from tests.training import tiny

# Makes a run's variables, takes over a checkpoint that is there, and saves them with the next step's number.
STEP = """
import pathlib, sys
import numpy as np
from tests.training import tiny
from spin_tf import config as config_module
config = config_module.load(sys.argv[1], sys.argv[3:])
from spin_tf.training import folder
from spin_tf.training.base_trainer import build
from spin_tf.training.checkpoints import save_checkpoint
from spin_tf.training.run_state import RunState
lock = tiny.claimed(sys.argv[2], config)
built = build(config, sys.argv[2])
state = folder.restore(sys.argv[2], config, built.variables)
if state is None:
    state = RunState(best=0.5, mean_loss=1.5, seconds=12.0, words={"words": 40})
    for i, variable in enumerate(built.variables):
        variable.assign(np.full(variable.shape, i % 7, variable.dtype))
state.step += 1
save_checkpoint(sys.argv[2], state.step, built.variables, state.to_dict())
"""


def step(folder: pathlib.Path, backend: str, *settings: str) -> dict[str, np.ndarray]:
    line = ["-c", STEP, tiny.write_config(folder), str(folder / "run"), *settings]
    if backend == "tensorflow":
        result = forked.run(line)
    else:
        result = subprocess.run(
            [sys.executable, *line],
            cwd=forked.REPOSITORY,
            env={**os.environ, "KERAS_BACKEND": backend},
            capture_output=True,
            text=True,
            timeout=900,
        )
    assert result.returncode == 0, result.stderr[-3000:]
    with np.load(sorted((folder / "run").glob("checkpoint-*.npz"))[-1]) as data:
        return {key.partition(":")[2] or key: data[key] for key in data.files if not key.endswith("learning_rate")}


# By steps TensorFlow's optimizer follows its schedule; by the clock the rate is a variable, as always under JAX.
@pytest.mark.parametrize(
    ("backends", "settings"),
    [(("jax", "tensorflow"), []), (("tensorflow", "jax"), ["training.minutes=60", "training.ctc_weight=0.2"])],
)
def test_a_run_goes_on_under_the_other_backend(
    tmp_path: pathlib.Path, backends: tuple[str, str], settings: list[str]
) -> None:
    first = step(tmp_path, backends[0], *settings)
    second = step(tmp_path, backends[1], *settings)
    assert list(first) == list(second) and len(first) > 100
    states = [json.loads(arrays.pop("state").tobytes()) for arrays in (first, second)]
    for name, value in first.items():
        np.testing.assert_array_equal(value, second[name], err_msg=name)
    assert states[1] == {**states[0], "step": 2} and states[0]["best"] == 0.5


def test_states_of_other_versions_are_read() -> None:
    # As JAX wrote it, with no word of a best one, and as TensorFlow did.
    assert RunState.from_dict({"seconds": 3.0, "mean_loss": 1.0, "step": 4}) == RunState(4, None, None, 1.0, 3.0)
    old = {"best": 0.5, "mean_loss": None, "seconds": 1.0, "words": {"a": 3}, "step": 9, "from_the_future": 1}
    assert RunState.from_dict(old) == RunState(9, 0.5, None, None, 1.0, {"a": 3})
    assert RunState.from_dict(RunState(3, 0.25).to_dict()) == RunState(3, 0.25)
