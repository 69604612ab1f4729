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

from spin_tf.charset import Tokenizer
from spin_tf.data.preprocessing import decode_image, preprocess
from spin_tf.data.records.tfrecord import RecordIndex
from spin_tf.evaluation.metrics import Score
from spin_tf.models import load_model

_DATA = flags.DEFINE_multi_string("data", None, "NAME=PATTERN, TFRecords; patterns comma separated.", required=True)
_BATCH = 128


def read_words(patterns: list[str], image_size: tuple[int, int]) -> tuple[list[str], np.ndarray]:
    """Labels and float32 images (n, height, width, 1) of TFRecords."""
    index = RecordIndex(patterns)
    examples = [index.read_example(i) for i in range(len(index))]
    images = [preprocess(decode_image(example.encoded), image_size) for example in examples]
    return [example.text for example in examples], np.asarray(images, "float32")


class Measured:
    """A model and what it makes of words."""

    def __init__(self, path: str) -> None:
        import tensorflow as tf

        self.model = load_model(path)
        self.tokenizer = Tokenizer(self.model.charset)

        def run(images: tf.Tensor, tokens: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            states = self.model.encode(self.model.rectify(images)["image"])
            logits = tf.cast(self.model.decoder(states, tokens[:, :-1]), tf.float32)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(tokens[:, 1:], logits)
            counted = tf.cast(tokens[:, 1:] != Tokenizer.PADDING_ID, tf.float32)
            read = tf.argmax(self.model.read(images, stop_at_end=True)["probabilities"], -1)
            return tf.stack([tf.reduce_sum(losses * counted, -1), tf.reduce_sum(counted, -1)], -1), read

        self._run = tf.function(run, autograph=False)

    def measure(self, texts: list[str], images: np.ndarray) -> tuple[np.ndarray, Score]:
        """(n, 2) of summed cross entropy and tokens of each word that the charset can write, and the score of all."""
        rows, score = [], Score()
        for start in range(0, len(texts), _BATCH):
            part, batch = texts[start : start + _BATCH], images[start : start + _BATCH]
            tokens = np.zeros((_BATCH, self.tokenizer.max_length + 2), "int32")
            written = []
            for i, text in enumerate(part):
                try:
                    tokens[i] = self.tokenizer.encode(text)
                    written.append(i)
                except ValueError:
                    continue
            numbers, read = self._run(np.pad(batch, ((0, _BATCH - len(batch)), (0, 0), (0, 0), (0, 0))), tokens)
            rows.append(numbers.numpy()[written])
            for text, row in zip(part, read.numpy(), strict=False):
                score.add(text, self.tokenizer.decode(row))
        return np.concatenate(rows), score


def main(argv: list[str]) -> None:
    models = [Measured(path) for path in argv[1:]]
    for spec in _DATA.value:
        name, _, patterns = spec.partition("=")
        first: np.ndarray | None = None
        words: dict[tuple[int, int], tuple[list[str], np.ndarray]] = {}
        for path, measured in zip(argv[1:], models, strict=True):
            size = (measured.model.image_size[0], measured.model.image_size[1])
            if size not in words:
                words[size] = read_words(patterns.split(","), size)
            sums, score = measured.measure(*words[size])
            tokens = sums[:, 1].sum()
            right = f"{score.correct} of {score.words} words ({score.word_accuracy:.2%})"
            line = f"{name}: {sums[:, 0].sum() / tokens:.4f} a token, {right}"
            if first is None:
                first = sums[:, 0]
            elif len(first) == len(sums):
                difference = sums[:, 0] - first
                error = difference.std() * len(difference) ** 0.5 / tokens
                line += f", {difference.sum() / tokens:+.4f} +- {error:.4f}"
            print(f"{line}  {path}", flush=True)


if __name__ == "__main__":
    app.run(main)
