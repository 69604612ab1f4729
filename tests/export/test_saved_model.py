from __future__ import annotations

import itertools
import json
import pathlib
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf

from spin_tf import Recognizer
from spin_tf.contract.preprocessing import prepare
from spin_tf.data.images import decode_image
from spin_tf.export import saved_model_folder
from spin_tf.export.parity import ParityError, compare_words
from spin_tf.models import SPINRecognizer
from spin_tf.reading import saved_model
from spin_tf.recognizer import ReadError, Word
from tests.backbones import SMALL_BACKBONES, wake
from tests.export import image_files

NARROW = (32, 40)


@pytest.fixture(scope="module", params=SMALL_BACKBONES)
def model(request: pytest.FixtureRequest) -> SPINRecognizer:
    """It spells without having learnt it: what it reads depends on the image, and words end at various lengths."""
    keras.utils.set_random_seed(3)
    backbone = SMALL_BACKBONES[request.param]
    model = SPINRecognizer(
        {
            "charset": "chars:aé€字",
            "max_length": 4,
            # Narrow: the graph has the operations of every step.
            "image_size": list(NARROW),
            "wide_image_size": [32, 80],
            "transformation": {"name": "none"},
            "backbone": backbone,
        }
    )
    for weight in (model.decoder.generator, model.decoder.score, model.decoder.context_kernel):
        weight.assign(8 * weight)
    wake(model)
    return model


@pytest.fixture(scope="module")
def files() -> list[bytes]:
    return list(image_files.readable().values())


