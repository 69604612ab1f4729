from __future__ import annotations

import json
import pathlib
import zipfile
from typing import Any

import keras
import numpy as np
import pytest

from spin_tf import Recognizer
from spin_tf.export import tflite
from spin_tf.export.parity import ParityError
from spin_tf.models import SPINRecognizer
from spin_tf.reading.litert import LiteRTInterpreter, LiteRTModel, read_metadata
from tests.backbones import wake
from tests.exports import VARIANTS, tiny_file, tiny_images, tiny_model


@pytest.fixture(scope="module", params=[each for each in VARIANTS if each[0] == "ga_spin"], ids="-".join)
def variant(request: pytest.FixtureRequest) -> tuple[str, str]:
    return request.param


@pytest.fixture(scope="module")
def model(variant: tuple[str, str]) -> SPINRecognizer:
    return tiny_model(*variant)


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return tiny_images()


@pytest.fixture(scope="module")
def exported(variant: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return tiny_file(tmp_path_factory, *variant)


def test_file_reads_as_the_model_does(model: SPINRecognizer, images: np.ndarray, exported: pathlib.Path) -> None:
    expected, positions = model.predict_words(images)
    actual, actual_positions = LiteRTInterpreter(str(exported)).predict_words(images, batch=False)
    words = set()
    for i, (a, b) in enumerate(zip(expected, actual, strict=True)):
        ends = np.flatnonzero(a.argmax(-1) == 1)
        steps = ends[0] + 1 if len(ends) else len(a)
        np.testing.assert_allclose(b[:steps], a[:steps], atol=2e-4)
        np.testing.assert_allclose(actual_positions[i, :steps], positions[i, :steps], atol=2e-4)
        words.add(tuple(a.argmax(-1)[:steps]))
    assert len(words) > 1


def test_builtin_operators_only(exported: pathlib.Path) -> None:
    from ai_edge_litert.interpreter import Interpreter

    # An interpreter without Flex or custom operators allocates tensors only where all are builtins.
    interpreter = Interpreter(model_path=str(exported))
    interpreter.allocate_tensors()
    names = {operator["op_name"] for operator in interpreter._get_ops_details()}
    assert "CONV_2D" in names and not [name for name in names if "Flex" in name or "CUSTOM" in name]


def test_signatures_and_metadata(model: SPINRecognizer, exported: pathlib.Path) -> None:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(exported))
    time = len(model.backbone.step_centres(40))
    image, states, projected = (32, 40, 1), (time, 12), (time, 16)
    words = {"probabilities": (6, 7), "positions": (6,)}
    rows = {"states": states, "projected": projected, "previous": (), "output": (16,), "cell": (16,)}
    stepped = {"probabilities": (7,), "attention": (time,), "output": (16,), "cell": (16,)}
    rectified: dict[str, tuple[int, ...]] = dict.fromkeys(("image", "offset", "chromatic"), image)
    rectified |= {"weights": (13,), "gate": (1,), "control_points": (20, 2), "grid": (32, 40, 2)}
    expected: dict[str, tuple[int, dict[str, Any], dict[str, Any]]] = {
        "serving_default": (1, {"image": image}, words),
        "batch": (8, {"image": image}, words),
        "rectify": (1, {"image": image}, rectified),
        "encode": (1, {"image": image}, {"states": states, "projected": projected, "centres": (time,)}),
        "step": (8, rows, stepped),
    }
    assert set(interpreter.get_signature_list()) == set(expected)
    for name, (batch, inputs, outputs) in expected.items():
        runner = interpreter.get_signature_runner(name)
        for details, shapes in ((runner.get_input_details(), inputs), (runner.get_output_details(), outputs)):
            assert {k: tuple(v["shape"]) for k, v in details.items()} == {k: (batch, *v) for k, v in shapes.items()}
    # Whoever names no signature gets the first: it reads one image.
    assert [tuple(details["shape"]) for details in interpreter.get_input_details()] == [(1, 32, 40, 1)]
    metadata = read_metadata(exported)
    assert metadata == json.loads(json.dumps({**model.metadata, "quantization": "none"}))
    assert Recognizer(exported).charset.characters == "abcDé"
    with zipfile.ZipFile(exported) as archive:
        assert archive.namelist() == ["spin_tf.json"]


