from __future__ import annotations

import os
import pathlib
import subprocess
import sys
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from spin_tf.config import PRESETS, TRANSFORMATIONS
from spin_tf.models import SPINRecognizer, load_model
from spin_tf.models.backbone import ResNet32
from spin_tf.models.lcnet import LCNet
from tests.backbones import SMALL_BACKBONES

TINY: dict[str, Any] = {
    "charset": "chars:abcD",
    "max_length": 5,
    # Narrow, as every step of the encoder takes its time.
    "image_size": [32, 40],
    "transformation": {"localization_width": 2},
    "backbone": SMALL_BACKBONES["resnet32"],
}


def tiny(backbone: str = "resnet32", **transformation: Any) -> SPINRecognizer:
    keras.utils.set_random_seed(0)
    transformation = {**TINY["transformation"], **transformation}
    return SPINRecognizer({**TINY, "transformation": transformation, "backbone": SMALL_BACKBONES[backbone]})


def images(n: int = 3) -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, (n, 32, 40, 1)).astype("float32")


# Every weight and statistic; GA-SPIN at width 512 with 68 characters is the published checkpoint, array by array.
PARAMETERS = {
    (512, "ga_spin", "paddle_parity"): 50_709_381,
    (512, "none", None): 48_382_438,
    (256, "ga_spin", None): 14_458_815,
    (128, "ga_spin", None): 5_378_007,
}


@pytest.mark.parametrize(("width", "name", "preset"), PARAMETERS)
def test_parameter_counts(width: int, name: str, preset: str | None) -> None:
    transformation = {"name": name, **(PRESETS[preset] if preset else {})}
    model = SPINRecognizer({"charset": "68", "backbone": {"width": width}, "transformation": transformation})
    assert model.count_params() == PARAMETERS[width, name, preset]


@pytest.mark.parametrize(
    ("name", "backbone"), [*((name, "resnet32") for name in TRANSFORMATIONS), ("none", "lcnet"), ("ga_spin", "lcnet")]
)
def test_variants_read_and_train(name: str, backbone: str) -> None:
    model = tiny(backbone, name=name)
    output = model(images())
    assert {key: tuple(value.shape) for key, value in output.items()} == {
        "probabilities": (3, 6, 6),
        "positions": (3, 6),
    }
    np.testing.assert_allclose(np.asarray(output["probabilities"]).sum(-1), 1, atol=1e-5)
    assert 0 <= np.asarray(output["positions"]).min() <= np.asarray(output["positions"]).max() <= 1
    # The localisation output starts with zero weights, behind which no gradient flows: move it.
    for variable in model.variables:
        if "localization_output/kernel" in variable.path:
            variable.assign(np.random.default_rng(1).normal(0, 0.05, variable.shape))
    tokens = np.array([[0, 2, 3, 4, 1], [0, 5, 5, 1, 0], [0, 2, 1, 0, 0]], "int32")
    with tf.GradientTape() as tape:
        logits = model(images(), tokens, training=True)
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(np.roll(tokens, -1, 1), logits))
    gradients = tape.gradient(loss, [v.value for v in model.trainable_variables])
    for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
        assert gradient is not None and np.abs(tf.convert_to_tensor(gradient).numpy()).max() > 0, variable.path
    expected = {"image", *(["weights", "chromatic"] if "sp" in name else [])}
    expected |= {"gate", "offset"} if name in ("spin", "ga_spin") else set()
    expected |= {"control_points", "grid"} if name in ("tps", "ga_spn", "ga_spin") else set()
    assert set(model.rectify(images())) == expected


@pytest.mark.parametrize("backbone", SMALL_BACKBONES)
def test_greedy_reading_is_teacher_forcing_with_its_own_tokens(backbone: str) -> None:
    model = tiny(backbone)
    read = np.asarray(model(images())["probabilities"])
    tokens = read.argmax(-1)
    previous = np.concatenate([np.zeros((3, 1)), tokens[:, :-1]], 1).astype("int32")
    forced = np.asarray(keras.ops.softmax(model(images(), previous)))
    np.testing.assert_allclose(read, forced, atol=1e-5)


