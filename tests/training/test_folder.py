from __future__ import annotations

import pathlib

import pytest

from spin_tf import config as config_module
from spin_tf.training import folder
from tests.training import tiny


def test_the_resolved_configuration_lies_beside_the_checkpoints(tmp_path: pathlib.Path) -> None:
    config = tiny.config(tmp_path, "training.optimizer.warmup_steps=7")
    tiny.claimed(str(tmp_path / "run"), config)
    assert config_module.load(str(tmp_path / "run" / "config.yaml")) == config


def test_a_run_of_another_model_is_refused_by_key(tmp_path: pathlib.Path) -> None:
    run = str(tmp_path / "run")
    tiny.claimed(run, tiny.config(tmp_path))
    # Nothing was trained yet: anything may still change.
    tiny.claimed(run, tiny.config(tmp_path, "model.backbone.width=32"))
    (tmp_path / "run" / "checkpoint-00000002.npz").write_bytes(b"")
    tiny.claimed(run, tiny.config(tmp_path, "model.backbone.width=32", "training.steps=9"))
    with pytest.raises(ValueError, match=r"model\.backbone\.width was 32, is 16.*--model_dir"):
        tiny.claimed(run, tiny.config(tmp_path))


def test_a_folder_that_cannot_be_written(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"model_dir cannot be written.*--model_dir="):
        tiny.claimed(str(tmp_path / "file" / "run"), tiny.config(tmp_path))


def test_differences() -> None:
    old = {"a": {"b": 1, "c": [1]}, "d": 2}
    assert folder.differences(old, old) == []
    assert folder.differences(old, {"a": {"b": 1, "c": [2]}, "e": 3}) == [
        ("a.c", [1], [2]),
        ("d", 2, None),
        ("e", None, 3),
    ]
