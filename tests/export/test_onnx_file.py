from __future__ import annotations

import pathlib
from typing import Any

import keras
import numpy as np
import pytest

from spin_tf import Recognizer
from spin_tf.decoding.stepping import SteppingModel, read_stepwise
from spin_tf.export import onnx_file
from spin_tf.export.parity import ParityError, compare_words
from spin_tf.models import SPINRecognizer
from spin_tf.reading.onnx_model import ONNXModel
from tests.backbones import SMALL_BACKBONES, sharpen, wake


@pytest.fixture(scope="module", params=SMALL_BACKBONES)
def model(request: pytest.FixtureRequest) -> SPINRecognizer:
    keras.utils.set_random_seed(4)
    config: dict[str, Any] = {
        "charset": "chars:abcdé",
        "max_length": 5,
        # 2 x 6 features become 32 x 100 offsets, the resize that ONNX has no scale for.
        "image_size": [32, 100],
        "transformation": {"name": "ga_spin", "localization_width": 2},
        "backbone": SMALL_BACKBONES[request.param],
        "encoder": {"units": 8, "features": [12]},
        "decoder": {"units": 16},
    }
    model = SPINRecognizer(config, temperature=1.3)
    sharpen(model)
    wake(model)
    return model


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    blocks = np.random.default_rng(2).uniform(-1, 1, (11, 4, 10, 1)).astype("float32")
    return blocks.repeat(8, axis=1).repeat(10, axis=2)


@pytest.fixture(scope="module")
def exported(model: SPINRecognizer, images: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    path = tmp_path_factory.mktemp("onnx") / "tiny.onnx"
    parity = onnx_file.export(model, path, images)
    assert parity.words == 11 and parity.agreement == 1 and parity.probability_difference < 1e-4
    assert [child.name for child in path.parent.iterdir()] == ["tiny.onnx"]
    return path


def test_file_reads_as_the_model_does(model: SPINRecognizer, images: np.ndarray, exported: pathlib.Path) -> None:
    reader = ONNXModel(exported)
    assert isinstance(reader, SteppingModel) and reader.can_step
    assert reader.metadata == {**model.metadata, "quantization": "none"}
    expected, positions = model.predict_words(images)
    for number in (1, 4, 11):
        for actual in (reader.predict_words(images[:number]), read_stepwise(reader, images[:number])):
            assert compare_words(expected[:number], actual[0]).probability_difference < 1e-4
            # The first step is there in every word.
            np.testing.assert_allclose(actual[1][:, 0], positions[:number, 0], atol=1e-4)
    assert len({tuple(row.argmax(-1)) for row in expected}) > 3


def test_recognizer_reads_tall_crops_and_lists(
    model: SPINRecognizer, exported: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    rng = np.random.default_rng(5)
    crops = [rng.integers(0, 255, (8 if i % 4 == 3 else 3, 5), np.uint8) for i in range(20)]
    crops = [crop.repeat(10, axis=0).repeat(9, axis=1) for crop in crops]
    path = tmp_path / "model.keras"
    model.save(path)
    expected, actual = Recognizer(path).read(crops), Recognizer(exported, num_threads=2).read(crops)
    assert [(word.text, word.turned) for word in actual] == [(word.text, word.turned) for word in expected]
    assert [word.confidence for word in actual] == pytest.approx([word.confidence for word in expected], abs=1e-4)
    assert len({word.text for word in actual}) > 3 and {word.turned for word in actual} > {0}


def test_a_file_that_reads_otherwise_is_not_written(
    model: SPINRecognizer, images: np.ndarray, exported: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: Any
) -> None:
    content = exported.read_bytes()
    monkeypatch.setattr(onnx_file, "convert", lambda _: content)
    other = SPINRecognizer.from_config(model.get_config())
    with pytest.raises(ParityError, match="the ONNX file is not written"):
        onnx_file.export(other, tmp_path / "wrong.onnx", images)
    assert not list(tmp_path.iterdir())


def test_files_that_cannot_be_used(exported: pathlib.Path, tmp_path: pathlib.Path) -> None:
    import onnx

    with pytest.raises(FileNotFoundError):
        Recognizer(tmp_path / "absent.onnx")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(exported.read_bytes()[:2000])
    with pytest.raises(ValueError, match=r"ONNX Runtime cannot load the model.*broken\.onnx"):
        Recognizer(broken)
    proto = onnx.load(exported)
    kept = {entry.key: entry.value for entry in proto.metadata_props}
    onnx.helper.set_model_props(proto, {"spin_tf.json": kept["spin_tf.json"]})
    onnx.save(proto, tmp_path / "greedy.onnx")
    greedy = ONNXModel(tmp_path / "greedy.onnx")
    assert not greedy.can_step
    with pytest.raises(ValueError, match=r"does not hold the step.*greedy\.onnx"):
        greedy.encode(np.zeros((1, 32, 100, 1), np.float32))
    onnx.helper.set_model_props(proto, {"spin_tf.json": kept["spin_tf.json"].replace("abcd", "abc")})
    onnx.save(proto, tmp_path / "other.onnx")
    with pytest.raises(ValueError, match="5 characters but its charset holds 4"):
        Recognizer(tmp_path / "other.onnx")
    onnx.helper.set_model_props(proto, {})
    onnx.save(proto, tmp_path / "bare.onnx")
    with pytest.raises(ValueError, match=r"carries no spin_tf\.json.*bare\.onnx"):
        Recognizer(tmp_path / "bare.onnx")
