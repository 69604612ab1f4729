"""Cross entropy of the right tokens of words: it tells models apart that accuracy alone cannot."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from spin_tf.charset import Tokenizer
from spin_tf.contract.preprocessing import Preprocessing, prepare, same_size
from spin_tf.data.images import decode_image
from spin_tf.data.records.tfrecord import RecordIndex
from spin_tf.evaluation.metrics import Score

_BATCH = 128


@dataclasses.dataclass(frozen=True)
class Measured:
    """What a model made of words.

    Args:
        losses: float32 (words,), cross entropy summed over the tokens of each word that the charset can write.
        tokens: how many tokens these words have.
        score: of the readings of all words.
    """

    losses: np.ndarray
    tokens: int
    score: Score

    @property
    def per_token(self) -> float:
        """Nats a token."""
        return float(self.losses.sum()) / max(self.tokens, 1)

    def beyond(self, other: Measured) -> tuple[float, float]:
        """How many nats a token more than another model on the same words, and the standard error of that.

        Raises:
            ValueError: not the same words.
        """
        if len(self.losses) != len(other.losses):
            raise ValueError(f"not the same words. Received: {len(self.losses)} and {len(other.losses)} words")
        difference, tokens = self.losses - other.losses, max(self.tokens, 1)
        return float(difference.sum()) / tokens, float(difference.std()) * len(difference) ** 0.5 / tokens


def load_words(patterns: Sequence[str], preprocessing: Preprocessing) -> tuple[list[str], list[np.ndarray]]:
    """Labels and preprocessed images, float32 (height, width, 1), of TFRecords.

    Raises:
        FileNotFoundError: a pattern matches no file.
        RecordError: (a ValueError) a broken file.
        ImageError: (a ValueError) a broken image.
    """
    index = RecordIndex(patterns)
    examples = [index.read_example(i) for i in range(len(index))]
    images = [prepare(decode_image(example.encoded), preprocessing) for example in examples]
    return [example.text for example in examples], images


def losses_and_counts(logits: Any, targets: Any) -> tuple[Any, Any]:
    """Cross entropy of each word, summed over its tokens, and their number: float32 (batch,) twice.

    Args:
        logits: (batch, steps, vocabulary_size) float32 of a decoder to which the right tokens were given.
        targets: (batch, steps) int token ids; padding does not count.
    """
    import tensorflow as tf

    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
    counted = tf.cast(targets != Tokenizer.PADDING_ID, tf.float32)
    return tf.reduce_sum(losses * counted, -1), tf.reduce_sum(counted, -1)


class CrossEntropy:
    """Measures a `SPINRecognizer` on words.

    Args:
        model: see `spin_tf.models.load_model`.
    """

    def __init__(self, model: Any) -> None:
        import tensorflow as tf

        self.preprocessing: Preprocessing = model.preprocessing
        self._tokenizer = Tokenizer(model.charset, model.num_steps - 1)

        def run(images: Any, tokens: Any) -> tuple[Any, Any, Any]:
            states = model.encode(model.rectify(images)["image"])
            logits = tf.cast(model.decoder(states, tokens[:, :-1]), tf.float32)
            read = tf.argmax(model.read(images, stop_at_end=True)["probabilities"], -1)
            return *losses_and_counts(logits, tokens[:, 1:]), read

        self._run = tf.function(run, autograph=False)

    def measure(self, texts: Sequence[str], images: Sequence[np.ndarray]) -> Measured:
        """Reads words, and gives their right tokens one after the other."""
        # Of all words; those that the charset cannot write have none.
        losses, count, score = np.full(len(texts), np.nan, "float32"), 0, Score()
        batches = (
            (places[start : start + _BATCH], group[start : start + _BATCH])
            for places, group in same_size(images)
            for start in range(0, len(group), _BATCH)
        )
        for places, batch in batches:
            part = [texts[place] for place in places]
            tokens = np.zeros((_BATCH, self._tokenizer.max_length + 2), "int32")
            written = []
            for i, text in enumerate(part):
                try:
                    tokens[i] = self._tokenizer.encode(text)
                    written.append(i)
                except ValueError:
                    continue
            padded = np.pad(batch, ((0, _BATCH - len(batch)), (0, 0), (0, 0), (0, 0)))
            sums, counts, read = (value.numpy() for value in self._run(padded, tokens))
            losses[places[written]] = sums[written]
            count += int(counts[written].sum())
            for text, row in zip(part, read, strict=False):
                score.add(text, self._tokenizer.decode(row))
        return Measured(losses[~np.isnan(losses)], count, score)
