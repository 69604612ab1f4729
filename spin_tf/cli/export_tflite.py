"""Writes a trained model as a LiteRT file, which needs neither TensorFlow nor anything beside it to read words.

bin/export_tflite.py --model=runs/mine --output=mine.tflite --quantization=int8 [--check_data='data/mine-*.tfrecord']

Charset and image size are inside. The file is written only after it has read the check words as the model does.
"""

from __future__ import annotations

import os
import pathlib

import numpy as np
from absl import flags

from spin_tf._extras import require
from spin_tf._files import check_output_file
from spin_tf.cli._run import flags_only

_MODEL = flags.DEFINE_string("model", None, "model_dir of bin/train.py, or .keras file.", required=True)
_OUTPUT = flags.DEFINE_string("output", None, "The .tflite file to write.", required=True)
_QUANTIZATION = flags.DEFINE_enum(
    "quantization", "none", ["none", "float16", "int8"], "How weights are stored; int8 also computes with them."
)
_CHECK_DATA = flags.DEFINE_multi_string(
    "check_data", [], "TFRecords of words that the file must read as the model does; by default generated words."
)
_CHECK_WORDS = flags.DEFINE_integer("check_words", 200, "How many words are checked.", lower_bound=1)


def main(argv: list[str]) -> int:
    flags_only(argv)
    check_output_file(_OUTPUT.value)
    require("tensorflow", "Export", "train")
    from spin_tf.export import tflite
    from spin_tf.export.check_inputs import check_words
    from spin_tf.models import load_model

    model = load_model(_MODEL.value)
    images: np.ndarray = check_words(_CHECK_DATA.value, _CHECK_WORDS.value, model.image_size)
    parity = tflite.export(model, _OUTPUT.value, _QUANTIZATION.value, images)
    print(f"{_OUTPUT.value}: {os.path.getsize(_OUTPUT.value) / 1e6:.2f} MB, {_QUANTIZATION.value}; {parity}")
    if oldest := tflite.oldest_runtime(pathlib.Path(_OUTPUT.value).read_bytes()):
        print(f"runs on TensorFlow Lite and LiteRT from {oldest} on (docs/formats.md: what runs on older ones)")
    return 0
