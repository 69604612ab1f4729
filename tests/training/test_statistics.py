from __future__ import annotations

import numpy as np

from spin_tf.models import SPINRecognizer
from spin_tf.training.averaging import recalibrate
from tests.training import tiny


def test_statistics_are_the_mean_over_the_batches() -> None:
    model = SPINRecognizer({**tiny.VALUES["model"], "transformation": {"name": "none"}})
    batches = [np.random.default_rng(i).normal(i, 1 + i, (4, 32, 32, 1)).astype("float32") for i in range(3)]
    norm = model.backbone.stages[0].norm
    momentum = norm.momentum
    norm.moving_mean.assign(np.full(norm.moving_mean.shape, 99.0))
    recalibrate(model, batches)
    outputs = [np.asarray(model.backbone.stages[0].conv(batch)) for batch in batches]
    np.testing.assert_allclose(norm.moving_mean, np.mean([o.mean((0, 1, 2)) for o in outputs], 0), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(norm.moving_variance, np.mean([o.var((0, 1, 2)) for o in outputs], 0), rtol=1e-4)
    assert norm.momentum == momentum


def test_a_frozen_stage_keeps_its_statistics() -> None:
    model = SPINRecognizer(tiny.VALUES["model"])
    model.backbone.trainable = False
    assert model.transformation is not None
    before = [np.array(v) for v in model.backbone.variables], [np.array(v) for v in model.transformation.variables]
    recalibrate(model, [np.random.default_rng(0).normal(size=(4, 32, 32, 1)).astype("float32")])
    for old, variable in zip(before[0], model.backbone.variables, strict=True):
        np.testing.assert_array_equal(old, np.asarray(variable))
    assert any((o != np.asarray(v)).any() for o, v in zip(before[1], model.transformation.variables, strict=True))