@pytest.fixture(scope="module")
def versions(model: SPINRecognizer, files: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Version 8, beside one that was there and one that was cut off."""
    path = tmp_path_factory.mktemp("models") / "spin"
    (path / "7").mkdir(parents=True)
    (path / ".partial-8" / "variables").mkdir(parents=True)
    folder, parity, read_parity = saved_model_folder.export(model, path, files)
    assert folder == path / "8" and parity.agreement == 1 == read_parity.agreement
    assert read_parity.words == len(files)
    assert sorted(child.name for child in path.iterdir()) == ["7", "8"]
    return path


@pytest.fixture(scope="module")
def reader(versions: pathlib.Path) -> saved_model.SavedModelReader:
    """Of the highest version."""
    return saved_model.load(versions)


@pytest.fixture(scope="module")
def recognizer(model: SPINRecognizer, tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    path = tmp_path_factory.mktemp("keras") / "model.keras"
    model.save(path)
    return Recognizer(path)


def answer_of(word: Word | ReadError, answer: dict[str, np.ndarray], i: int) -> None:
    """Checks that row `i` of a graph's answer is the word, or that both refuse."""
    assert answer["valid"][i] == isinstance(word, Word)
    if isinstance(word, ReadError):
        assert answer["words"][i] == b"" and answer["reason"][i] != b"" and answer["confidence"][i] == 0
        assert not answer["character_confidences"][i].any() and not answer["positions"][i].any()
        return
    count = len(word.characters)
    assert (answer["words"][i].decode(), answer["turned"][i], answer["reason"][i]) == (word.text, word.turned, b"")
    assert abs(answer["confidence"][i] - word.confidence) < 1e-4
    for name, expected in (
        ("character_confidences", [c.confidence for c in word.characters]),
        ("positions", [c.x for c in word.characters]),
    ):
        np.testing.assert_allclose(answer[name][i, :count], expected, atol=1e-4)
        assert not answer[name][i, count:].any()


def test_bytes_are_read_as_recognizer_reads_them(
    reader: saved_model.SavedModelReader, recognizer: Recognizer, files: list[bytes]
) -> None:
    broken = itertools.cycle(data for data, _ in image_files.broken().values())
    mixed = [data for pair in zip(files, broken, strict=False) for data in pair]
    words = list(recognizer.read_many(mixed))
    answer = reader.read_files(mixed)
    assert {name: (value.shape[1:], value.dtype) for name, value in answer.items()} == {
        "words": ((), object),
        "confidence": ((), np.float32),
        "valid": ((), bool),
        "reason": ((), object),
        "character_confidences": ((5,), np.float32),
        "positions": ((5,), np.float32),
        "turned": ((), np.int32),
    }
    for i, word in enumerate(words):
        answer_of(word, answer, i)
    read = [word for word in words if isinstance(word, Word)]
    # Not always the same: several words, some of several bytes a character, some empty, some turned.
    assert len({word.text for word in read}) >= 3
    assert {word.turned for word in read} >= {0, 90} or {word.turned for word in read} >= {0, -90}


def test_small_and_bad_batches(reader: saved_model.SavedModelReader, recognizer: Recognizer) -> None:
    one = image_files.save(image_files.picture(), "PNG")
    for batch in ([], [b""], [b"", b"text", b"\xff\xd8\xff"], [one], [one, b""]):
        answer = reader.read_files(batch)
        assert all(len(value) == len(batch) for value in answer.values())
        for i, word in enumerate(recognizer.read_many(batch)):
            answer_of(word, answer, i)


def test_images_are_read_as_before(
    reader: saved_model.SavedModelReader, versions: pathlib.Path, model: SPINRecognizer, recognizer: Recognizer
) -> None:
    assert reader.metadata == model.metadata
    images = np.random.default_rng(0).uniform(-1, 1, (5, *NARROW, 1)).astype("float32")
    expected = model.predict_words(images)
    assert compare_words(expected[0], reader.predict_words(images)[0]).probability_difference < 1e-5
    assert reader.predict_words(images[:0])[0].shape == (0, *expected[0].shape[1:])
    grey = np.random.default_rng(1).integers(0, 255, (20, 60), dtype=np.uint8)
    assert Recognizer(versions).read(grey).text == recognizer.read(grey).text


def test_models_of_the_image_signature_alone_stay_readable(model: SPINRecognizer, tmp_path: pathlib.Path) -> None:
    """Exports up to version 0.1.0 took images in the default signature."""

    class Images(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((None, *NARROW, 1), tf.float32, name="image")])
        def read(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
            brightness = tf.reduce_mean(image, axis=(1, 2))
            return {
                "probabilities": tf.tile(brightness[..., None], (1, 5, 6)),
                "positions": tf.tile(brightness, (1, 5)),
            }

    module = Images()
    tf.saved_model.save(module, str(tmp_path / "1"), signatures={"serving_default": module.read})
    (tmp_path / "1" / "assets.extra").mkdir()
    (tmp_path / "1" / "assets.extra" / "spin_tf.json").write_text(json.dumps(model.metadata))
    images = np.linspace(0, 1, 3, dtype=np.float32)[:, None, None, None] * np.ones((1, *NARROW, 1), np.float32)
    probabilities, positions = saved_model.load(tmp_path).predict_words(images)
    np.testing.assert_allclose(probabilities[:, 0, 0], [0, 0.5, 1], atol=1e-5)
    assert positions.shape == (3, 5)


def test_the_graph_runs_without_a_gpu_and_without_python(versions: pathlib.Path) -> None:
    graph = (versions / "8" / "saved_model.pb").read_bytes()
    assert b"Cudnn" not in graph and b"PyFunc" not in graph and b"image_bytes" in graph


def test_a_wrong_graph_is_not_left_behind(
    model: SPINRecognizer,
    files: list[bytes],
    versions: pathlib.Path,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The graph is the right one here, written once; what it is held against, or what is in it, is not."""

    def copy(_: SPINRecognizer, folder: pathlib.Path) -> None:
        shutil.copytree(versions / "8", folder, ignore=shutil.ignore_patterns("assets.extra"))

    def copy_with_cudnn(_: SPINRecognizer, folder: pathlib.Path) -> None:
        copy(_, folder)
        with open(folder / "saved_model.pb", "ab") as graph:
            graph.write(b"CudnnRNNV3")

    monkeypatch.setattr(saved_model_folder, "_write", copy)
    with monkeypatch.context() as context:
        wrong = model.predict_words(np.zeros((2, *NARROW, 1), "float32"))[0][..., ::-1]
        context.setattr(model, "predict_words", lambda *_: (wrong, None))
        with pytest.raises(ParityError, match="SavedModel is not written"):
            saved_model_folder.export(model, tmp_path, files[:2])
    with monkeypatch.context() as context:
        # As if Recognizer saw each image a quarter of a grey value darker.
        darker = {0: [prepare(decode_image(files[0]), model.preprocessing) - 0.002]}
        context.setattr("spin_tf.export.parity.turned_views", lambda *_, **__: darker)
        with pytest.raises(ParityError, match="is not written: from bytes"):
            saved_model_folder.export(model, tmp_path, files[:1])
    monkeypatch.setattr(saved_model_folder, "_write", copy_with_cudnn)
    with pytest.raises(ValueError, match="Cudnn"):
        saved_model_folder.export(model, tmp_path, files[:1])
    assert not list(tmp_path.iterdir())


def test_loading_says_what_is_wrong(tmp_path: pathlib.Path) -> None:
    with pytest.raises(FileNotFoundError, match="no SavedModel here"):
        saved_model.load(tmp_path)
    (tmp_path / "saved_model.pb").write_bytes(b"")
    with pytest.raises(ValueError, match="not written by spin_tf"):
        saved_model.load(tmp_path)
