from __future__ import annotations

import dataclasses
import itertools
import os
import pathlib
import subprocess
import sys
from typing import Any

import keras
import numpy as np
import pytest

from spin_tf.config import OptimizerConfig
from spin_tf.models import SPINRecognizer
from spin_tf.training.losses import CTCModel
from spin_tf.training.optimizer import AdamWOrMuon, Schedule, is_hidden_kernel, orthogonalize
from tests import forked


def test_cosine_with_warmup() -> None:
    schedule = Schedule(OptimizerConfig(learning_rate=0.1, warmup_steps=10, final_factor=0.01), 110)
    values = [float(schedule(step)) for step in range(111)]
    np.testing.assert_allclose(values[:10], np.arange(1, 11) * 0.01, rtol=1e-5)
    assert values[60] == pytest.approx(0.1 * (0.01 + 0.99 * 0.5), rel=1e-4)
    assert values[110] == pytest.approx(0.001, rel=1e-4)
    assert all(a >= b for a, b in itertools.pairwise(values[10:]))


def test_piecewise_is_the_papers() -> None:
    config = OptimizerConfig(
        learning_rate=1e-3, schedule="piecewise", warmup_steps=0, boundaries=[0.5, 0.667, 0.833], factor=0.3
    )
    schedule = Schedule(config, 600)
    for step, expected in ((0, 1e-3), (299, 1e-3), (300, 3e-4), (401, 9e-5), (599, 2.7e-5)):
        assert float(schedule(step)) == pytest.approx(expected, rel=1e-4)


def test_constant_falls_at_the_end_only_where_that_is_known() -> None:
    config = OptimizerConfig(learning_rate=0.1, schedule="constant", warmup_steps=10, final_factor=0.01)
    endless = Schedule(config, 10**6)
    assert [float(endless(step)) for step in (4, 10, 999_999)] == pytest.approx([0.05, 0.1, 0.1])
    ending = Schedule(dataclasses.replace(config, decay_from=100), 200)
    values = [float(ending(step)) for step in (99, 100, 150, 200)]
    assert values == pytest.approx([0.1, 0.1, 0.1 * (1 - 0.99 / 2), 0.001], rel=1e-5)


def variables() -> dict[str, keras.Variable]:
    names = ("kernel", "localization_output", "bias", "gamma")
    shapes = ((2, 3), (2, 3), (3,), (3,))
    return {
        name: keras.Variable(np.ones(shape, "float32"), name=name) for name, shape in zip(names, shapes, strict=True)
    }


def steps(config: OptimizerConfig, gradient: float) -> dict[str, float]:
    """How far each variable has moved after one step from 1."""
    named = variables()
    optimizer = AdamWOrMuon(config, 10)
    optimizer.build(list(named.values()))
    optimizer.apply([np.full(v.shape, gradient, "float32") for v in named.values()], list(named.values()))
    return {name: 1 - float(np.asarray(v).ravel()[0]) for name, v in named.items()}


def test_the_localisation_output_learns_slowly_and_nothing_but_weights_decays() -> None:
    plain = OptimizerConfig(learning_rate=0.01, warmup_steps=0, clip_norm=1e9, loc_lr=0.1)
    moved = steps(plain, 1.0)
    assert moved["kernel"] == pytest.approx(0.01, rel=1e-3)
    assert moved["localization_output"] == pytest.approx(0.001, rel=1e-3)
    decaying = OptimizerConfig(learning_rate=0.01, warmup_steps=0, clip_norm=1e9, weight_decay=0.5)
    moved = steps(decaying, 0.0)
    assert moved["kernel"] == pytest.approx(0.005, rel=1e-3)
    assert moved["localization_output"] == moved["bias"] == moved["gamma"] == 0


