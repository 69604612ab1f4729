"""Writes a trained model as an ONNX file.

bin/export_onnx.py --model=runs/mine --output=mine.onnx

Charset and image size are inside. The file is written only after it has read the check words as the model does.
"""

from __future__ import annotations

import os

from absl import flags

from spin_tf._extras import require
from spin_tf.cli import _export
from spin_tf.cli._run import flags_only

flags.adopt_module_key_flags(_export)

_OUTPUT = flags.DEFINE_string("output", None, "The .onnx file to write.", required=True)


def main(argv: list[str]) -> int:
    flags_only(argv)
    # Told before the model is loaded, not after.
    require("onnx", "ONNX export", "onnx")
    model = _export.open_model()
    from spin_tf.export import onnx_file

    parity = onnx_file.export(model, _OUTPUT.value, _export.check_images(model))
    print(f"{_OUTPUT.value}: {os.path.getsize(_OUTPUT.value) / 1e6:.2f} MB; {parity}")
    return 0