@pytest.mark.parametrize("layer", [ResNet32(16, (1, 1, 1, 1)), LCNet(16, (2, 1, 1))], ids=["resnet32", "lcnet"])
def test_a_time_step_looks_at_its_centre(layer: Any) -> None:
    """The pixels that move a time step lie around its centre."""
    rng = np.random.default_rng(3)
    layer.build((None, 32, 128, 1))
    for variable in layer.trainable_variables:
        # Kernels of one value: nothing cancels out, nothing leans to a side, and no ReLU cuts what is passed on.
        variable.assign(np.full(variable.shape, 1.0 / max(int(np.prod(variable.shape[:-1])), 1)))
    # Noise, so that no pooling has a choice between equal values.
    image = tf.Variable(rng.uniform(0, 1, (32, 32, 128, 1)).astype("float32"))
    centres = layer.step_centres(128)
    assert len(centres) == layer.compute_output_shape((None, 32, 128, 1))[1]
    for step in (8, 16, 24):
        with tf.GradientTape() as tape:
            output = tf.reduce_sum(layer(image)[:, step])
        columns = np.abs(tape.gradient(output, image).numpy()).sum(axis=(0, 1, 3))
        centre = ((np.arange(128) + 0.5) * columns).sum() / columns.sum()
        assert abs(centre - centres[step]) < 0.75, (step, centre)


def test_the_published_light_backbone_has_its_size() -> None:
    layer = LCNet()
    layer.build((None, 32, 128, 1))
    assert layer.count_params() == 2_675_136


def test_stopping_at_the_end_changes_nothing_before_it() -> None:
    model = tiny()
    rng = np.random.default_rng(2)
    for variable in model.variables:
        # Sharper answers than fresh weights give, so that words end at different steps.
        if variable.path.endswith(("decoder/generator", "decoder/token_kernel", "context_kernel")):
            variable.assign(rng.normal(0, 1.5, variable.shape))
    whole, stopped = (np.asarray(model.read(images(8), stop)["probabilities"]) for stop in (False, True))
    ended = []
    for a, b in zip(whole, stopped, strict=True):
        ends = np.flatnonzero(a.argmax(-1) == 1)
        steps = ends[0] + 1 if len(ends) else len(a)
        np.testing.assert_allclose(a[:steps], b[:steps], atol=1e-6)
        ended.append(len(ends) > 0 and ends[0])
    assert any(ended)


def test_initial_transformation_is_the_identity_grid() -> None:
    result = tiny().rectify(images())
    x = (np.arange(-40, 40, 2) + 1) / 40
    np.testing.assert_allclose(np.asarray(result["grid"])[0, 5, :, 0], x, atol=1e-4)
    slanted = np.asarray(tiny(initial_control_points="slanted").rectify(images())["control_points"])[0]
    np.testing.assert_allclose(slanted[[0, 9, 10, 19]], [[-1, 0], [1, -1], [-1, 1], [1, 0]], atol=1e-6)


@pytest.mark.parametrize("backbone", SMALL_BACKBONES)
def test_keras_file_carries_everything(backbone: str, tmp_path: pathlib.Path) -> None:
    model = tiny(backbone, align_corners=True)
    model.save(tmp_path / "best.keras")
    for path in (tmp_path, tmp_path / "best.keras"):
        again = load_model(path)
        assert again.metadata == model.metadata
        assert again.charset == model.charset
        expected, positions = model.predict_words(images(5), batch_size=2)
        actual, actual_positions = again.predict_words(images(5), batch_size=3)
        np.testing.assert_allclose(actual, expected, atol=1e-5)
        np.testing.assert_allclose(actual_positions, positions, atol=1e-5)


