"""The flags of reading photographs: `bin/read_photo.py` and `bin/evaluate_photos.py` have the same ones."""

from __future__ import annotations

import warnings

from absl import flags

from spin_tf._types import JsonObject
from spin_tf.cli import _reading
from spin_tf.cli._run import UserError, without_native_chatter
from spin_tf.cli._streams import say
from spin_tf.photo.reader import MIN_CONFIDENCE, PhotoReader

HELP_TITLE = "photographs"

_DETECTOR = flags.DEFINE_string(
    "detector",
    None,
    "what finds the words: a .onnx or .tflite file, a .txt or .jsonl file of boxes or a folder of them, words or "
    "lines; default: $SPIN_TF_DETECTOR, else RapidOCR's word model",
)
_MIN_HEIGHT = flags.DEFINE_float(
    "min_height", 0.0, "words less high, in pixels of the photograph, are left out", lower_bound=0.0
)
_TURN = flags.DEFINE_bool("turn", True, "try whether the photograph lies on a side or upside down")
_TILE = flags.DEFINE_integer(
    "tile",
    None,
    "side, in pixels of the photograph, of the tiles in which it is looked at beside the whole; 0 is none; default: "
    "1230 and up for photographs of more than 1.75 million pixels",
    lower_bound=0,
)
_THREADS = flags.DEFINE_integer("threads", None, "default: one for each core", lower_bound=1)

flags.adopt_module_key_flags(_reading)


def settings() -> JsonObject:
    """What the flags ask of reading, by name."""
    own = {flag.name: flag.value for flag in (_DETECTOR, _MIN_HEIGHT, _TURN, _TILE)}
    return {**own, "min_confidence": _reading.min_confidence(MIN_CONFIDENCE), **_reading.options()}


def open_reader() -> PhotoReader:
    """The reader that the flags ask for; what it has to say about its detector goes to stderr in a line."""
    if _TILE.value is not None and 0 < _TILE.value < 64:
        raise UserError(f"--tile is 0 or at least 64 pixels. Received: --tile={_TILE.value}")
    with warnings.catch_warnings(record=True) as said, without_native_chatter():
        warnings.simplefilter("always", RuntimeWarning)
        reader = PhotoReader(
            _reading.model_name(),
            _DETECTOR.value,
            num_threads=_THREADS.value,
            min_confidence=_reading.min_confidence(MIN_CONFIDENCE),
            min_height=_MIN_HEIGHT.value,
            turn=_TURN.value,
            tile=_TILE.value,
            turn_tall=_reading.turn_tall(),
            **_reading.options(),
        )
    for warning in said:
        if issubclass(warning.category, RuntimeWarning):
            say(f"note: {warning.message}")
    return reader
