"""Writes a trained model as an ONNX file.

bin/export_onnx.py --model=runs/mine --output=mine.onnx

Charset and image size are inside. The file is written only after it has read the check words as the model does.
"""

from __future__ import annotations

import os

import numpy as np
from absl import flags

from spin_tf._extras import require
from spin_tf.cli._run import flags_only

_MODEL = flags.DEFINE_string("model", None, "model_dir of bin/train.py, or .keras file.", required=True)
_OUTPUT = flags.DEFINE_string("output", None, "The .onnx file to write.", required=True)
_CHECK_DATA = flags.DEFINE_multi_string(
    "check_data", [], "TFRecords of words that the file must read as the model does; by default generated words."
)
_CHECK_WORDS = flags.DEFINE_integer("check_words", 200, "How many words are checked.", lower_bound=1)


def main(argv: list[str]) -> int:
    flags_only(argv)
    require("tensorflow", "Export", "train")
    # Told before the model is loaded, not after.
    require("onnx", "ONNX export", "onnx")
    from spin_tf.export import onnx_file
    from spin_tf.export.check_inputs import check_words
    from spin_tf.models import load_model

    model = load_model(_MODEL.value)
    images: np.ndarray = check_words(_CHECK_DATA.value, _CHECK_WORDS.value, model.image_size)
    parity = onnx_file.export(model, _OUTPUT.value, images)
    print(f"{_OUTPUT.value}: {os.path.getsize(_OUTPUT.value) / 1e6:.2f} MB; {parity}")
    return 0
