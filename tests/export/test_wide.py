"""Models that read wide words at a second size, in every format."""

from __future__ import annotations

import io
import pathlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import keras
import numpy as np
import pytest
from PIL import Image

from spin_tf.contract.preprocessing import Preprocessing
from spin_tf.data.images import decode_image
from spin_tf.data.records.tfrecord import RecordIndex, ShardWriter, WordExample
from spin_tf.decoding.stepping import read_stepwise
from spin_tf.export import onnx_file, tflite
from spin_tf.export.check_inputs import wide_of, wide_words
from spin_tf.export.parity import Parity, ParityError, require_parity
from spin_tf.models import SPINRecognizer, load_model
from spin_tf.reading.keras_model import KerasModel
from spin_tf.reading.litert import SIGNATURE, WIDE, LiteRTModel
from spin_tf.reading.onnx_model import ONNXModel
from tests.backbones import SMALL_BACKBONES, sharpen
from tests.exports import tiny_file, tiny_model

NARROW, WIDTHS = (32, 32), (32, 64)
CONFIG: dict[str, Any] = {
    "charset": "chars:abcdé",
    "max_length": 5,
    "image_size": [32, 32],
    "wide_image_size": [32, 64],
    "transformation": {"localization_width": 2},
    "backbone": SMALL_BACKBONES["resnet32"],
    "encoder": {"units": 8, "features": [12]},
    "decoder": {"units": 16},
}


@pytest.fixture(scope="module")
def model() -> SPINRecognizer:
    keras.utils.set_random_seed(4)
    model = SPINRecognizer(CONFIG)
    sharpen(model)
    return model


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    blocks = np.random.default_rng(2).uniform(-1, 1, (9, 4, 4, 1)).astype("float32")
    return blocks.repeat(8, axis=1).repeat(8, axis=2)


@pytest.fixture(scope="module")
def litert(model: SPINRecognizer, images: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> LiteRTModel:
    path = tmp_path_factory.mktemp("wide") / "tiny.tflite"
    assert tflite.export(model, path, "none", images).agreement == 1
    return LiteRTModel(path, num_threads=1)


@pytest.fixture(scope="module", params=["keras", "tflite", "onnx"])
def exported(
    request: pytest.FixtureRequest, model: SPINRecognizer, images: np.ndarray, tmp_path_factory: pytest.TempPathFactory
) -> Any:
    path = tmp_path_factory.mktemp("wide") / f"tiny.{request.param}"
    if request.param == "keras":
        model.save(path)
        return KerasModel(load_model(path))
    if request.param == "tflite":
        return request.getfixturevalue("litert")
    assert onnx_file.export(model, path, images).agreement == 1
    return ONNXModel(path)


def test_either_width_is_read_and_stepped(exported: Any, model: SPINRecognizer, images: np.ndarray) -> None:
    assert exported.metadata["wide_image_size"] == [32, 64] and exported.metadata["image_size"] == [32, 32]
    wide = wide_of(images, model)
    assert wide is not None and wide.shape == (9, 32, 64, 1)
    np.testing.assert_array_equal(wide[0], np.concatenate([images[0], images[1]], axis=1))
    # In turn: what was made for one width must not read the other.
    for views in (images, wide, images[:3], wide[:2]):
        expected, positions = model.predict_words(views)
        for probabilities, found in (exported.predict_words(views), read_stepwise(exported, views)):
            for one, other, place, where in zip(expected, probabilities, positions, found, strict=True):
                ends = np.flatnonzero(one.argmax(-1) == 1)
                steps = int(ends[0]) + 1 if len(ends) else len(one)
                np.testing.assert_allclose(other[:steps], one[:steps], atol=1e-4)
                np.testing.assert_allclose(where[:steps], place[:steps], atol=1e-4)
    assert exported.encode(wide[:1])["states"].shape[1] > exported.encode(images[:1])["states"].shape[1]


def test_wide_check_words_are_those_that_a_reader_reads_wide(tmp_path: pathlib.Path) -> None:
    preprocessing = Preprocessing(NARROW, WIDTHS)
    rng = np.random.default_rng(5)
    sizes = [(20, 30), (20, 140)] * 30
    with ShardWriter(str(tmp_path / "words"), num_shards=1) as writer:
        for i, size in enumerate(sizes):
            stream = io.BytesIO()
            Image.fromarray(rng.integers(0, 256, size, np.uint8)).save(stream, "PNG")
            writer.write(WordExample(stream.getvalue(), "abc", str(i), "png"))
    patterns = [str(tmp_path / "words-*")]
    wide = wide_words(patterns, 200, preprocessing)
    assert wide is not None and wide.shape == (30, *WIDTHS, 1)
    index = RecordIndex(patterns)
    image = decode_image(index.read_example(1).encoded)
    np.testing.assert_array_equal(wide[0], preprocessing.view(image))
    assert len(wide_words(patterns, 25, preprocessing)) == 25  # type: ignore[arg-type]
    # Too few of them say nothing, and one width has none.
    assert wide_words(patterns, 19, preprocessing) is None
    drawn = wide_words([], 20, Preprocessing((32, 128), (32, 256)))
    assert drawn is not None and drawn.shape == (20, 32, 256, 1)
    assert wide_words(patterns, 25, Preprocessing(NARROW)) is None


def test_a_word_of_ten_may_be_another_in_wide_int8() -> None:
    parity = Parity.of([0.1] * 91 + [None] * 9, [""] * 100)
    require_parity(parity, "int8, wide", "file", "m.tflite")
    with pytest.raises(ParityError, match=r"required: 0\.95 of"):
        require_parity(parity, "int8", "file", "m.tflite")


def test_stages_of_wide_words_are_shown(model: SPINRecognizer, images: np.ndarray, litert: LiteRTModel) -> None:
    wide = wide_of(images, model)
    assert wide is not None
    stages = litert.rectify(wide[:2])
    assert stages["image"].shape == (2, *WIDTHS, 1) and stages["grid"].shape == (2, *WIDTHS, 2)


def test_a_file_of_one_width_says_so(images: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> None:
    model = tiny_model("none", "resnet32")
    assert wide_of(images, model) is None and "wide_image_size" not in model.metadata
    exported = LiteRTModel(tiny_file(tmp_path_factory, "none", "resnet32"), num_threads=1)
    with pytest.raises(ValueError, match=f"no signature {SIGNATURE}{WIDE}"):
        exported.predict_words(np.zeros((1, 32, 80, 1), "float32"))


@pytest.mark.parametrize(
    ("size", "said"),
    [([32, 32], "must be wider than model.image_size"), ([32, 66], "divisible by 4"), ([48, 64], "32")],
)
def test_a_second_size_makes_sense(size: list[int], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        SPINRecognizer({**CONFIG, "wide_image_size": size})


def test_threads_read_both_widths_of_one_model(model: SPINRecognizer) -> None:
    images = [np.zeros((number, 32, width, 1), "float32") for number in (1, 2) for width in WIDTHS] * 4
    expected = {image.shape: model.predict_words(image)[0] for image in images}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(model.predict_words, images))
    for image, (probabilities, _) in zip(images, answers, strict=True):
        np.testing.assert_allclose(probabilities, expected[image.shape], atol=1e-5)
