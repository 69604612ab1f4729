"""Writes a trained model as a SavedModel that reads words from the bytes of image files: for servers.

bin/export_saved_model.py --model=PATH --output=DIR

The model goes into DIR/N, N one above the versions that are there, after it has read the check words as the model does.
deploy/tf_serving/README.md puts it behind TensorFlow Serving.
"""

from __future__ import annotations

import os

from absl import flags

from spin_tf._files import check_output_folder
from spin_tf.cli import _export
from spin_tf.cli._run import flags_only

flags.adopt_module_key_flags(_export)

_OUTPUT = flags.DEFINE_string("output", None, "Folder; the model goes into its next numbered version.", required=True)


def main(argv: list[str]) -> int:
    flags_only(argv)
    check_output_folder(os.path.dirname(os.path.abspath(_OUTPUT.value)), _OUTPUT.value)
    model = _export.open_model()
    from spin_tf.export import saved_model_folder
    from spin_tf.export.check_inputs import check_files

    files = check_files(_export.CHECK_DATA.value, _export.CHECK_WORDS.value)
    folder, parity, reading_parity = saved_model_folder.export(model, _OUTPUT.value, files)
    print(f"{folder}: {parity}")
    print(f"{folder}: from bytes, {reading_parity}")
    return 0