def test_file_shows_the_stages_of_the_model(
    model: SPINRecognizer, images: np.ndarray, exported: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    reader = LiteRTModel(exported, 1)
    assert reader.can_rectify
    shown = reader.rectify(images[:3])
    expected = model.rectify(images[:3])
    assert set(shown) == set(expected)
    for key, value in expected.items():
        np.testing.assert_allclose(shown[key], np.asarray(value), atol=2e-3, err_msg=key)
    ours, theirs = (Recognizer(path) for path in (exported, _saved(model, tmp_path)))
    crop = ((images[0] + 1) * 127.5).astype("uint8")
    assert ours.can_rectify and theirs.can_rectify
    assert np.abs(ours.rectify(crop).astype(int) - theirs.rectify(crop)).max() <= 1


def _saved(model: SPINRecognizer, folder: pathlib.Path) -> pathlib.Path:
    path = folder / "saved" / "model.keras"
    path.parent.mkdir()
    model.save(path)
    return path


def test_a_file_without_transformation_has_no_stages(tmp_path_factory: pytest.TempPathFactory) -> None:
    recognizer = Recognizer(tiny_file(tmp_path_factory, "none", "resnet32"))
    assert not recognizer.can_rectify
    with pytest.raises(ValueError, match="signature rectify"):
        recognizer.rectify(np.zeros((32, 40), "uint8"))


def test_a_file_that_reads_otherwise_is_not_written(
    model: SPINRecognizer,
    images: np.ndarray,
    exported: pathlib.Path,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content = exported.read_bytes()
    monkeypatch.setattr(tflite, "convert", lambda *_: content)
    other = SPINRecognizer.from_config(model.get_config())
    with pytest.raises(ParityError, match="is not written"):
        tflite.export(other, tmp_path / "wrong.tflite", "none", images)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("wrong", ["batch", "step"])
def test_every_signature_is_checked(
    model: SPINRecognizer,
    images: np.ndarray,
    exported: pathlib.Path,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    wrong: str,
) -> None:
    """A file of which one signature answers with the classes in another order."""

    class OneWrong(LiteRTInterpreter):
        def __init__(self, **arguments: Any) -> None:
            super().__init__(**arguments)
            right = self._runner(wrong)

            def reversed_classes(**inputs: Any) -> dict[str, Any]:
                outputs = right(**inputs)
                return {**outputs, "probabilities": outputs["probabilities"][..., ::-1]}

            self._runners[wrong] = reversed_classes

    content = exported.read_bytes()
    monkeypatch.setattr(tflite, "convert", lambda *_: content)
    monkeypatch.setattr(tflite, "LiteRTInterpreter", OneWrong)
    with pytest.raises(ParityError, match=rf"signature .*{wrong}\) file is not written"):
        tflite.export(model, tmp_path / "wrong.tflite", "none", images)
    assert not list(tmp_path.iterdir())


def test_weights_are_stored_once(model: SPINRecognizer, exported: pathlib.Path) -> None:
    from ai_edge_litert import schema_py_generated as schema

    contents = []
    for buffer in schema.ModelT.InitFromPackedBuf(exported.read_bytes(), 0).buffers:
        if buffer.data is not None:
            contents.append(bytes(buffer.data))
    assert len(contents) == len(set(contents))
    # The largest constant of the graph is the matrix of the thin-plate spline: 20 points and 3 more for every pixel.
    assert sum(map(len, contents)) < 1.1 * 4 * (model.count_params() + 23 * 32 * 40)


def test_data_of_weights_is_aligned(exported: pathlib.Path) -> None:
    from ai_edge_litert import schema_py_generated as schema

    content = exported.read_bytes()
    flatbuffer = schema.Model.GetRootAs(content, 0)
    start = np.frombuffer(content, np.uint8).ctypes.data
    offsets = []
    for i in range(flatbuffer.BuffersLength()):
        data = flatbuffer.Buffers(i).DataAsNumpy()
        if isinstance(data, np.ndarray) and len(data):
            offsets.append((data.ctypes.data - start) % 16)
    assert len(offsets) > 50 and set(offsets) == {0}


def test_quantization_must_be_known(model: SPINRecognizer) -> None:
    with pytest.raises(ValueError, match="Received: quantization='int4'"):
        tflite.convert(model, "int4")


@pytest.fixture(scope="module")
def gentle(variant: tuple[str, str]) -> SPINRecognizer:
    """As large as the tiny model, and less sharp: half the digits of a weight make that one read otherwise."""
    keras.utils.set_random_seed(1)
    model = SPINRecognizer(tiny_model(*variant).config)
    wake(model)
    rng = np.random.default_rng(5)
    for variable in model.variables:
        if variable.path.endswith(("decoder/generator", "decoder/token_kernel", "context_kernel")):
            variable.assign(rng.normal(0, 1.5, variable.shape))
    return model


def test_smaller_files(
    gentle: SPINRecognizer, exported: pathlib.Path, variant: tuple[str, str], tmp_path: pathlib.Path
) -> None:
    """Each way with one of the backbones."""
    quantization = {"resnet32": "float16", "lcnet": "int8"}[variant[1]]
    images = np.random.default_rng(2).uniform(-1, 1, (12, 32, 40, 1)).astype("float32")
    content = tflite.convert(gentle, quantization)
    assert len(content) < exported.stat().st_size
    parities = tflite.compare(gentle, content, images)
    assert list(parities) == ["serving_default", "batch", "encode and step"]
    for parity in parities.values():
        assert parity.agreement >= (0.9 if quantization == "float16" else 0.5)
    path = tmp_path / "small.tflite"
    path.write_bytes(content)
    assert read_metadata(path)["quantization"] == quantization
