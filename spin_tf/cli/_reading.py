"""The flags of reading with a model here: `bin/recognize.py` and `bin/evaluate.py` have the same ones."""

from __future__ import annotations

import functools
from typing import Any

from absl import flags

from spin_tf.cli._run import without_native_chatter
from spin_tf.contract.turning import TURN
from spin_tf.decoding.options import CASES, OptionNames
from spin_tf.recognizer import Recognizer

_MODEL = flags.DEFINE_string(
    "model", None, "a .tflite or .keras file, SavedModel folder or model_dir; default: the bundled model"
)
_TURN_TALL = flags.DEFINE_bool(
    "turn_tall",
    True,
    "false: crops at least 1.5 times as high as wide are not read turned by a quarter, too",
)
_BEAM_WIDTH = flags.DEFINE_integer(
    "beam_width", None, "beginnings of a word that go on together; 1 is greedy, the default without the options below"
)
_N_BEST = flags.DEFINE_integer("n_best", 1, "readings of each word, with their probabilities")
_ALLOWLIST = flags.DEFINE_string("allowlist", None, "the characters that may be read, such as 0-9A-Z")
_PATTERN = flags.DEFINE_string(
    "pattern", None, "what the whole word must match, such as [A-Z]{2}[0-9]{2,4}; docs/decoding.md says what is allowed"
)
_LEXICON = flags.DEFINE_string("lexicon", None, "UTF-8 file of the words that may be read, one a line")
_LEXICON_WEIGHT = flags.DEFINE_float(
    "lexicon_weight",
    None,
    "other words stay possible, those of the lexicon count as if exp(WEIGHT) times as probable; default: no others",
)
_CASE = flags.DEFINE_enum(
    "case",
    None,
    CASES,
    "whether allowlist, pattern and lexicon mean the case they are written in; default: ignore with a lexicon",
)
_MIN_PROBABILITY = flags.DEFINE_float(
    "min_probability",
    None,
    "below it a word is answered with an empty text and a reason; default: 0.001 where not every word is allowed",
)
# What the output calls confidence, under that name.
_MIN_CONFIDENCE = flags.DEFINE_alias("min_confidence", "min_probability")
_EFFORT = flags.DEFINE_enum(
    "effort",
    "normal",
    ["normal", "high", "1", "2", "3", "6"],
    "how many views of each crop are read; normal is 1, high 6",
)

HELP_TITLE = "how words are read"


# What says how to read here; a server reads as it does.
LOCAL = (
    _MODEL,
    _TURN_TALL,
    _BEAM_WIDTH,
    _N_BEST,
    _ALLOWLIST,
    _PATTERN,
    _LEXICON,
    _LEXICON_WEIGHT,
    _CASE,
    _MIN_PROBABILITY,
    _EFFORT,
)


@functools.cache
def define_turn() -> flags.FlagHolder[str]:
    """The flag --turn of crops, for commands that read no photographs, where that name is another flag.

    Defined once, whatever of them a process imports.
    """
    return flags.DEFINE_enum(
        "turn",
        "tall",
        TURN,
        "in which directions crops are read; the surest reading counts. tall: those at least 1.5 times as high as wide "
        "turned by a quarter too; auto: all of them upside down besides; none: as they are",
    )


def model_name() -> str | None:
    """What --model says."""
    return _MODEL.value


def min_confidence(default: float) -> float:
    """From which confidence on a word counts; `default` where the user does not say."""
    return default if _MIN_PROBABILITY.value is None else float(_MIN_PROBABILITY.value)


def has_min_confidence() -> bool:
    """Whether the user says from which confidence on a word counts."""
    return _MIN_PROBABILITY.value is not None


def turn_tall() -> bool:
    """What --turn_tall says."""
    return bool(_TURN_TALL.value)


def options(**changes: Any) -> OptionNames:
    """What the flags ask of decoding, as keyword arguments of `Recognizer`; `changes` take the place of flags."""
    effort = _EFFORT.value
    asked: OptionNames = {
        "beam_width": _BEAM_WIDTH.value,
        "n_best": _N_BEST.value,
        "allowlist": _ALLOWLIST.value,
        "pattern": _PATTERN.value,
        "lexicon": _LEXICON.value,
        "lexicon_weight": _LEXICON_WEIGHT.value,
        "case": _CASE.value,
        "min_probability": _MIN_PROBABILITY.value,
        "effort": int(effort) if effort.isdecimal() else effort,
    }
    return {**asked, **changes}  # type: ignore[typeddict-item]


def open_recognizer(**changes: Any) -> Recognizer:
    """The recognizer that the flags ask for; see `options`."""
    return open_other(_MODEL.value, **changes)


def open_other(model: str | None, turn: str | None = None, **changes: Any) -> Recognizer:
    """Another model, the bundled one for None, that reads as the flags ask; `turn` takes the place of the flag."""
    with without_native_chatter():
        turn = turn or flags.FLAGS["turn"].value
        return Recognizer(model, None, _TURN_TALL.value, turn, **options(**changes))  # type: ignore[arg-type]
