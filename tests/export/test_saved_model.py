from __future__ import annotations

import pathlib

import keras
import numpy as np
import pytest

from spin_tf import Recognizer
from spin_tf.export import saved_model
from spin_tf.export.parity import ParityError, compare_words
from spin_tf.models import SPINRecognizer


@pytest.fixture(scope="module")
def model() -> SPINRecognizer:
    keras.utils.set_random_seed(3)
    backbone = {"width": 16, "num_blocks": [1, 1, 1, 1]}
    return SPINRecognizer({"charset": "36", "max_length": 4, "transformation": {"name": "none"}, "backbone": backbone})


def test_versions_read_as_the_model_does(model: SPINRecognizer, tmp_path: pathlib.Path) -> None:
    images = np.random.default_rng(0).uniform(-1, 1, (5, 32, 100, 1)).astype("float32")
    for version in ("1", "2"):
        folder, parity = saved_model.export(model, tmp_path, images)
        assert folder == tmp_path / version and parity.agreement == 1
    assert sorted(child.name for child in tmp_path.iterdir()) == ["1", "2"]
    reader = saved_model.load(tmp_path)
    assert reader.metadata == model.metadata
    expected = model.predict_words(images)
    assert compare_words(expected[0], reader.predict_words(images)[0]).probability_difference < 1e-5
    grey = np.random.default_rng(1).integers(0, 255, (20, 60), dtype=np.uint8)
    from_keras, from_saved_model = tmp_path / "model.keras", Recognizer(tmp_path)
    model.save(from_keras)
    assert from_saved_model.read(grey).text == Recognizer(from_keras).read(grey).text


def test_a_wrong_graph_is_not_left_behind(
    model: SPINRecognizer, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = np.zeros((2, 32, 100, 1), "float32")
    wrong = model.predict_words(images)[0][..., ::-1]
    monkeypatch.setattr(model, "predict_words", lambda *_: (wrong, None))
    with pytest.raises(ParityError, match="is not written"):
        saved_model.export(model, tmp_path, images)
    assert not list(tmp_path.iterdir())


def test_loading_says_what_is_wrong(tmp_path: pathlib.Path) -> None:
    with pytest.raises(FileNotFoundError, match="no SavedModel here"):
        saved_model.load(tmp_path)
    (tmp_path / "saved_model.pb").write_bytes(b"")
    with pytest.raises(ValueError, match="not written by spin_tf"):
        saved_model.load(tmp_path)