def test_a_stage_has_a_rate_of_its_own() -> None:
    config = OptimizerConfig(
        name="muon", learning_rate=0.01, warmup_steps=0, clip_norm=1e9, stage_rates={"backbone": 0.2, "encoder": 0.5}
    )
    model = SPINRecognizer(
        {"charset": "36", "transformation": {"name": "ga_spin"}, "backbone": {"width": 16, "num_blocks": [1] * 4}}
    )
    before = {v.path: np.array(v) for v in model.trainable_variables}
    moved: dict[str, dict[str, float]] = {}
    for rates in ({}, config.stage_rates):
        for variable in model.trainable_variables:
            variable.assign(before[variable.path])
        optimizer = AdamWOrMuon(dataclasses.replace(config, stage_rates=rates), 10)
        optimizer.build(model.trainable_variables)
        optimizer.apply([np.ones(v.shape, "float32") for v in model.trainable_variables], model.trainable_variables)
        for variable in model.trainable_variables:
            stage = variable.path.split("/")[1]
            distance = float(np.abs(np.asarray(variable) - before[variable.path]).mean())
            moved.setdefault(stage, {})[f"{variable.path} {bool(rates)}"] = distance
    expected = {"transformation": 1.0, "backbone": 0.2, "encoder": 0.5, "decoder": 1.0}
    assert set(moved) == set(expected)
    for stage, distances in moved.items():
        for path in {key.rsplit(" ", 1)[0] for key in distances}:
            ratio = distances[f"{path} True"] / distances[f"{path} False"]
            assert ratio == pytest.approx(expected[stage], rel=0.02), path


def test_clipping_sees_the_whole_gradient() -> None:
    named = variables()
    optimizer = AdamWOrMuon(OptimizerConfig(clip_norm=1.0, warmup_steps=0), 10)
    optimizer.build(list(named.values()))
    gradients = [np.full(v.shape, 10.0, "float32") for v in named.values()]
    optimizer.apply(gradients, list(named.values()))
    norm = np.sqrt(sum((g**2).sum() for g in gradients))
    first = np.asarray(next(v for v in optimizer.variables if v.path.endswith("kernel_momentum")))
    # Momentum is (1 - beta_1) times the clipped gradient.
    np.testing.assert_allclose(first, 0.1 * 10.0 / norm, rtol=1e-4)


class Reference(AdamWOrMuon):
    """The same through Keras's own clipping, decay and update."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        rate = learning_rate * self._factors[self._get_variable_index(variable)]
        keras.optimizers.AdamW.update_step(self, gradient, variable, rate)

    _clip_gradients = keras.optimizers.AdamW._clip_gradients
    _apply_weight_decay = keras.optimizers.AdamW._apply_weight_decay


@pytest.mark.parametrize("shape", [(3, 3, 16, 64), (64, 16), (16, 16)])
def test_muon_steps_are_orthogonal_and_of_the_size_of_adamws(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    kernel = keras.Variable(np.zeros(shape, "float32"), name="kernel")
    bias = keras.Variable(np.zeros(shape[-1:], "float32"), name="bias")
    optimizer = AdamWOrMuon(OptimizerConfig(name="muon", learning_rate=0.01, warmup_steps=0, clip_norm=1e9), 10)
    optimizer.build([kernel, bias])
    gradient = rng.normal(size=shape).astype("float32")
    optimizer.apply([gradient, np.ones(shape[-1:], "float32")], [kernel, bias])
    moved = -np.asarray(kernel).reshape(-1, shape[-1])
    u, _, v = np.linalg.svd(gradient.reshape(-1, shape[-1]), full_matrices=False)
    size = 0.01 * 0.2 * max(moved.shape) ** 0.5
    singular = np.diag(u.T @ moved @ v.T) / size
    assert singular.min() > 0.6 and singular.max() < 1.25
    assert np.sqrt((moved**2).mean()) == pytest.approx(0.01 * 0.2, rel=0.2)
    np.testing.assert_allclose(np.asarray(bias), -0.01, rtol=1e-4)


@pytest.mark.parametrize("shape", [(32, 48), (48, 32), (32, 128), (288, 32)])
def test_weak_directions_are_not_blown_up(shape: tuple[int, int]) -> None:
    """Singular values of four decades, on the whole matrix and on its Gram matrix: none leaves the iteration's band."""
    rng = np.random.default_rng(2)
    u, _, v = np.linalg.svd(rng.normal(size=shape), full_matrices=False)
    values = np.logspace(0, -4, min(shape))
    result = np.asarray(orthogonalize((u * values @ v).astype("float32")), "float64")
    assert np.linalg.svd(result, compute_uv=False).max() < 1.3
    along = np.diag(u.T @ result @ v.T)
    assert along[values > 0.01].min() > 0.6 and along.min() > 0


