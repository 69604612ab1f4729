"""The temperature of a model: what it changes of a reading, and that every artefact carries it."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import numpy as np
import pytest

from spin_tf import config as config_module
from spin_tf.models import SPINRecognizer, load_model
from spin_tf.models.loading import CALIBRATION_FILE, save_weights
from spin_tf.reading.litert import LiteRTInterpreter, read_metadata
from tests.exports import tiny_file, tiny_images, tiny_model

TINY: dict[str, Any] = {
    "charset": "chars:abc",
    "max_length": 4,
    "image_size": [32, 32],
    "transformation": {"name": "none"},
    "backbone": {"width": 16, "num_blocks": [1, 1, 1, 1]},
}


@pytest.fixture
def model() -> SPINRecognizer:
    model = SPINRecognizer(TINY)
    model.decoder.generator.assign(np.random.default_rng(3).normal(0, 1.5, model.decoder.generator.shape))
    return model


def read(model: SPINRecognizer) -> np.ndarray:
    return model.predict_words(np.random.default_rng(1).uniform(-1, 1, (3, 32, 32, 1)).astype("float32"))[0]


def test_it_divides_the_logits_and_changes_no_reading(model: SPINRecognizer) -> None:
    plain = read(model)
    model.temperature = 2.0
    calibrated = read(model)
    root = np.sqrt(plain)
    np.testing.assert_allclose(calibrated, root / root.sum(-1, keepdims=True), atol=1e-5)
    np.testing.assert_array_equal(calibrated.argmax(-1), plain.argmax(-1))


def test_training_does_not_see_it(model: SPINRecognizer) -> None:
    images, tokens = np.zeros((1, 32, 32, 1), "float32"), np.array([[0, 2, 3]])
    plain = np.asarray(model(images, tokens))
    model.temperature = 2.0
    np.testing.assert_array_equal(np.asarray(model(images, tokens)), plain)


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan")])
def test_it_is_above_zero(model: SPINRecognizer, value: float) -> None:
    with pytest.raises(ValueError, match="Received: temperature="):
        model.temperature = value
    with pytest.raises(ValueError, match="Received: temperature="):
        SPINRecognizer(TINY, temperature=value)


def test_files_carry_it(model: SPINRecognizer, tmp_path: pathlib.Path) -> None:
    model.temperature = 1.75
    expected = read(model)
    model.save(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras")
    assert loaded.temperature == loaded.metadata["temperature"] == 1.75
    np.testing.assert_allclose(read(loaded), expected, atol=1e-6)


def test_litert_files_carry_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    images, model = tiny_images()[:3], tiny_model("none", "resnet32")
    path = tiny_file(tmp_path_factory, "none", "resnet32")
    assert read_metadata(path)["temperature"] == model.temperature == 1.3
    exported = LiteRTInterpreter(str(path)).predict_words(images)[0]
    # The first step is there in every word, whenever it ends.
    np.testing.assert_allclose(exported[:, 0], model.predict_words(images)[0][:, 0], atol=1e-4)
    plain = SPINRecognizer.from_config({**model.get_config(), "temperature": 1.0})
    plain.set_weights(model.get_weights())
    assert np.abs(exported[:, 0] - plain.predict_words(images)[0][:, 0]).max() > 1e-2


def test_a_folder_of_weights_has_it_in_a_file_that_new_weights_remove(
    model: SPINRecognizer, tmp_path: pathlib.Path
) -> None:
    settings = config_module.from_dict(config_module.Config, {"model": TINY})
    config_module.save(settings, str(tmp_path / "config.yaml"))
    save_weights(str(tmp_path), model)
    assert load_model(tmp_path).temperature == 1.0
    (tmp_path / CALIBRATION_FILE).write_text(json.dumps({"temperature": 1.5}))
    assert load_model(tmp_path).temperature == 1.5
    save_weights(str(tmp_path), model)
    assert load_model(tmp_path).temperature == 1.0
