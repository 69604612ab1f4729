"""Fits a model's temperature, so that of the words read with a confidence of 0.8 four of five are right.

bin/calibrate.py --model=MODEL --data=GLOB... [--check=GLOB...] [--output=FILE.keras]

--data names words that the model was not trained on; --check others, to see what the temperature is worth there. The
temperature is written into the model: a .keras file, the best.keras of a model_dir, or a calibration.json beside the
weights of a folder. What is exported from it afterwards has it inside.
"""

from __future__ import annotations

import json
import os

from absl import flags

from spin_tf._extras import require
from spin_tf._files import write_atomically, write_text
from spin_tf.cli._run import UserError, flags_only
from spin_tf.evaluation.metrics import PROTOCOLS
from spin_tf.evaluation.temperature import GreedyWords, read_words

_MODEL = flags.DEFINE_string("model", None, ".keras file, model_dir or folder of weights", required=True)
_DATA = flags.DEFINE_multi_string("data", None, "TFRecords of words that the model was not trained on", required=True)
_CHECK = flags.DEFINE_multi_string("check", [], "TFRecords of other words, on which the result is told too")
_PROTOCOL = flags.DEFINE_enum("protocol", PROTOCOLS[0], PROTOCOLS, "what counts as right; see bin/evaluate.py")
_OUTPUT = flags.DEFINE_string("output", None, ".keras file to write; default: the model itself")


def _describe(words: GreedyWords, temperature: float) -> str:
    """One line: the expected calibration error before and after."""
    before, after = words.at(1.0), words.at(temperature)
    return (
        f"{len(words)} words, {100 * before.correct.mean():.2f} % right: expected calibration error "
        f"{before.expected_error:.4f} at temperature 1, {after.expected_error:.4f} at {temperature:.3f}"
    )


def main(argv: list[str]) -> int:
    flags_only(argv)
    require("tensorflow", "Calibration", "train")
    from spin_tf.models import load_model
    from spin_tf.models.loading import CALIBRATION_FILE, find_weights

    path = _MODEL.value
    model = load_model(path)
    if not _OUTPUT.value and not os.path.exists(path):
        raise UserError(f"weights of the package stay as they are; name --output. Received: --model={path}")
    model.temperature = 1.0
    words = read_words(model, _DATA.value, _PROTOCOL.value)
    temperature = words.fit()
    print(f"fitted on {_describe(words, temperature)}")
    if _CHECK.value:
        print(f"checked on {_describe(read_words(model, _CHECK.value, _PROTOCOL.value), temperature)}")
    model.temperature = temperature
    best = os.path.join(path, "best.keras")
    if _OUTPUT.value:
        target = _OUTPUT.value
    elif os.path.isdir(path) and not os.path.exists(best) and find_weights(path):
        target = os.path.join(path, CALIBRATION_FILE)
        result = {"temperature": round(temperature, 4), "words": len(words), "protocol": _PROTOCOL.value}
        write_text(target, json.dumps(result, indent=2) + "\n")
    else:
        target = best if os.path.isdir(path) else path
    if target.endswith(".keras"):
        write_atomically(target, model.save)
    print(f"temperature {temperature:.3f} written to {target}")
    return 0