def test_muon_is_for_kernels_between_features() -> None:
    model = CTCModel(
        SPINRecognizer({"charset": "36", "transformation": {"name": "ga_spin"}, "backbone": {"width": 32}}),
        name="learner",
    )
    ours = {v.path.split("/", 1)[-1] for v in model.trainable_variables if is_hidden_kernel(v)}
    assert {"backbone/block3_0/conv1/conv/kernel", "encoder/lstm0/forward_kernel", "decoder/context_kernel"} <= ours
    others = {v.path.split("/", 1)[-1] for v in model.trainable_variables} - ours
    assert {
        "backbone/conv0_1/conv/kernel",
        "backbone/conv0_1/norm/gamma",
        "decoder/token_kernel",
        "decoder/generator",
        "decoder/score",
        "transformation/localization_output/kernel",
        "transformation/ain/conv2/kernel",
        "kernel",
    } <= others


def made(kind: type[AdamWOrMuon], weight_decay: float, name: str) -> AdamWOrMuon:
    """An optimizer of ten steps."""
    config = OptimizerConfig(name=name, learning_rate=0.01, warmup_steps=3, weight_decay=weight_decay, clip_norm=3.0)
    return kind(config, 10)


def trained(kind: type[AdamWOrMuon], weight_decay: float, name: str = "adamw") -> dict[str, np.ndarray]:
    """Weights and slots after ten steps, some of which are clipped."""
    named = list(variables().values())
    optimizer = made(kind, weight_decay, name)
    optimizer.build(named)
    rng = np.random.default_rng(0)
    for step in range(10):
        optimizer.apply([rng.normal(size=v.shape, scale=1.0 + step % 3).astype("float32") for v in named], named)
    return {v.path: np.asarray(v) for v in [*named, *optimizer.variables]}


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_one_kernel_does_what_keras_does(weight_decay: float) -> None:
    ours, keras_own = trained(AdamWOrMuon, weight_decay), trained(Reference, weight_decay)
    # Checkpoints hold these names.
    assert list(ours) == list(keras_own) and "adam_w/kernel_velocity" in ours
    for path, expected in keras_own.items():
        # The kernel's 1 - 0.999 is that of float32, 1.3e-5 off.
        np.testing.assert_allclose(ours[path], expected, rtol=3e-5, atol=1e-7, err_msg=path)


MIRRORED = """
import numpy as np, tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import tests.training.test_optimizer as t
alone = t.trained(t.AdamWOrMuon, 0.1, "{name}")
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
with strategy.scope():
    named = list(t.variables().values())
    optimizer = t.made(t.AdamWOrMuon, 0.1, "{name}")
    optimizer.build(named)

@tf.function(autograph=False)
def step(gradients):
    strategy.run(lambda: optimizer.apply([tf.identity(g) for g in gradients], named))

rng = np.random.default_rng(0)
for i in range(10):
    step([tf.constant(rng.normal(size=v.shape, scale=1.0 + i % 3).astype("float32")) for v in named])
for v in [*named, *optimizer.variables]:
    for copy in strategy.experimental_local_results(v.value):
        np.testing.assert_allclose(copy.numpy(), alone[v.path], rtol=1e-6, err_msg=v.path)
"""


@pytest.mark.parametrize("name", ["adamw", "muon"])
def test_every_replica_updates_its_own_copy(name: str) -> None:
    program = MIRRORED.replace("{name}", name)
    result = forked.run(["-c", program])
    assert result.returncode == 0, result.stderr[-3000:]


def test_muon_steps_the_same_under_jax(tmp_path: pathlib.Path) -> None:
    code = (
        f"import numpy as np; from tests.training import test_optimizer as t; np.savez({str(tmp_path / 'jax.npz')!r}, "
    )
    code += "**{path.replace('/', '.'): value for path, value in t.trained(t.AdamWOrMuon, 0.1, 'muon').items()})"
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, capture_output=True)
    with np.load(tmp_path / "jax.npz") as there:
        for path, expected in trained(AdamWOrMuon, 0.1, "muon").items():
            # bfloat16 products are rounded where each backend likes.
            np.testing.assert_allclose(there[path.replace("/", ".")], expected, rtol=0.02, atol=2e-4, err_msg=path)
