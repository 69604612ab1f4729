from __future__ import annotations

from typing import Any

from keras import ops

from spin_tf.training.ctc import ctc_loss


def token_cross_entropy(
    logits: Any, targets: Any, label_smoothing: float = 0.0, padding_id: int = 0
) -> tuple[Any, Any]:
    """Cross entropy summed over the tokens that count, and how many count.

    The sum is returned undivided because under tf.distribute it has to be divided by the tokens of all replicas.

    Args:
        logits: (batch, steps, vocabulary_size).
        targets: (batch, steps) int; `padding_id` does not count.
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
    counted = ops.cast(ops.not_equal(targets, padding_id), "float32")
    return ops.sum(loss * counted), ops.sum(counted)


def training_loss(outputs: Any, targets: Any, label_smoothing: float = 0.0, ctc_weight: float = 0.0) -> tuple[Any, Any]:
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
