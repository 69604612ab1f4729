from __future__ import annotations

from typing import Any

from keras import ops


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
