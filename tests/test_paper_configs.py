"""The recipes in configs/: each loads, and says what its name says."""

from __future__ import annotations

import pathlib

import pytest

from spin_tf.config import TRANSFORMATIONS, load


@pytest.mark.parametrize("name", TRANSFORMATIONS)
def test_paper_recipe(repository: pathlib.Path, name: str) -> None:
    path = repository / "configs" / f"paper_{name}.yaml"
    config = load(str(path))
    assert config.model.transformation.name == name
    assert config.model.backbone.width == 512
    if name != "none":
        assert config.model.transformation.initial_control_points == "slanted"
        assert not config.model.transformation.instance_norm_affine
    assert {source.weight for source in config.data.train.values()} == {0.5}
    optimizer, steps = config.training.optimizer, config.training.steps
    assert (optimizer.learning_rate, optimizer.factor, optimizer.clip_norm) == (1e-3, 0.3, 5.0)
    # Six passes over the 16.19 million words of MJSynth and SynthText.
    assert steps * config.training.batch_size == pytest.approx(6 * 16.19e6, rel=1e-3)
    assert optimizer.boundaries == pytest.approx([3 / 6, 4 / 6, 5 / 6], abs=1e-3)
    assert path.read_text().startswith("#") and f"--config=configs/paper_{name}.yaml" in path.read_text()
