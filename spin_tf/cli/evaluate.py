"""Measures a model on labelled words in TFRecord files: word accuracy, 1 - NED, counts and intervals.

bin/evaluate.py [--model=PATH] --data=NAME=GLOB... [--protocol=alphanumeric|exact] [--output=DIR]

The table goes to stdout. With --output, DIR gets results.json, results.md, predictions.jsonl and errors.html, a page of
the mistakes. Several --data with the same NAME are one set.
"""

from __future__ import annotations

import pathlib
import sys
from collections.abc import Callable

from absl import flags

from spin_tf.cli._run import UserError, without_native_chatter
from spin_tf.evaluation import report
from spin_tf.evaluation.evaluate import evaluate_set
from spin_tf.evaluation.metrics import PROTOCOLS
from spin_tf.recognizer import Recognizer

_MODEL = flags.DEFINE_string(
    "model", None, "a .tflite or .keras file, SavedModel folder or model_dir; default: the bundled model"
)
_DATA = flags.DEFINE_multi_string("data", [], "NAME=GLOB: a data set and its TFRecord files; may be repeated")
_OUTPUT = flags.DEFINE_string("output", None, "folder for results.json, results.md, predictions.jsonl and errors.html")
_PROTOCOL = flags.DEFINE_enum(
    "protocol",
    PROTOCOLS[0],
    PROTOCOLS,
    "alphanumeric: lower case, 0-9a-z only, as in published tables; exact: as written",
)
_TURN_TALL = flags.DEFINE_bool(
    "turn_tall",
    True,
    "read crops at least 1.5 times as high as wide turned by a quarter too; the surest reading counts",
)
_GALLERY_SIZE = flags.DEFINE_integer("gallery_size", 200, "mistakes of each set shown in errors.html", lower_bound=0)


def parse_data(values: list[str]) -> dict[str, list[str]]:
    """Turns `["NAME=GLOB", ...]` into the patterns of each set, in the order given.

    Raises:
        UserError: no value, or one that is not NAME=GLOB.
    """
    if not values:
        raise UserError("name at least one data set: --data=NAME=GLOB, for example --data=mine='data/mine-*.tfrecord'")
    sets: dict[str, list[str]] = {}
    for value in values:
        name, separator, pattern = value.partition("=")
        if not (name and separator and pattern):
            raise UserError(f"a data set is given as NAME=GLOB. Received: --data={value}")
        sets.setdefault(name, []).append(pattern)
    return sets


def _progress(name: str) -> Callable[[int, int], None] | None:
    if not sys.stderr.isatty():
        return None

    def show(done: int, words: int) -> None:
        if done % 50 == 0 or done == words:
            print(f"\r{name}: {done} of {words} words", end="\n" if done == words else "", file=sys.stderr)

    return show


def main(argv: list[str]) -> int:
    if len(argv) > 1:
        raise UserError(f"evaluate takes flags only. Received: {' '.join(argv[1:])}")
    sets = parse_data(_DATA.value)
    with without_native_chatter():
        recognizer = Recognizer(_MODEL.value, turn_tall=_TURN_TALL.value)
    results = [
        evaluate_set(recognizer, name, patterns, _PROTOCOL.value, _progress(name)) for name, patterns in sets.items()
    ]
    print(report.make_table(results))
    for result in results:
        if result.score.unreadable:
            print(f"{result.name}: {result.score.unreadable} unreadable images count as wrong", file=sys.stderr)
    if _OUTPUT.value:
        model = _MODEL.value or "bundled"
        folder = pathlib.Path(_OUTPUT.value)
        report.write(folder, results, model, recognizer.metadata, _PROTOCOL.value, _GALLERY_SIZE.value)
    return 0
