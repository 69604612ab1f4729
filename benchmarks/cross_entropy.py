#!/usr/bin/env python3
"""Cross entropy a token and words right of models on labelled words: tells trials apart that accuracy alone cannot.

    benchmarks/cross_entropy.py --data=NAME=PATTERN[,PATTERN] [--data=...] MODEL...

The accuracy of 772 words has a standard error of 1.5 points; the cross entropy of the right tokens moves earlier and by
less chance. Differences from the first model are those of the same words, with their standard error.
"""

from __future__ import annotations

import pathlib
import sys

import numpy as np
from absl import app, flags

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from benchmarks.word_losses import CrossEntropy, Measured, load_words
from spin_tf.models import load_model

_DATA = flags.DEFINE_multi_string("data", None, "NAME=PATTERN, TFRecords; patterns comma separated.", required=True)


def main(argv: list[str]) -> None:
    models = {path: CrossEntropy(load_model(path)) for path in argv[1:]}
    for spec in _DATA.value:
        name, _, patterns = spec.partition("=")
        first: Measured | None = None
        words: dict[tuple[int, int], tuple[list[str], np.ndarray]] = {}
        for path, model in models.items():
            if model.preprocessing not in words:
                words[model.preprocessing] = load_words(patterns.split(","), model.preprocessing)
            measured = model.measure(*words[model.preprocessing])
            score = measured.score
            right = f"{score.correct} of {score.words} words ({score.word_accuracy:.2%})"
            line = f"{name}: {measured.per_token:.4f} a token, {right}"
            if first is None:
                first = measured
            elif len(first.losses) == len(measured.losses):
                line += ", {:+.4f} +- {:.4f}".format(*measured.beyond(first))
            print(f"{line}  {path}", flush=True)


if __name__ == "__main__":
    app.run(main)
