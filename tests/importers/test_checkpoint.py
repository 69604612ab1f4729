"""Both implementations' names on our weights: every stage against plain numpy, and every mismatch told at once."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from spin_tf.charset import Charset
from spin_tf.config import load
from spin_tf.importers import checkpoint
from spin_tf.importers.checkpoint import model_from_state_dict
from spin_tf.importers.naming import DAVAR, PADDLE, Naming
from spin_tf.importers.reference import ReferenceNetwork
from spin_tf.importers.verification import import_model
from spin_tf.models import load_model
from tests.published_checkpoint import published_state_dict, word_images

WIDTH = 32


@pytest.mark.parametrize("naming", [PADDLE, DAVAR], ids=lambda n: n.name)
@pytest.mark.parametrize(
    ("variant", "offset", "grid"),
    [("ga_spin", True, True), ("ga_spn", False, True), ("spin", True, False), ("spn", False, False)],
)
def test_variants_of_both_implementations(naming: Naming, variant: str, offset: bool, grid: bool) -> None:
    arrays = published_state_dict(naming, WIDTH, offset=offset, grid=grid)
    model, images = model_from_state_dict(arrays), word_images()
    transformation = model.config["transformation"]
    assert transformation["name"] == variant
    is_paddle = naming is PADDLE
    assert transformation["align_corners"] is transformation["instance_norm_affine"] is is_paddle
    assert transformation["localization_norm"] == ("scale_shift" if is_paddle else "batch")
    assert transformation["extra_rows"] is (is_paddle and grid)
    network = ReferenceNetwork(arrays)
    ours = np.asarray(model.rectify(images.transpose(0, 2, 3, 1))["image"])
    np.testing.assert_allclose(ours, network.transform(images).transpose(0, 2, 3, 1), atol=2e-3)
    ours = np.asarray(model(images.transpose(0, 2, 3, 1))["probabilities"])
    np.testing.assert_allclose(ours, network.read(images), atol=2e-4)


def test_no_transformation() -> None:
    arrays = {n: a for n, a in published_state_dict(DAVAR, WIDTH).items() if not n.startswith("transformation.")}
    model, images = model_from_state_dict(arrays), word_images()
    assert model.config["transformation"]["name"] == "none"
    ours = np.asarray(model(images.transpose(0, 2, 3, 1))["probabilities"])
    np.testing.assert_allclose(ours, ReferenceNetwork(arrays).read(images), atol=2e-4)


def test_the_two_implementations_differ() -> None:
    """The settings matter: the same weights sampled the other way are another image."""
    arrays, images = published_state_dict(PADDLE, WIDTH), word_images().transpose(0, 2, 3, 1)
    model = model_from_state_dict(arrays)
    ours = np.asarray(model.rectify(images)["image"])
    assert model.transformation is not None
    model.transformation.sample.align_corners = False
    assert np.abs(np.asarray(model.rectify(images)["image"]) - ours).max() > 0.02


def test_every_problem_is_told_at_once() -> None:
    arrays = published_state_dict(PADDLE, WIDTH)
    del arrays["head.generator.bias"], arrays["transform.offset_fc2.bias"]
    arrays["head.generator.weight"] = arrays["head.generator.weight"].T
    arrays["neck.encoder.encoder.0.linear.bias"] = arrays["neck.encoder.encoder.0.linear.bias"].astype(np.uint16)
    arrays["backbone.ConvNet.layer9.0.conv1.weight"] = np.zeros((1, 2), np.float32)
    arrays["backbone.ConvNet.bn0_1.weight"] = np.zeros(3, np.float32)
    with pytest.raises(ValueError, match="6 differences") as error:
        model_from_state_dict(arrays)
    for part in (
        "missing head.generator.bias (70,)",
        "missing transform.offset_fc2.bias (1,)",
        "head.generator.weight is (70, 16) float32, not (16, 70) float32",
        "neck.encoder.encoder.0.linear.bias is (16,) uint16, not (16,) float32",
        "surplus backbone.ConvNet.layer9.0.conv1.weight (1, 2)",
        "backbone.ConvNet.bn0_1.weight is (3,) float32, not (2,) float32",
    ):
        assert part in str(error.value)


def test_the_two_names_of_an_lstm_weight_must_agree() -> None:
    arrays = published_state_dict(PADDLE, WIDTH)
    name = "neck.encoder.encoder.1.rnn.0.cell_bw.weight_hh"
    arrays[name] = arrays[name] + 1e-6
    with pytest.raises(ValueError, match=r"rnn\.weight_hh_l0_reverse and .*cell_bw\.weight_hh are one array"):
        model_from_state_dict(arrays)
    complete = model_from_state_dict(published_state_dict(PADDLE, WIDTH)).get_weights()
    for dropped in (".rnn.0.cell_", "_l0"):
        one_name = {n: a for n, a in published_state_dict(PADDLE, WIDTH).items() if dropped not in n}
        for ours, theirs in zip(model_from_state_dict(one_name).get_weights(), complete, strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("zero", [True, False])
def test_the_spline_s_extra_rows_are_carried_exactly(zero: bool) -> None:
    arrays = published_state_dict(PADDLE, WIDTH)
    names = ("transform.GridGenerator.fc.weight", "transform.GridGenerator.fc.bias")
    if zero:
        arrays.update({name: np.zeros_like(arrays[name]) for name in names})
    transformation = model_from_state_dict(arrays).transformation
    assert transformation is not None
    tps = transformation.tps
    for name, weight in zip(names, (tps.extra_kernel, tps.extra_bias), strict=True):
        np.testing.assert_array_equal(np.asarray(weight), arrays[name])
        assert not weight.trainable


def test_another_spline_is_refused() -> None:
    arrays = published_state_dict(DAVAR, WIDTH)
    name = "transformation.GridGenerator.P_hat"
    arrays[name] = arrays[name][::-1].copy()
    with pytest.raises(ValueError, match="another spline than ours"):
        model_from_state_dict(arrays)
    arrays[name] = arrays[name][:100]
    with pytest.raises(ValueError, match=r"P_hat is \(100, 23\)"):
        model_from_state_dict(arrays)


def test_charset_by_number_of_classes() -> None:
    for classes, name in ((70, "68"), (38, "36")):
        model = model_from_state_dict(published_state_dict(PADDLE, WIDTH, classes))
        assert model.charset == Charset.from_spec(name)
        assert model.config["charset"] == name
    arrays = published_state_dict(PADDLE, WIDTH, 5)
    with pytest.raises(ValueError, match="5 classes, 3 characters"):
        model_from_state_dict(arrays)
    model = model_from_state_dict(arrays, Charset("xyz", name="mine"))
    assert model.charset == Charset("xyz", name="mine")
    assert model.config["charset"] == "chars:xyz"
    with pytest.raises(ValueError, match="must have 3 characters"):
        model_from_state_dict(arrays, Charset("wxyz"))


def test_names_of_neither() -> None:
    with pytest.raises(ValueError, match="neither"):
        model_from_state_dict({"fc.weight": np.zeros((2, 2), np.float32)})
    with pytest.raises(ValueError, match="neither"):
        model_from_state_dict({})


def test_the_written_file_carries_charset_and_settings(tmp_path: pathlib.Path) -> None:
    arrays = published_state_dict(DAVAR, WIDTH, 38)
    written, result = import_model(arrays, tmp_path / "davar.keras")
    assert result.passed and len(result.words) == 2
    model = load_model(tmp_path / "davar.keras")
    assert model.charset.characters == Charset.from_spec("36").characters and model.charset.fold_case
    assert model.config == written.config
    assert model.config["transformation"]["align_corners"] is False
    assert sorted(path.name for path in tmp_path.iterdir()) == ["davar.keras", "davar.yaml"]
    config = load(str(tmp_path / "davar.yaml"))
    assert dataclasses.asdict(config.model) == model.config
    assert config.training.init_from == str(tmp_path / "davar.keras")


@pytest.mark.integration
def test_a_model_that_differs_is_not_written(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake in any stage of the mapping is caught by the verification, and a file that was there stays."""
    assign: Callable = checkpoint.assign
    output = tmp_path / "out.keras"
    output.write_bytes(b"older")
    arrays = published_state_dict(PADDLE, WIDTH)
    for part in (
        lambda model: model.transformation.tps.extra_bias,
        lambda model: model.backbone.stages[-1].norm.beta,
        lambda model: model.encoder.recurrent[1].backward_bias,
        lambda model: model.decoder.token_kernel,
    ):

        def wrong(model: Any, state: Any, part: Callable = part) -> None:
            assign(model, state)
            weight = part(model)
            weight.assign(weight + 0.1 * np.random.default_rng(0).standard_normal(weight.shape))

        monkeypatch.setattr(checkpoint, "assign", wrong)
        with pytest.raises(ValueError, match="does not do what the checkpoint does"):
            import_model(arrays, output)
    assert [path.name for path in tmp_path.iterdir()] == ["out.keras"]
    assert output.read_bytes() == b"older"


def test_training_goes_on_from_an_imported_model() -> None:
    """Gradients reach every trainable weight; frozen localisation statistics stay where they are."""
    import tensorflow as tf

    model = model_from_state_dict(published_state_dict(PADDLE, WIDTH))
    images = word_images().transpose(0, 2, 3, 1)
    targets = np.ones((2, 27), np.int32)
    assert model.transformation is not None
    frozen = np.asarray(model.transformation.trunk[0].norm.moving_mean).copy()
    moving = np.asarray(model.backbone.stages[0].norm.moving_mean).copy()
    with tf.GradientTape() as tape:
        logits = model(images, targets[:, :-1], training=True)
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(targets[:, 1:], logits))
    variables = [weight.value for weight in model.trainable_weights]
    gradients = [tf.convert_to_tensor(gradient).numpy() for gradient in tape.gradient(loss, variables)]
    assert all(np.isfinite(gradient).all() for gradient in gradients)
    assert sum(float(np.abs(gradient).max()) > 0 for gradient in gradients) > 0.95 * len(gradients)
    np.testing.assert_array_equal(np.asarray(model.transformation.trunk[0].norm.moving_mean), frozen)
    assert not np.array_equal(np.asarray(model.backbone.stages[0].norm.moving_mean), moving)
