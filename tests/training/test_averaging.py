from __future__ import annotations

import pathlib

import numpy as np
import pytest

from spin_tf.models import SPINRecognizer, load_model
from spin_tf.training.averaging import average_models, recalibrate
from tests import forked
from tests.training import tiny


def make_models(count: int, **config: object) -> list[SPINRecognizer]:
    """Recognisers of different weights and statistics."""
    models = [SPINRecognizer({**tiny.VALUES["model"], **config}, temperature=1.5) for _ in range(count)]
    rng = np.random.default_rng(0)
    for model in models:
        recalibrate(model, [rng.normal(0, 1, (4, 32, 32, 1)).astype("float32")])
    return models


def test_it_is_the_mean_of_every_variable() -> None:
    one, other = make_models(2)
    for shares, expected in ((None, (0.5, 0.5)), ([3.0, 1.0], (0.75, 0.25)), ([0.0, 2.0], (0.0, 1.0))):
        result = average_models([one, other], shares)
        for mine, first, second in zip(result.variables, one.variables, other.variables, strict=True):
            mean = expected[0] * np.asarray(first) + expected[1] * np.asarray(second)
            np.testing.assert_allclose(np.asarray(mine), mean, rtol=1e-5, atol=1e-7)
        assert result.temperature == 1.0
        assert result.charset.to_dict() == one.charset.to_dict()


def test_models_of_different_names_are_averaged() -> None:
    (one,), (other,) = make_models(1), make_models(1, name="other")
    assert average_models([one, other]).config["name"] == "tiny"


def test_what_does_not_fit_is_refused() -> None:
    models = make_models(2)
    with pytest.raises(ValueError, match="no model"):
        average_models([])
    for shares in ([1.0], [1.0, -1.0], [0.0, 0.0], [1.0, float("nan")], [1.0, float("inf")]):
        with pytest.raises(ValueError, match="one for each of 2"):
            average_models(models, shares)
    with pytest.raises(ValueError, match="model 2 has another architecture"):
        average_models([models[0], *make_models(1, decoder={"units": 8})])
    with pytest.raises(ValueError, match="model 2 has another charset"):
        average_models([models[0], *make_models(1, charset="chars:abc")])


@pytest.mark.integration
def test_the_command_takes_statistics_of_its_own(tmp_path: pathlib.Path) -> None:
    models = make_models(2)
    for name, model in zip("ab", models, strict=True):
        model.save(tmp_path / f"{name}.keras")
    line = [
        "bin/average.py",
        f"--config={tiny.write_config(tmp_path)}",
        f"--output={tmp_path / 'c.keras'}",
    ]
    line += [f"--model={tmp_path / 'a.keras'}", f"--model={tmp_path / 'b.keras'}", "--share=1", "--share=3"]

    done = forked.run(line)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "the average of 2 models written to" in done.stdout
    result, expected = load_model(tmp_path / "c.keras"), average_models(models, [1, 3])
    for mine, mean in zip(result.trainable_variables, expected.trainable_variables, strict=True):
        np.testing.assert_allclose(np.asarray(mine), np.asarray(mean), rtol=1e-6)
    norms = [m.backbone.stages[0].norm.moving_mean for m in (result, expected)]
    assert np.abs(np.asarray(norms[0]) - np.asarray(norms[1])).max() > 1e-3
    refused = forked.run([*line, "--share=5"])
    assert refused.returncode == 2 and "one for each of 2" in refused.stderr
    assert forked.run([*line, f"--output={tmp_path / 'c.h5'}"]).returncode == 2
