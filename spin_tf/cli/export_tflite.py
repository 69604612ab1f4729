"""Writes a trained model as a LiteRT file, which needs neither TensorFlow nor anything beside it to read words.

bin/export_tflite.py --model=runs/mine --output=mine.tflite --quantization=int8 [--check_data='data/mine-*.tfrecord']

Charset and image size are inside. The file is written only after it has read the check words as the model does.
"""

from __future__ import annotations

import os
import pathlib

from absl import flags

from spin_tf._files import check_output_file
from spin_tf.cli import _export
from spin_tf.cli._run import flags_only

flags.adopt_module_key_flags(_export)

_OUTPUT = flags.DEFINE_string("output", None, "The .tflite file to write.", required=True)
_QUANTIZATION = flags.DEFINE_enum(
    "quantization", "none", ["none", "float16", "int8"], "How weights are stored; int8 also computes with them."
)


def main(argv: list[str]) -> int:
    flags_only(argv)
    check_output_file(_OUTPUT.value)
    model = _export.open_model()
    from spin_tf.export import tflite

    parity = tflite.export(model, _OUTPUT.value, _QUANTIZATION.value, _export.check_images(model))
    print(f"{_OUTPUT.value}: {os.path.getsize(_OUTPUT.value) / 1e6:.2f} MB, {_QUANTIZATION.value}; {parity}")
    if oldest := tflite.oldest_runtime(pathlib.Path(_OUTPUT.value).read_bytes()):
        print(f"runs on TensorFlow Lite and LiteRT from {oldest} on (docs/formats.md: what runs on older ones)")
    return 0
