"""Writes a trained model as a SavedModel that reads words from the bytes of image files: for servers.

bin/export_saved_model.py --model=PATH --output=DIR

The model goes into DIR/N, N one above the versions that are there, after it has read the check words as the model does.
deploy/tf_serving/README.md puts it behind TensorFlow Serving.
"""

from __future__ import annotations

import os

from absl import flags

from spin_tf._extras import require
from spin_tf._files import check_output_folder
from spin_tf.cli._run import flags_only

_MODEL = flags.DEFINE_string("model", None, "model_dir of bin/train.py, or .keras file.", required=True)
_OUTPUT = flags.DEFINE_string("output", None, "Folder; the model goes into its next numbered version.", required=True)
_CHECK_DATA = flags.DEFINE_multi_string(
    "check_data", [], "TFRecords of words that it must read as the model does; by default generated words."
)
_CHECK_WORDS = flags.DEFINE_integer("check_words", 200, "How many words are checked.", lower_bound=1)


def main(argv: list[str]) -> int:
    flags_only(argv)
    check_output_folder(os.path.dirname(os.path.abspath(_OUTPUT.value)), _OUTPUT.value)
    require("tensorflow", "Export", "train")
    from spin_tf.export import saved_model_folder
    from spin_tf.export.check_inputs import check_files
    from spin_tf.models import load_model

    model = load_model(_MODEL.value)
    files = check_files(_CHECK_DATA.value, _CHECK_WORDS.value)
    folder, parity, reading_parity = saved_model_folder.export(model, _OUTPUT.value, files)
    print(f"{folder}: {parity}")
    print(f"{folder}: from bytes, {reading_parity}")
    return 0
