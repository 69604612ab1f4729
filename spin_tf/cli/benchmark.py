"""How fast models read: milliseconds, words a second, start-up, memory and size, as a table and as JSON.

bin/benchmark.py [--model=PATH]... [--batch_sizes=1,8,32] [--threads=N] [--output=FILE.json]

Each model is measured in a process of its own, from file bytes to words.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
import platform

from absl import flags

from spin_tf._cores import num_cores
from spin_tf._resources import find_model
from spin_tf.cli._run import UserError, flags_only

_MODEL = flags.DEFINE_multi_string(
    "model",
    [],
    "A .tflite, .onnx or .keras file, SavedModel folder or model_dir; repeated; default: the bundled model.",
)
_BATCH_SIZES = flags.DEFINE_list("batch_sizes", ["1", "8", "32"], "Images of a call.")
_THREADS = flags.DEFINE_integer("threads", None, "Batches read at the same time; by default one a core.", 1)
_NUM_WORDS = flags.DEFINE_integer("num_words", 200, "How many words are read.", 1)
_ROUNDS = flags.DEFINE_integer("rounds", 3, "How often they are read.", 1)
_DATA = flags.DEFINE_multi_string("data", [], "TFRecords of words to read; by default generated words.")
_OUTPUT = flags.DEFINE_string("output", None, "A .json file for the same figures.")


def main(argv: list[str]) -> int:
    flags_only(argv)
    from spin_tf.evaluation import speed
    from spin_tf.export.check_inputs import check_files

    if not all(text.strip().isdigit() and int(text) > 0 for text in _BATCH_SIZES.value):
        raise UserError(f"--batch_sizes are numbers from 1 on. Received: {','.join(_BATCH_SIZES.value)}")
    batch_sizes = [int(text) for text in _BATCH_SIZES.value]
    missing = [path for path in _MODEL.value if not find_model(path).exists()]
    if missing:
        raise UserError(f"there is no such model. Received: --model={missing[0]}")
    files = check_files(_DATA.value, _NUM_WORDS.value)
    if len(files) < max(batch_sizes):
        raise UserError(f"there are fewer words than a batch takes. Received: {len(files)} words")
    speeds = []
    for model in _MODEL.value or [None]:
        try:
            speeds.append(speed.measure(model, files, batch_sizes, _THREADS.value, _ROUNDS.value))
        except speed.SpeedError as error:
            raise UserError(str(error)) from error
    print(speed.table(speeds))
    if _OUTPUT.value:
        report = {
            "machine": {"processor": platform.processor() or platform.machine(), "cores": num_cores()},
            "python": platform.python_version(),
            "threads": _THREADS.value,
            "rounds": _ROUNDS.value,
            "models": [dataclasses.asdict(entry) for entry in speeds],
        }
        pathlib.Path(_OUTPUT.value).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 0
