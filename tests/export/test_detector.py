"""Converted detectors: the maps of ONNX Runtime, or no file."""

from __future__ import annotations

import pathlib
import subprocess
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from onnx import helper
from PIL import Image

from spin_tf.data.images import decode_image
from spin_tf.export import detector_file
from spin_tf.export.check_inputs import check_pictures
from spin_tf.export.parity import ParityError
from spin_tf.photo.litert_detector import LiteRTDetector
from tests import forked
from tests.photo import dark_detector
from tests.photo.dark_detector import SIZES

ONNX = "Multilingual_PP-OCRv3_det.onnx"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    path = tmp_path_factory.mktemp("onnx") / "dark.onnx"
    dark_detector.write_onnx(path)
    return path


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    result = []
    for number, shape in enumerate([(192, 320), (320, 192), (90, 200)]):
        picture = np.full((*shape, 3), 220, np.uint8)
        picture[20:40, 30 + number : 110] = picture[60:72, 60:150] = 10
        result.append(picture)
    return result


@pytest.mark.parametrize("quantization", ["none", "float16"])
def test_file_is_written_once_it_finds_the_same(
    source: pathlib.Path, pictures: list[np.ndarray], tmp_path: pathlib.Path, quantization: str
) -> None:
    path = tmp_path / "detector.tflite"
    parity = detector_file.export(source, path, pictures, SIZES, quantization)
    assert (parity.pictures, parity.rectangles) == (3, 6)
    assert parity.same_rectangles == 1 and parity.same_pixels > 0.98
    assert parity.difference < (1e-5 if quantization == "none" else 0.2)
    assert [child.name for child in tmp_path.iterdir()] == ["detector.tflite"]
    metadata = LiteRTDetector(path).metadata
    assert metadata["kind"] == "detector" and metadata["name"] == "dark" and metadata["quantization"] == quantization
    assert metadata["sizes"] == {key: list(size) for key, size in SIZES.items()}
    assert metadata["normalisation"] == {"channels": "BGR", "mean": [0.5] * 3, "std": [0.5] * 3}
    assert len(metadata["source_sha256"]) == 64


def test_sizes_of_one_file_share_its_weights(tmp_path: pathlib.Path) -> None:
    """Noise does not compress: a second size costs little beside 200 kB of weights."""
    rng = np.random.default_rng(0)
    values = {
        "first": rng.normal(0, 0.1, (128, 3, 3, 3)).astype(np.float32),
        "second": rng.normal(0, 0.1, (1, 128, 19, 19)).astype(np.float32),
    }
    nodes = [
        helper.make_node("Conv", ["x", "first"], ["z"], pads=[1] * 4),
        helper.make_node("Conv", ["z", "second"], ["s"], pads=[9] * 4),
        helper.make_node("Sigmoid", ["s"], ["y"]),
    ]
    path = tmp_path / "large.onnx"
    dark_detector.save(path, nodes, values)
    one = detector_file.convert(path, {"landscape": (32, 64)})
    three = detector_file.convert(path, {"landscape": (32, 64), "portrait": (64, 32), "square": (64, 64)})
    assert len(one) > 190_000 and len(three) < len(one) + 10_000
    interpreter = Interpreter(model_content=three)
    assert set(interpreter.get_signature_list()) == {"landscape", "portrait", "square"}


