"""Converts a text detector of PP-OCR, an ONNX file, to a LiteRT file.

bin/convert_detector.py --detector=FILE.onnx --output=FILE.tflite [--quantization=float16] [PHOTOGRAPH_OR_FOLDER...]

The file is compared with the ONNX file on pictures before it is written: on those named behind the flags, and without
any, on drawn ones.
"""

from __future__ import annotations

import os
import re

from absl import flags

from spin_tf._extras import require
from spin_tf._files import check_output_file
from spin_tf.cli._images import find_images
from spin_tf.cli._run import UserError

_DETECTOR = flags.DEFINE_string("detector", None, "The .onnx file.", required=True)
_OUTPUT = flags.DEFINE_string("output", None, "The .tflite file to write.", required=True)
_QUANTIZATION = flags.DEFINE_enum("quantization", "none", ["none", "float16"], "How weights are stored.")
_SIZES = flags.DEFINE_list(
    "sizes", [], "Heights and widths of its input, as 736x1312,1312x736; by default for 16 : 9 and 4 : 3 either way."
)


def main(argv: list[str]) -> int:
    sizes = _parse_sizes(_SIZES.value)
    check_output_file(_OUTPUT.value)
    # A file that is not there is told before TensorFlow is loaded.
    with open(_DETECTOR.value, "rb"):
        pass
    found = list(find_images(argv[1:]))
    for image in found:
        if image.problem:
            raise UserError(f"{image.problem}. Received: {image.path}")
    require("tensorflow", "Converting a detector", "train")
    require("onnx", "Converting a detector", "onnx")
    require("onnxruntime", "Checking a detector", "onnx")
    from spin_tf.export import detector_file
    from spin_tf.export.check_inputs import check_pictures

    pictures = check_pictures([image.path for image in found])
    parity = detector_file.export(_DETECTOR.value, _OUTPUT.value, pictures, sizes, _QUANTIZATION.value)
    print(f"{_OUTPUT.value}: {os.path.getsize(_OUTPUT.value) / 1e6:.2f} MB, {_QUANTIZATION.value}; {parity}")
    return 0


def _parse_sizes(values: list[str]) -> dict[str, tuple[int, int]] | None:
    sizes = {}
    for value in values:
        match = re.fullmatch(r"([1-9]\d{1,3})x([1-9]\d{1,3})", value)
        if not match:
            raise UserError(f"A size is its height, x and its width in pixels. Received: --sizes={value}")
        sizes[f"size_{value}"] = (int(match[1]), int(match[2]))
    return sizes or None
