from __future__ import annotations

import os
import pathlib
from typing import Any

import numpy as np
import pytest

from spin_tf._files import remove_partial, write_atomically
from spin_tf.training import checkpoints
from spin_tf.training.checkpoints import BrokenCheckpointError


class Variable:
    """What a checkpoint needs of a Keras variable."""

    def __init__(self, path: str, value: Any) -> None:
        self.path = path
        self.value = np.asarray(value)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return self.value

    def assign(self, value: np.ndarray) -> None:
        self.value = value


def make(offset: float = 0.0) -> list[Any]:
    return [Variable("model/a", np.arange(6.0).reshape(2, 3) + offset), Variable("model/b", np.int64(7 + offset))]


def test_round_trip(tmp_path: pathlib.Path) -> None:
    path = checkpoints.save_checkpoint(str(tmp_path), 12, make(), {"best": 0.5})
    assert os.path.basename(path) == "checkpoint-00000012.npz"
    variables = make(100.0)
    assert checkpoints.restore_checkpoint(path, variables) == {"best": 0.5, "step": 12}
    np.testing.assert_array_equal(variables[0].value, make()[0].value)
    assert variables[1].value == 7


def test_only_the_newest_stay(tmp_path: pathlib.Path) -> None:
    for step in (1, 2, 10, 3):
        checkpoints.save_checkpoint(str(tmp_path), step, make(), {}, keep=2)
    assert sorted(os.listdir(tmp_path)) == ["checkpoint-00000003.npz", "checkpoint-00000010.npz"]


def test_another_configuration_is_refused_and_nothing_changes(tmp_path: pathlib.Path) -> None:
    path = checkpoints.save_checkpoint(str(tmp_path), 1, make(), {})
    other = [make()[0], Variable("model/b", np.zeros(4))]
    with pytest.raises(
        ValueError, match=r"another configuration: 1 variables differ.*model/b: \(4,\) here, \(\) there"
    ):
        checkpoints.restore_checkpoint(path, other)
    assert other[1].value.tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.7, 0.95])
def test_a_damaged_file_is_told_and_the_one_before_is_taken(tmp_path: pathlib.Path, keep: float) -> None:
    checkpoints.save_checkpoint(str(tmp_path), 1, make(), {})
    newest = checkpoints.save_checkpoint(str(tmp_path), 2, make(5.0), {})
    os.truncate(newest, int(os.path.getsize(newest) * keep))
    variables = make(9.0)
    with pytest.raises(BrokenCheckpointError, match="not a whole checkpoint"):
        checkpoints.restore_checkpoint(newest, variables)
    restored = checkpoints.restore_latest(str(tmp_path), variables)
    assert restored is not None and restored[1]["step"] == 1
    assert variables[1].value == 7


def test_all_damaged(tmp_path: pathlib.Path) -> None:
    path = checkpoints.save_checkpoint(str(tmp_path), 1, make(), {})
    os.truncate(path, 10)
    with pytest.raises(BrokenCheckpointError):
        checkpoints.restore_latest(str(tmp_path), make())
    assert checkpoints.restore_latest(str(tmp_path / "empty"), make()) is None


def test_a_failed_write_leaves_the_file_as_it_was(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old")

    def write(temporary: str) -> None:
        pathlib.Path(temporary).write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        write_atomically(str(path), write)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file.txt"]


def test_remains_of_killed_writes_are_removed(tmp_path: pathlib.Path) -> None:
    (tmp_path / ".partial-1-checkpoint-00000001.npz").write_text("half")
    (tmp_path / "log.csv").write_text("")
    remove_partial(str(tmp_path))
    assert os.listdir(tmp_path) == ["log.csv"]


def test_a_rate_that_is_a_variable_is_no_part_of_a_run(tmp_path: pathlib.Path) -> None:
    """By the clock the loop sets it before every step; by steps the optimizer has none: one goes on as the other."""

    def make(*values: float, rate: bool) -> list[Variable]:
        rates = [Variable("adam_w/learning_rate", 0.5)] if rate else []
        return [Variable("adam_w/iteration", values[0]), *rates, Variable("adam_w/momentum", values[1])]

    for rate in (True, False):
        path = checkpoints.save_checkpoint(str(tmp_path), 1, make(1.0, 2.0, rate=rate), {})
        other = make(0.0, 0.0, rate=not rate)
        checkpoints.restore_checkpoint(path, other)
        assert [float(np.asarray(v)) for v in (other[0], other[-1])] == [1.0, 2.0]
