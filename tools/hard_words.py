#!/usr/bin/env python3
"""Picks the training words that a model has not learnt, as TFRecords of their own that a mixture can draw more often.

    tools/hard_words.py --model=exported/spin.tflite --data=PATTERN [--data=PATTERN]... --output=data/tfrecords/hard
        [--unsure=0.8] [--doubtful=0.9] [--num_shards=4]

Kept are words that the model misreads, or reads as the label has them with a confidence below --unsure. A word of which
the model is sure, at --doubtful or above, but that it reads otherwise is left out: its label may be wrong (Northcutt et
al., "Confident Learning: Estimating Uncertainty in Dataset Labels", JAIR 2021). Readings and labels are compared in
lower case, letters and digits only, without accents, which some data sets drop. As one more source of data.train these
words are drawn more often than before, from there and from their own. A table of the patterns goes to stdout.
"""

from __future__ import annotations

import itertools
import pathlib
import sys
from collections import Counter

from absl import app, flags

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from benchmarks.lost_accents import without_accents
from benchmarks.trials import as_markdown
from spin_tf import Recognizer, Word
from spin_tf._progress import ProgressBar
from spin_tf.data.records.tfrecord import RecordIndex, ShardWriter
from spin_tf.evaluation.metrics import normalize

_MODEL = flags.DEFINE_string("model", None, "What Recognizer reads with; default: the bundled model.")
_PATTERNS = flags.DEFINE_multi_string("data", None, "TFRecords that are trained on.", required=True)
_OUTPUT = flags.DEFINE_string("output", None, "Prefix of the TFRecords of hard words.", required=True)
_UNSURE = flags.DEFINE_float("unsure", 0.8, "Read right, but below this confidence: hard.", 0.0, 1.0)
_DOUBTFUL = flags.DEFINE_float("doubtful", 0.9, "Misread at this confidence or above: left out.", 0.0, 1.0)
_SHARDS = flags.DEFINE_integer("num_shards", 4, "How many files.", 1)
KINDS = ("learnt", "unsure", "misread", "doubtful")


def kind_of(label: str, reading: str, confidence: float, unsure: float = 0.8, doubtful: float = 0.9) -> str:
    """One of `KINDS`: what a model has made of a word that it is trained on."""
    if normalize(without_accents(reading)) == normalize(without_accents(label)):
        return "learnt" if confidence >= unsure else "unsure"
    return "doubtful" if confidence >= doubtful else "misread"


def main(_: list[str]) -> None:
    recognizer = Recognizer(_MODEL.value)
    indexes = {pattern: RecordIndex(pattern) for pattern in _PATTERNS.value}
    counts: dict[str, Counter[str]] = {pattern: Counter() for pattern in indexes}
    number = 0
    with (
        ShardWriter(_OUTPUT.value, _SHARDS.value) as writer,
        ProgressBar(sum(map(len, indexes.values())), "words", "reading") as bar,
    ):
        for pattern, index in indexes.items():
            examples, pictures = itertools.tee(map(index.read_example, range(len(index))))
            readings = recognizer.read_many(example.encoded for example in pictures)
            for example, word in zip(examples, readings, strict=True):
                number += 1
                if isinstance(word, Word):
                    kind = kind_of(example.text, word.text, word.confidence, _UNSURE.value, _DOUBTFUL.value)
                    counts[pattern][kind] += 1
                    if kind in ("unsure", "misread"):
                        writer.write(example)
                bar.move_to(number)
    rows = [[name, f"{c.total():,}", *(f"{c[kind]:,}" for kind in KINDS)] for name, c in counts.items()]
    print(as_markdown([["words", "all", *KINDS], *rows]))


if __name__ == "__main__":
    app.run(main)
