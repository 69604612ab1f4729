"""exported/weights: the float16 weights from which anybody can go on training."""

from __future__ import annotations

import pathlib

import numpy as np

from spin_tf import config
from spin_tf.models import SPINRecognizer, load_model
from spin_tf.recognizer import Recognizer
from spin_tf.synthesis import WordSynthesizer
from spin_tf.training.initialize import transfer_weights

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]
WEIGHTS = REPOSITORY / "exported" / "weights"


def test_every_folder_is_a_model_of_its_name() -> None:
    folders = sorted(WEIGHTS.iterdir())
    assert folders
    for folder in folders:
        model = load_model(folder)
        assert model.config["name"] == folder.name
        assert all(np.isfinite(np.asarray(variable)).all() for variable in model.variables)


def test_the_bundled_model_is_made_of_them() -> None:
    """It reads what they read, but for what eight bits a weight cost."""
    synthesizer = WordSynthesizer()
    images = [synthesizer.word(seed)[0] for seed in range(60)]
    bundled = Recognizer()
    weights = Recognizer(WEIGHTS / bundled.metadata["name"])
    same = sum(a.text == b.text for a, b in zip(bundled.read(images), weights.read(images), strict=True))
    # Drawn words of any kind are hard for some: what a model is unsure of may fall on either side.
    assert same >= 0.75 * len(images)


def test_fine_tuning_starts_from_them_whole() -> None:
    settings = config.load(str(REPOSITORY / "configs" / "finetune.yaml"))
    start = settings.training.init_from
    assert start is not None and (REPOSITORY / start).parent == WEIGHTS
    source, model = load_model(REPOSITORY / start), SPINRecognizer(settings.model)
    assert transfer_weights(source, model) == [] and source.image_size == model.image_size