def test_loading_says_what_is_wrong(tmp_path: pathlib.Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no best\.keras"):
        load_model(tmp_path)
    with pytest.raises(FileNotFoundError, match="no such model"):
        load_model(tmp_path / "absent.keras")
    (tmp_path / "text.keras").write_text("text")
    with pytest.raises(ValueError, match=r"not a \.keras file"):
        load_model(tmp_path / "text.keras")
    other = keras.Sequential([keras.layers.Dense(1)])
    other.build((None, 2))
    other.save(tmp_path / "other.keras")
    with pytest.raises(ValueError, match="holds a Sequential"):
        load_model(tmp_path / "other.keras")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"backbone": {"width": 20}}, "model.backbone.width must be a multiple of 16. Received: 20"),
        ({"transformation": {"name": "stn"}}, "must be one of none, tps, spn, spin, ga_spn, ga_spin. Received: 'stn'"),
        (
            {"backbone": {"widht": 32}},
            "model.backbone.widht is not allowed; allowed here: name, width, num_blocks",
        ),
        ({"backbone": {"name": "vit"}}, "model.backbone.name must be one of resnet32, lcnet. Received: 'vit'"),
        (
            {"backbone": {"name": "lcnet", "width": 64}},
            r"num_blocks must be 3 numbers of at least 1 for lcnet. Received: \[1, 2, 5, 3\]",
        ),
        ({"image_size": [48, 100]}, "Received: \\[48, 100\\]"),
        ({"max_length": "many"}, "model.max_length is not allowed; .* Received: model.max_length=many"),
    ],
)
def test_configuration_errors_name_key_value_and_what_is_allowed(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SPINRecognizer({**TINY, **change})


def test_runs_on_jax(tmp_path: pathlib.Path, repository: pathlib.Path) -> None:
    """One reading and one training step of each backbone on JAX, in a process that cannot import TensorFlow: in one, on
    narrow images, and compiled as a whole, since alone JAX compiles every operation for each shape."""
    small = {"image_size": [32, 32], "encoder": {"units": 8, "features": [8]}, "decoder": {"units": 8}}
    images = np.random.default_rng(0).uniform(-1, 1, (3, 32, 32, 1)).astype("float32")
    np.save(tmp_path / "images.npy", images)
    expected = {}
    for name, backbone in SMALL_BACKBONES.items():
        keras.utils.set_random_seed(0)
        # The transformation before one of them.
        transformation = TINY["transformation"] if name == "resnet32" else {"name": "none"}
        model = SPINRecognizer({**TINY, **small, "transformation": transformation, "backbone": backbone})
        model.save(tmp_path / f"{name}.keras")
        expected[name], _ = model.predict_words(images)
    script = f"""
import sys
sys.modules["tensorflow"] = None
import jax, keras, numpy as np
from spin_tf.models import load_model
from spin_tf.training.losses import token_cross_entropy
folder = {str(tmp_path)!r}
images = np.load(folder + "/images.npy")
tokens = np.array([[0, 2, 3, 1]] * 3, "int32")
for name in {list(expected)}:
    model = load_model(f"{{folder}}/{{name}}.keras")
    np.save(f"{{folder}}/{{name}}.npy", model.predict_on_batch(images)["probabilities"])
    def loss(trainable, fixed):
        logits, fixed = model.stateless_call(trainable, fixed, images, tokens[:, :-1], training=True)
        total, count = token_cross_entropy(logits, tokens[:, 1:])
        return total / count
    values = [v.value for v in model.trainable_variables], [v.value for v in model.non_trainable_variables]
    gradients = jax.jit(jax.grad(loss))(*values)
    assert all(np.isfinite(g).all() for g in gradients)
"""
    environment = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": str(repository)}
    subprocess.run([sys.executable, "-c", script], check=True, env=environment, timeout=900)
    for name, probabilities in expected.items():
        np.testing.assert_allclose(np.load(tmp_path / f"{name}.npy"), probabilities, atol=1e-4)
