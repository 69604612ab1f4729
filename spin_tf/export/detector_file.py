"""Text detectors: from the ONNX files of PP-OCR to LiteRT files that the core install, the page and C++ run."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import os
import pathlib
import tempfile
from collections.abc import Iterable
from typing import Any

import numpy as np

from spin_tf._extras import require
from spin_tf._files import write_atomically
from spin_tf._types import Tensor
from spin_tf._version import __version__
from spin_tf.contract.constants import DETECTOR_KIND, METADATA_FORMAT
from spin_tf.export.flatbuffer import tidy
from spin_tf.export.onnx_layers import ONNXLayers
from spin_tf.export.parity import ParityError
from spin_tf.export.tflite import append_metadata
from spin_tf.photo.litert_detector import LiteRTDetector, letterbox, place
from spin_tf.photo.text_map import THRESHOLD, find_quadrilaterals

QUANTIZATIONS = ("none", "float16")
# Height and width: what a photograph of 16 : 9 and one of 4 : 3 become whose short side is 736 as with RapidOCR.
SIZES = {
    "landscape": (736, 1312),
    "landscape_4_3": (736, 992),
    "portrait": (1312, 736),
    "portrait_4_3": (992, 736),
}
# PP-OCR's sides halve five times; Paddle's files are trained on pictures of OpenCV, which has blue first.
MULTIPLE, CHANNELS = 32, "BGR"
# What RapidOCR takes for all of its detectors.
MEAN = STD = (0.5, 0.5, 0.5)

# What a file must reach on the pictures: the share of the rectangles that are the same, of the pixels of words that
# are, and how far a probability may be off.
_REQUIRED = {"none": (0.99, 0.999, 1e-3), "float16": (0.95, 0.98, 0.4)}
# Corners of the same rectangle, in pixels of the map.
_NEAR = 1.5


@dataclasses.dataclass(frozen=True)
class MapParity:
    """How a detector's file compares with ONNX Runtime.

    Args:
        pictures: compared.
        rectangles: that ONNX Runtime's maps hold.
        same_rectangles: share of them that the file's maps hold too, each corner within 1.5 pixels, or the other way
            round, whichever is less.
        same_pixels: of the pixels that either takes for words, the share on which both agree.
        difference: the largest between two probabilities.
    """

    pictures: int
    rectangles: int
    same_rectangles: float
    same_pixels: float
    difference: float

    def __str__(self) -> str:
        return (
            f"{self.same_rectangles:.2%} of {self.rectangles} words found in the same place on {self.pictures} "
            f"pictures, {self.same_pixels:.3%} of their pixels the same, probabilities within {self.difference:.1e}"
        )


def convert(
    onnx_path: str | os.PathLike[str], sizes: dict[str, tuple[int, int]] | None = None, quantization: str = "none"
) -> bytes:
    """Converts a detector to a LiteRT flatbuffer with metadata appended as a zip archive.

    One signature a size, `image` float32 (1, height, width, 3), red, green, blue, 0..255 -> `probabilities` float32
    (1, height, width); all of them use the same weights, which are stored once. The normalisation is inside the graph:
    what runs it cannot get it wrong. Sizes are fixed because LiteRT's XNNPACK does not run what has been resized.

    Args:
        onnx_path: the ONNX file of the detector, whatever size it names for its input.
        sizes: height and width by signature, multiples of 32; None is `SIZES`.
        quantization: "none" (float32) or "float16" (weights).

    Returns:
        the file's bytes.

    Raises:
        ValueError: another quantization or size, or a file that is no detector that is known; see `ONNXLayers`.
        MissingExtraError: TensorFlow or onnx are not installed.
    """
    sizes = SIZES if sizes is None else sizes
    if quantization not in QUANTIZATIONS:
        raise ValueError(f"quantization is one of {', '.join(QUANTIZATIONS)}. Received: quantization={quantization!r}")
    if not sizes or any(side < MULTIPLE or side % MULTIPLE for size in sizes.values() for side in size):
        raise ValueError(f"Sizes are multiples of {MULTIPLE}. Received: sizes={sizes}")
    tf = require("tensorflow", "Converting a detector", "train")
    layers = ONNXLayers(_load(onnx_path))

    def detect(image: Tensor) -> dict[str, Tensor]:
        mean, std = (np.array(values, np.float32) * 255 for values in (MEAN, STD))
        values = (tf.reverse(image, [-1]) - mean) * (1 / std)
        probabilities = layers(values)
        if probabilities.shape != (*image.shape[:3], 1):
            raise ValueError(
                f"A detector answers a map of its picture's size. Received: {tuple(probabilities.shape)} for a "
                f"picture {tuple(image.shape)}"
            )
        return {"probabilities": probabilities[..., 0]}

    module = tf.Module()
    signatures = {}
    for key, size in sizes.items():
        given = tf.TensorSpec((1, *size, 3), tf.float32, name="image")
        # One object a signature, or TensorFlow would take the second for a retracing of the first.
        function = functools.partial(detect)
        signatures[key] = tf.function(function, input_signature=[given], autograph=False)
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, signatures=signatures)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=list(signatures))
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        if quantization == "float16":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.target_spec.supported_types = [tf.float16]
        flatbuffer = tidy(converter.convert(), list(signatures))
    metadata = {
        "format": METADATA_FORMAT,
        "kind": DETECTOR_KIND,
        "spin_tf_version": __version__,
        "name": pathlib.Path(onnx_path).stem,
        "source_sha256": hashlib.sha256(pathlib.Path(onnx_path).read_bytes()).hexdigest(),
        "sizes": {key: list(size) for key, size in sizes.items()},
        # For those who look: what the graph itself does to red, green and blue from 0 to 255.
        "normalisation": {"channels": CHANNELS, "mean": list(MEAN), "std": list(STD)},
        "quantization": quantization,
    }
    return append_metadata(flatbuffer, metadata)


def _load(path: str | os.PathLike[str]) -> Any:
    onnx = require("onnx", "Converting a detector", "onnx")
    content = pathlib.Path(path).read_bytes()
    try:
        proto = onnx.load_from_string(content)
        if not proto.graph.node:
            raise ValueError("no nodes")
    # protobuf's errors have no class in common but Exception.
    except Exception as error:
        raise ValueError(f"Not an ONNX file: {error}. Received: detector={os.fspath(path)!r}") from error
    return proto


def compare(onnx_path: str | os.PathLike[str], detector: LiteRTDetector, pictures: Iterable[np.ndarray]) -> MapParity:
    """Runs a converted detector and the ONNX file beside each other; every size that a picture goes to.

    Args:
        onnx_path: what it was converted from.
        detector: the converted file.
        pictures: uint8 (height, width, 3).

    Raises:
        ValueError: nothing is found on any of them, so that there is nothing to compare.
        MissingExtraError: onnxruntime is not installed.
    """
    session = _session(onnx_path)
    sizes = detector.metadata["sizes"]
    number = expected_count = found_count = kept = again = 0
    either = both = 0
    difference = 0.0
    for picture in pictures:
        number += 1
        key, rows, columns = place(picture.shape[0], picture.shape[1], sizes)
        image = letterbox(picture, rows, columns, tuple(sizes[key]))
        values = ((image[0, ..., ::-1] / 255 - np.array(MEAN)) / np.array(STD)).astype(np.float32)
        expected = session.run(None, {session.get_inputs()[0].name: values.transpose(2, 0, 1)[None]})[0][0, 0]
        actual = detector.map(key, image)
        difference = max(difference, float(np.abs(expected - actual).max()))
        words, again_words = expected > THRESHOLD, actual > THRESHOLD
        either, both = either + int((words | again_words).sum()), both + int((words & again_words).sum())
        here, there = find_quadrilaterals(expected)[0], find_quadrilaterals(actual)[0]
        expected_count, found_count = expected_count + len(here), found_count + len(there)
        kept, again = kept + _near(here, there), again + _near(there, here)
    if not expected_count:
        raise ValueError(f"There is nothing to compare on: no words are found on {number} pictures. Received: {number}")
    agreement = min(kept / expected_count, again / max(found_count, 1))
    return MapParity(number, expected_count, agreement, both / max(either, 1), difference)


def _session(path: str | os.PathLike[str]) -> Any:
    runtime = require("onnxruntime", "Checking a detector", "onnx")
    options = runtime.SessionOptions()
    options.log_severity_level = 3
    return runtime.InferenceSession(os.fspath(path), options, providers=["CPUExecutionProvider"])


def _near(some: np.ndarray, others: np.ndarray) -> int:
    """How many of some quadrilaterals are among others."""
    if not len(some) or not len(others):
        return 0
    apart = np.linalg.norm(some[:, None] - others[None], axis=-1).max(axis=-1)
    return int((apart.min(axis=1) <= _NEAR).sum())


def export(
    onnx_path: str | os.PathLike[str],
    path: str | os.PathLike[str],
    pictures: Iterable[np.ndarray],
    sizes: dict[str, tuple[int, int]] | None = None,
    quantization: str = "none",
) -> MapParity:
    """Converts, checks against ONNX Runtime on pictures, and only then writes the file.

    Args:
        onnx_path: see `convert`.
        path: the file to write.
        pictures: see `compare`.
        sizes: see `convert`.
        quantization: see `convert`.

    Raises:
        ParityError: the converted detector answers otherwise than the ONNX file; says how far. Nothing is left behind.
        ValueError, MissingExtraError: see `convert` and `compare`.
    """
    require("onnxruntime", "Checking a detector", "onnx")
    content = convert(onnx_path, sizes, quantization)
    result = []

    def write(temporary: str) -> None:
        pathlib.Path(temporary).write_bytes(content)
        parity = compare(onnx_path, LiteRTDetector(temporary), pictures)
        required = _REQUIRED[quantization]
        reached = parity.same_rectangles, parity.same_pixels
        if parity.difference > required[2] or any(a < b for a, b in zip(reached, required[:2], strict=True)):
            raise ParityError(
                f"the {quantization} file is not written: {parity}; required: {required[0]:.0%}, {required[1]:.1%}, "
                f"within {required[2]:g}. Received: {os.fspath(path)}"
            )
        result.append(parity)

    write_atomically(os.fspath(path), write)
    return result[0]
