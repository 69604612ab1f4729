from __future__ import annotations

from typing import Any

import tensorflow as tf

from spin_tf._types import Strategy, Tensor, Variable
from spin_tf.training.losses import training_loss

SHORT_ROWS = (13, 18)


def trim_tokens(tokens: Tensor) -> Tensor:
    """Drops decoder steps that no word of the batch needs, down to one of few lengths, each of which is a graph."""
    longest = int(tf.math.count_nonzero(tf.reduce_any(tokens > 0, axis=0)))
    lengths = [length for length in SHORT_ROWS if longest < length < tokens.shape[1]]
    return tokens[:, : lengths[0]] if lengths else tokens


class TrainingStep:
    """One optimizer step over all replicas, as a graph.

    Gradients are divided by the tokens of all replicas and summed before they are clipped, so that any number of
    devices does what one would do with the whole batch.

    Args:
        strategy: of tf.distribute.
        model, optimizer: made in the scope of `strategy`.
        averages: one float32 variable for each of the model's first trainable weights (a head that is dropped after
            training comes last and has none), or none.
        decay: of the averages.
        label_smoothing, ctc_weight: see `training_loss`.

    Call arguments:
        images, tokens: the batch, or the replicas' parts of it, tokens being (batch, max_length + 2).
        stop: float32 scalar of this process.

    Returns:
        mean loss of a token, gradient norm before clipping, and the sum of `stop` over all replicas, float32 scalars.
    """

    def __init__(
        self,
        strategy: Strategy,
        model: Any,
        optimizer: Any,
        averages: list[Variable],
        decay: float,
        label_smoothing: float,
        ctc_weight: float = 0.0,
    ) -> None:
        self._strategy = strategy
        self._model = model
        self._optimizer = optimizer
        self._averages = averages
        self._decay = decay
        self._label_smoothing = label_smoothing
        self._ctc_weight = ctc_weight
        # There is no Python control flow for AutoGraph to convert, only a model to trace.
        self._graph = tf.function(self._step, autograph=False)

    def __call__(self, images: Tensor, tokens: Tensor, stop: bool) -> tuple[Tensor, Tensor, Tensor]:
        return self._graph(images, tokens, tf.constant(float(stop), tf.float32))

    def _step(self, images: Tensor, tokens: Tensor, stop: Tensor) -> tuple[Tensor, ...]:
        replica_step = tf.autograph.experimental.do_not_convert(self._replica_step)
        results = self._strategy.run(replica_step, args=(images, tokens, stop))
        return tuple(self._strategy.experimental_local_results(result)[0] for result in results)

    def _replica_step(self, images: Tensor, tokens: Tensor, stop: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        context = tf.distribute.get_replica_context()

        def total(value: Tensor) -> Tensor:
            return context.all_reduce(tf.distribute.ReduceOp.SUM, value)

        previous, targets = tokens[:, :-1], tokens[:, 1:]
        # Copied, since what is the same tensor for all replicas lies on no device to reduce to.
        count, stop = total([tf.math.count_nonzero(targets, dtype=tf.float32), tf.identity(stop)])
        variables = self._model.trainable_variables
        with tf.GradientTape() as tape:
            outputs = self._model(images, previous, training=True)
            share = training_loss(outputs, targets, self._label_smoothing, self._ctc_weight)[0] / count
        gradients = tape.gradient(share, [variable.value for variable in variables])
        # Looked-up rows come as slices, in which a token that occurs twice is there twice: no norm and no square of it
        # is right before the sum.
        gradients = total([tf.convert_to_tensor(gradient) for gradient in gradients])
        norm = tf.linalg.global_norm(gradients)
        self._optimizer.apply(gradients, variables)
        self._follow(variables)
        return total(share), norm, stop

    def _follow(self, variables: list[Variable]) -> None:
        if not self._averages:
            return
        # Early on the averages follow more closely, or they would remember the initial weights.
        done = tf.cast(self._optimizer.iterations.value, tf.float32)
        decay = tf.minimum((1.0 + done) / (10.0 + done), self._decay)
        for average, variable in zip(self._averages, variables, strict=False):
            average.assign(average.value * decay + tf.cast(variable.value, tf.float32) * (1.0 - decay))
