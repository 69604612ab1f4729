"""Files with the signatures `batch`, `encode` and `step`, and the same of `.keras` models."""

from __future__ import annotations

import pathlib
from typing import Any, cast

import numpy as np
import pytest

from spin_tf import Recognizer
from spin_tf.decoding.stepping import SteppingModel, read_stepwise, require_stepping
from spin_tf.models import SPINRecognizer
from spin_tf.reading.keras_model import KerasModel
from spin_tf.reading.litert import LiteRTInterpreter, LiteRTModel
from spin_tf.reading.word_model import RectifyingModel, load_word_model
from tests import strip_model as strips
from tests.exports import VARIANTS, tiny_file, tiny_images, tiny_model


@pytest.fixture(scope="module", params=VARIANTS, ids="-".join)
def variant(request: pytest.FixtureRequest) -> tuple[str, str]:
    return request.param


@pytest.fixture(scope="module")
def recognizer(variant: tuple[str, str]) -> SPINRecognizer:
    return tiny_model(*variant)


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return tiny_images()


@pytest.fixture(scope="module")
def exported(variant: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return tiny_file(tmp_path_factory, *variant)


def ends(probabilities: np.ndarray) -> list[int]:
    """How many steps each word has, its end included."""
    ended = probabilities.argmax(-1) == 1
    return [int(row.argmax()) + 1 if row.any() else len(row) for row in ended]


def assert_same_words(expected: Any, actual: Any, tolerance: float) -> None:
    for kind in (0, 1):
        for a, b, steps in zip(expected[kind], actual[kind], ends(expected[0]), strict=True):
            np.testing.assert_allclose(b[:steps], a[:steps], atol=tolerance)


def test_steps_read_what_the_model_reads(
    recognizer: SPINRecognizer, images: np.ndarray, exported: pathlib.Path
) -> None:
    expected = recognizer.predict_words(images)
    steps = ends(expected[0])
    assert len({tuple(row[:n].argmax(-1)) for row, n in zip(expected[0], steps, strict=True)}) > 3
    for model in (KerasModel(recognizer), LiteRTModel(exported, num_threads=2)):
        assert isinstance(model, SteppingModel) and model.can_step
        assert require_stepping(model, "name") is model
        encoded = cast(dict[str, np.ndarray], model.encode(images))
        time = len(recognizer.backbone.step_centres(40))
        assert {key: value.shape for key, value in encoded.items()} == {
            "states": (21, time, 12),
            "projected": (21, time, 16),
            "centres": (21, time),
        }
        assert {value.dtype for value in encoded.values()} == {np.dtype(np.float32)}
        assert_same_words(expected, read_stepwise(model, images), 2e-4)
        assert_same_words(expected, model.predict_words(images), 2e-4)


def test_any_number_of_rows(exported: pathlib.Path, recognizer: SPINRecognizer, images: np.ndarray) -> None:
    rng = np.random.default_rng(3)
    for model in (KerasModel(recognizer), LiteRTModel(exported, num_threads=1)):
        encoded = model.encode(images[:17])
        rows: dict[str, np.ndarray] = {"states": encoded["states"], "projected": encoded["projected"]}
        rows["previous"] = rng.integers(0, 7, 17).astype(np.int32)
        rows["output"], rows["cell"] = rng.normal(size=(2, 17, 16)).astype(np.float32)
        together = cast(dict[str, np.ndarray], model.step(**rows))
        assert together["attention"].shape == rows["states"].shape[:2] and together["probabilities"].shape == (17, 7)
        for size in (1, 3, 8):
            some = model.step(**{key: value[2 : 2 + size] for key, value in rows.items()})
            for key, value in cast(dict[str, np.ndarray], some).items():
                np.testing.assert_allclose(value, together[key][2 : 2 + size], atol=1e-5)


def test_batches_read_what_single_images_do(images: np.ndarray, exported: pathlib.Path) -> None:
    interpreter = LiteRTInterpreter(str(exported))
    assert interpreter.batch_size == 8
    expected = interpreter.predict_words(images, batch=False)
    for number in (1, 5, 6, 8, 13, 14, 21):
        for batch in (None, True):
            actual = interpreter.predict_words(images[:number], batch)
            assert actual[0].shape == (number, 6, 7) and actual[1].shape == (number, 6)
            assert_same_words([part[:number] for part in expected], actual, 1e-6)


def test_enough_images_go_together(images: np.ndarray, exported: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interpreter = LiteRTInterpreter(str(exported))
    calls: list[int] = []

    def counted(runner: Any) -> Any:
        def run(image: np.ndarray) -> Any:
            calls.append(len(image))
            return runner(image=image)

        return run

    for name in ("serving_default", "batch"):
        monkeypatch.setitem(interpreter._runners, name, counted(interpreter._runner(name)))
    for number, expected in ((1, [1]), (5, [1] * 5), (6, [8]), (16, [8, 8]), (19, [8, 8, 1, 1, 1]), (22, [8] * 3)):
        calls.clear()
        interpreter.predict_words(np.resize(images, (number, 32, 40, 1)))
        assert calls == expected


def test_folders_read_as_single_images_do(exported: pathlib.Path) -> None:
    """With tall crops, which are three images to the model, and files that cannot be read in between."""
    rng = np.random.default_rng(5)
    crops: list[Any] = []
    for i in range(45):
        blocks = rng.integers(0, 255, (8 if i % 4 == 3 else 3, 5), np.uint8)
        crops.append(blocks.repeat(10, axis=0).repeat(9, axis=1))
    crops[10] = b"broken"
    recognizer = Recognizer(exported, num_threads=3)
    results = list(recognizer.read_many(crops))
    for i, (crop, result) in enumerate(zip(crops, results, strict=True)):
        if i == 10:
            assert "Not an image" in getattr(result, "reason", "")
        else:
            word = recognizer.read(crop)
            assert getattr(result, "text", None) == word.text
            assert getattr(result, "confidence", 0) == pytest.approx(word.confidence, abs=1e-6)
    assert len({getattr(result, "text", "") for result in results}) > 3
    assert {getattr(result, "turned", 0) for result in results} > {0}


def test_keras_files_are_loaded_as_such(recognizer: SPINRecognizer, images: np.ndarray, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "model.keras"
    recognizer.save(path)
    model = load_word_model(path, num_threads=1)
    assert isinstance(model, KerasModel) and isinstance(model, RectifyingModel)
    assert model.metadata == recognizer.metadata
    assert_same_words(recognizer.predict_words(images), model.predict_words(images), 1e-6)
    assert np.asarray(model.rectify(images[:2])["image"]).shape == (2, 32, 40, 1)


def test_files_of_before(strip_model: pathlib.Path) -> None:
    """Files with one signature read as they did, and say that they cannot do more."""
    model = LiteRTModel(strip_model, num_threads=1)
    images = np.stack([strips.draw(word) for word in ("ab", "c", "", "d9") * 5])[..., None] / 127.5 - 1
    probabilities, _ = model.predict_words(images.astype(np.float32))
    np.testing.assert_allclose(probabilities, strips.read(images)[0], atol=1e-4)
    assert isinstance(model, SteppingModel) and not model.can_step
    with pytest.raises(ValueError, match=r"no signatures encode and step; export it anew.*strip\.tflite.*serving_def"):
        model.encode(images.astype(np.float32))
    with pytest.raises(ValueError, match="no signatures encode and step"):
        zeros = np.zeros((1, 4), np.float32)
        model.step(zeros, zeros, np.zeros(1, np.int32), zeros, zeros)
    with pytest.raises(ValueError, match=r"exported anew by bin/export_tflite.*Received: model='strip\.tflite'"):
        require_stepping(model, "strip.tflite")
    with pytest.raises(ValueError, match="Received: model='other'"):
        require_stepping(object(), "other")
