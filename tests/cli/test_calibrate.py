"""bin/calibrate.py: the temperature that it fits, and where it puts it."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import keras
import numpy as np
import pytest

from spin_tf import config as config_module
from spin_tf.data.records.tfrecord import ShardWriter, WordExample
from spin_tf.evaluation.temperature import GreedyWords, read_words
from spin_tf.models import SPINRecognizer, load_model
from spin_tf.models.loading import save_weights
from spin_tf.recognizer import Recognizer
from tests import forked
from tests.data import samples

TINY: dict[str, Any] = {
    "charset": "chars:abc",
    "max_length": 4,
    "transformation": {"name": "none"},
    "backbone": {"width": 16, "num_blocks": [1, 1, 1, 1]},
}


def honest_words(number: int, temperature: float) -> GreedyWords:
    """Words whose confidences are right at `temperature`, as a model at temperature 1 gives them."""
    rng = np.random.default_rng(0)
    words = GreedyWords()
    for _ in range(number):
        logits = rng.normal(0, 2, (rng.integers(1, 8), 6))
        honest = np.exp(logits / temperature)
        honest /= honest.sum(1, keepdims=True)
        shown = np.exp(logits)
        shown /= shown.sum(1, keepdims=True)
        words.add(shown, bool(rng.uniform() < honest.max(1).prod()))
    return words


@pytest.mark.parametrize("temperature", [0.6, 1.0, 1.8])
def test_the_temperature_behind_the_words_is_found(temperature: float) -> None:
    words = honest_words(6000, temperature)
    fitted = words.fit()
    assert fitted == pytest.approx(temperature, rel=0.08)
    assert words.at(fitted).expected_error < 0.03
    assert words.at(fitted).cross_entropy <= min(words.at(t).cross_entropy for t in (0.5, 1.0, 2.0)) + 1e-9


def test_words_that_are_all_right_have_no_temperature() -> None:
    words = GreedyWords()
    words.add(np.full((1, 3), 1 / 3), True)
    with pytest.raises(ValueError, match="Received: 1 words, 1 right"):
        words.fit()


def calibrate(*arguments: object) -> str:
    result = forked.run(["bin/calibrate.py", *arguments])
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.integration
def test_it_is_written_into_the_model(tmp_path: pathlib.Path) -> None:
    keras.utils.set_random_seed(0)
    model = SPINRecognizer(TINY)
    rng = np.random.default_rng(3)
    model.decoder.generator.assign(rng.normal(0, 1.5, model.decoder.generator.shape))
    images = [samples.picture(100, 32, seed=i) for i in range(20)]
    model.save(tmp_path / "model.keras")
    read = [word.text for word in Recognizer(tmp_path / "model.keras", turn_tall=False).read(images)]
    assert any(read[1::2])
    with ShardWriter(str(tmp_path / "words"), num_shards=2) as writer:
        for i, (image, text) in enumerate(zip(images, read, strict=True)):
            # Half of them right.
            writer.write(WordExample(image, text if i % 2 and text else f"{text}c", f"{i}.png", "png"))
    data = f"--data={tmp_path}/words-*.tfrecord"
    copy = tmp_path / "copy.keras"
    output = calibrate(f"--model={tmp_path}/model.keras", data, f"--check={tmp_path}/words-*", f"--output={copy}")
    temperature = load_model(copy).temperature
    assert temperature != 1.0 and load_model(tmp_path / "model.keras").temperature == 1.0
    assert f"temperature {temperature:.3f} written to {copy}" in output
    assert output.startswith("fitted on 20 words") and "checked on 20 words" in output
    # A second time: the fit starts from the model as it was trained.
    again = load_model(copy)
    again.temperature = 1.0
    assert read_words(again, [f"{tmp_path}/words-*"], "alphanumeric").fit() == pytest.approx(temperature)

    weights = tmp_path / "weights"
    weights.mkdir()
    config_module.save(config_module.from_dict(config_module.Config, {"model": TINY}), str(weights / "config.yaml"))
    save_weights(str(weights), model)
    calibrate(f"--model={weights}", data)
    stored = json.loads((weights / "calibration.json").read_text())
    assert stored["words"] == 20
    assert load_model(weights).temperature == stored["temperature"] == pytest.approx(temperature, rel=0.02)
