"""Losses of training, and the CTC head that teaches the encoder meanwhile and is dropped afterwards."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from spin_tf._types import Tensor
from spin_tf.charset import Tokenizer


def token_cross_entropy(logits: Tensor, targets: Tensor, label_smoothing: float = 0.0) -> tuple[Tensor, Tensor]:
    """Cross entropy summed over the tokens that count, and how many count.

    The sum is returned undivided because under tf.distribute it has to be divided by the tokens of all replicas.

    Args:
        logits: (batch, steps, vocabulary_size).
        targets: (batch, steps) int; padding does not count.
        label_smoothing: share of the target that is spread evenly over the vocabulary.

    Returns:
        loss sum and token count, float32 scalars.
    """
    logits = ops.cast(logits, "float32")
    log_probabilities = ops.log_softmax(logits, axis=-1)
    one_hot = ops.one_hot(targets, logits.shape[-1], dtype="float32")
    loss = -ops.sum(one_hot * log_probabilities, axis=-1)
    if label_smoothing:
        loss = (1.0 - label_smoothing) * loss - label_smoothing * ops.mean(log_probabilities, axis=-1)
    counted = ops.cast(ops.not_equal(targets, Tokenizer.PADDING_ID), "float32")
    return ops.sum(loss * counted), ops.sum(counted)


def training_loss(
    outputs: Tensor, targets: Tensor, label_smoothing: float = 0.0, ctc_weight: float = 0.0
) -> tuple[Tensor, Tensor]:
    """What a training step minimises, summed over the tokens that count, and how many count.

    Args:
        outputs: the decoder's logits; with those of a `CTCModel`'s head, a pair.
        targets: (batch, steps) int token ids.
        label_smoothing: see `token_cross_entropy`.
        ctc_weight: of the head's `ctc_loss`.

    Returns:
        loss sum and token count, float32 scalars.
    """
    logits, head = outputs if isinstance(outputs, tuple | list) else (outputs, None)
    cross_entropy, count = token_cross_entropy(logits, targets, label_smoothing)
    return (cross_entropy if head is None else cross_entropy + ctc_weight * ctc_loss(head, targets)), count


class CTCModel(keras.Model):
    """A recogniser in training with a dense layer on its encoder's states, which CTC teaches beside the decoder.

    The decoder's gradient reaches the encoder through an attention that has yet to find its place; CTC's does not.

    Args:
        model: a `SPINRecognizer`; whatever is saved or shipped is this alone.

    Call arguments:
        images: (batch, 32, W, 1) in [-1, 1].
        previous: (batch, steps) int token ids, for the decoder.

    Returns:
        the decoder's logits (batch, steps, vocabulary_size) and the head's (batch, time, characters + 1), float32,
        whose last class is the blank.

    Reference: Graves et al., ICML 2006; beside attention, Kim et al., arXiv 1609.06773.
    """

    def __init__(self, model: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.recognizer = model
        self.head = keras.layers.Dense(len(model.charset.characters) + 1, dtype=model.dtype_policy, name="ctc_head")
        self.head.build((None, None, model.encoder.features[-1]))
        self.built = True

    def call(self, images: Tensor, previous: Tensor, training: bool = False) -> tuple[Tensor, Tensor]:
        model = self.recognizer
        states = model.encode(model.rectify(images, training)["image"], training)
        return model.decoder(states, previous), ops.cast(self.head(states), "float32")


def ctc_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """CTC loss summed over the words that the frames can hold: a frame a character and one between equal neighbours.

    Args:
        logits: (batch, time, characters + 1) float32, the blank last.
        targets: (batch, steps) int token ids: characters, the end, padding.

    Returns:
        float32 scalar.
    """
    first = Tokenizer.FIRST_CHARACTER_ID
    time, blank = logits.shape[1], logits.shape[2] - 1
    is_character = targets >= first
    lengths = ops.sum(ops.cast(is_character, "int32"), axis=1)
    repeats = ops.sum(
        ops.cast(ops.logical_and(ops.equal(targets[:, 1:], targets[:, :-1]), is_character[:, 1:]), "int32"), axis=1
    )
    fits = ops.logical_and(lengths > 0, lengths + repeats <= time)
    # What does not fit is exchanged for one letter and does not count: shapes stay what they are.
    lengths = ops.where(fits, lengths, 1)
    labels = ops.where(ops.logical_and(is_character, fits[:, None]), targets - first, 0)
    loss = _losses(logits, labels, lengths, time, blank)
    return ops.sum(ops.where(fits, loss, 0.0))


def _losses(logits: Tensor, labels: Tensor, lengths: Tensor, time: int, blank: int) -> Tensor:
    """(batch,) losses of labels (batch, steps) of which the first `lengths` count."""
    if keras.backend.backend() != "tensorflow":
        times = ops.full_like(lengths, time)
        return ops.ctc_loss(ops.cast(labels, "int32"), logits, lengths, times, mask_index=blank)
    import tensorflow as tf

    # Several times faster on a processor than what keras.ops.ctc_loss unrolls.
    counted = tf.sequence_mask(lengths, labels.shape[1])
    return tf.raw_ops.CTCLoss(
        inputs=tf.transpose(logits, (1, 0, 2)),
        labels_indices=tf.where(counted),
        labels_values=tf.boolean_mask(tf.cast(labels, tf.int32), counted),
        sequence_length=tf.fill(tf.shape(lengths), time),
        ctc_merge_repeated=True,
    )[0]