def test_another_detector_is_not_written(
    source: pathlib.Path,
    pictures: list[np.ndarray],
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One that takes red for blue, as happens easily, finds other words in colours."""
    monkeypatch.setattr(detector_file, "MEAN", (0.4, 0.4, 0.4))
    real = detector_file.convert

    def convert(*arguments: Any) -> bytes:
        content = real(*arguments)
        monkeypatch.setattr(detector_file, "MEAN", (0.5, 0.5, 0.5))
        return content

    monkeypatch.setattr(detector_file, "convert", convert)
    with pytest.raises(ParityError, match=r"the none file is not written: .*; required: 99%, 99.9%, within 0.001"):
        detector_file.export(source, tmp_path / "detector.tflite", pictures, SIZES)
    assert list(tmp_path.iterdir()) == []


def test_pictures_without_words_prove_nothing(source: pathlib.Path, tmp_path: pathlib.Path) -> None:
    blank = np.full((100, 100, 3), 255, np.uint8)
    with pytest.raises(ValueError, match="nothing to compare on: no words are found on 1 pictures"):
        detector_file.export(source, tmp_path / "detector.tflite", [blank], SIZES)
    assert list(tmp_path.iterdir()) == []


def test_other_sizes_and_files_are_refused(source: pathlib.Path, tmp_path: pathlib.Path) -> None:
    for sizes in ({}, {"a": (100, 320)}, {"a": (0, 320)}):
        with pytest.raises(ValueError, match="multiples of 32"):
            detector_file.convert(source, sizes)
    with pytest.raises(ValueError, match="quantization is one of none, float16"):
        detector_file.convert(source, SIZES, "int8")
    (tmp_path / "empty.onnx").write_bytes(b"")
    (tmp_path / "text.onnx").write_text("no graph")
    for name in ("empty.onnx", "text.onnx"):
        with pytest.raises(ValueError, match="Not an ONNX file"):
            detector_file.convert(tmp_path / name, SIZES)
    half = [helper.make_node("Conv", ["x", "kernel"], ["y"], strides=[2, 2])]
    dark_detector.save(tmp_path / "half.onnx", half, {"kernel": np.ones((1, 3, 2, 2), np.float32)})
    with pytest.raises(ValueError, match="a map of its picture's size"):
        detector_file.convert(tmp_path / "half.onnx", SIZES)


def test_drawn_pictures_have_every_shape_and_words() -> None:
    drawn = list(check_pictures([], 4))
    assert len({picture.shape for picture in drawn}) == 4
    assert all(picture.dtype == np.uint8 and picture.std() > 10 for picture in drawn)


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return forked.run(["bin/convert_detector.py", *arguments])


def test_command_writes_a_file_or_one_line(
    source: pathlib.Path, pictures: list[np.ndarray], tmp_path: pathlib.Path
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number, picture in enumerate(pictures):
        Image.fromarray(picture).save(folder / f"{number}.png")
    Image.fromarray(pictures[0]).convert("L").save(folder / "grey.png")
    output = tmp_path / "detector.tflite"
    done = run(f"--detector={source}", f"--output={output}", "--sizes=96x160,160x96", "--quantization=float16", folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{output}: 0.0")
    assert "float16; 100.00% of 8 words found in the same place on 4 pictures" in done.stdout
    assert list(LiteRTDetector(output).metadata["sizes"].values()) == [[160, 96], [96, 160]]
    for arguments, message in (
        ([f"--detector={tmp_path / 'absent.onnx'}", f"--output={output}"], "absent.onnx"),
        ([f"--detector={source}", f"--output={output}", "--sizes=big"], "Received: --sizes=big"),
        ([f"--detector={source}", f"--output={output}", tmp_path], "the folder holds no image files"),
        ([f"--detector={source}", f"--output={tmp_path}"], "there is a folder of that name"),
    ):
        failed = run(*arguments)
        assert failed.returncode == 2 and message in failed.stderr, failed.stderr
        assert failed.stderr.startswith("error: ") and failed.stderr.count("\n") == 1


@pytest.mark.slow
def test_detector_of_paddle(shared: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """The real one, where it is; elsewhere one without weights goes the same way."""
    path, photos = shared / "detectors" / ONNX, shared / "photos" / "images"
    named = sorted(photos.glob("*.jpg"))[::6]
    found = []
    for photo in named:
        try:
            found.append(decode_image(photo.read_bytes()))
        except ValueError:
            continue
    if not path.exists():
        path = tmp_path / "dark.onnx"
        dark_detector.write_onnx(path)
    (tmp_path / "out").mkdir()
    for quantization in detector_file.QUANTIZATIONS:
        output = tmp_path / "out" / f"{quantization}.tflite"
        parity = detector_file.export(path, output, found or check_pictures([]), None, quantization)
        assert parity.rectangles > 20
