from __future__ import annotations

from typing import Any

import keras
from keras import ops

from spin_tf._types import Strategy, Tensor


def replica_sum(values: list[Tensor]) -> list[Tensor]:
    """Sums tensors over the replicas of a tf.distribute strategy, all in one exchange and without a gradient.

    `ReplicaContext.all_reduce` does the same with a gradient, for the sake of which TensorFlow looks for variables in
    the graph behind the sum at every call. That graph is the other replicas' too, and the search takes the square of
    its size: minutes for a network with fifty sums in it. Who needs a gradient states it (see `BatchNorm`).

    Must be called in replica context, by all replicas in the same order.

    Args:
        values: tensors, each of the same shape and dtype in every replica.

    Returns:
        one tensor for each value; `values` themselves where there is one replica.
    """
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync == 1:
        return list(values)

    def exchange(strategy: Strategy, *merged: Tensor) -> Tensor:
        # What goes in decides where the sum is wanted: on the devices where the parts are.
        return strategy.extended.batch_reduce_to(tf.distribute.ReduceOp.SUM, [(value, value) for value in merged])

    # Copied, since what is the same tensor for all replicas lies on no device to reduce to.
    return list(context.merge_call(exchange, args=tuple(tf.identity(value) for value in values)))


BATCH_NORM_MOMENTUM = 0.9
BATCH_NORM_EPSILON = 1e-5


@keras.saving.register_keras_serializable("spin_tf")
class BatchNorm(keras.layers.BatchNormalization):
    """Keras's batch norm with the paper's constants, trained through TensorFlow's fused kernel.

    Keras spells batch norm out in a dozen passes over the activations, a sixth of a training step on a CPU.
    The fused kernel, used where TensorFlow is the backend, the input has four dimensions and the statistics are those
    of one replica, computes the same (the running variance is rescaled to Keras's, which divides by n). With channels
    that are no multiple of 16 it is slow (30 ms for 48 images of 32 x 100 x 8 and their gradient, one thread of an AMD
    EPYC, Zen 4): their passes are spelled out here over whole rows of the image (5 ms).

    With `synchronized=True` the statistics are those of all replicas of a tf.distribute strategy: one exchange on the
    way forward and one on the way back, where Keras takes three and three, and subtracts large sums of squares.

    Call arguments:
        inputs: (batch, height, width, channels) or (batch, channels).

    Returns:
        the same shape, in the compute dtype.

    Reference: Ioffe and Szegedy, ICML 2015.
    """

    def __init__(
        self, momentum: float = BATCH_NORM_MOMENTUM, epsilon: float = BATCH_NORM_EPSILON, **kwargs: Any
    ) -> None:
        super().__init__(momentum=momentum, epsilon=epsilon, **kwargs)

    def call(self, inputs: Tensor, training: bool | None = None, mask: Tensor = None) -> Tensor:
        learns = training and self.trainable and keras.backend.backend() == "tensorflow"
        if learns and self.synchronized:
            return self._normalize_over_replicas(inputs)
        # The kernel does not know float64.
        if not learns or len(inputs.shape) != 4 or self.compute_dtype == "float64":
            return super().call(inputs, training=training, mask=mask)
        count = ops.cast(ops.prod(ops.shape(inputs)[:3]), "float32")
        if inputs.shape[-1] % 16 and inputs.shape[2] is not None:
            outputs, mean, variance = _normalize_rows(
                ops.cast(inputs, self.compute_dtype), self.gamma.value, self.beta.value, count, self.epsilon
            )
            self._follow(mean, variance)
            return outputs
        from tensorflow.compat.v1.nn import fused_batch_norm

        outputs, mean, variance = fused_batch_norm(
            ops.cast(inputs, self.compute_dtype), self.gamma.value, self.beta.value, epsilon=self.epsilon
        )
        self._follow(mean, variance * ((count - 1.0) / count))
        return outputs

    def _follow(self, mean: Tensor, variance: Tensor) -> None:
        for running, now in ((self.moving_mean, mean), (self.moving_variance, variance)):
            running.assign(running * self.momentum + now * (1.0 - self.momentum))

    def _normalize_over_replicas(self, inputs: Tensor) -> Tensor:
        import tensorflow as tf

        axes = list(range(len(inputs.shape) - 1))
        images = ops.cast(inputs, "float32")
        count, mean, rest, variance = _moments_over_replicas(tf.stop_gradient(images), axes)

        # TensorFlow searches the graph between arguments and result for variables, so all that is used is an argument.
        @tf.custom_gradient
        def normalize(
            images: Tensor, gamma: Tensor, beta: Tensor, count: Tensor, mean: Tensor, rest: Tensor, variance: Tensor
        ) -> tuple[Tensor, Tensor]:
            scale = tf.math.rsqrt(variance + self.epsilon)
            normal = (images - mean - rest) * scale

            def gradient(upstream: Tensor) -> tuple[Tensor, ...]:
                own = tf.stack([tf.reduce_sum(upstream, axes), tf.reduce_sum(upstream * normal, axes)])
                # The statistics are everyone's, so what any replica's loss says about them is for all.
                (total,) = replica_sum([own])
                through_mean, through_scale = tf.unstack(total / count)
                into_images = gamma * scale * (upstream - through_mean - normal * through_scale)
                return into_images, own[1], own[0], None, None, None, None

            return normal * gamma + beta, gradient

        gamma, beta = ops.convert_to_tensor(self.gamma), ops.convert_to_tensor(self.beta)
        outputs = normalize(images, gamma, beta, count, mean, rest, variance)
        self._follow(mean + rest, variance)
        return ops.cast(outputs, self.compute_dtype)


def _normalize_rows(
    images: Tensor, gamma: Tensor, beta: Tensor, count: Tensor, epsilon: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Batch norm of (batch, height, width, channels) over rows of width * channels: result, mean and variance.

    A pass over few channels at a time cannot fill a vector register; one over rows of the image can.
    """
    import tensorflow as tf

    width, channels = images.shape[2:]

    def rows_of(images: Tensor) -> Tensor:
        return tf.cast(tf.reshape(images, (-1, width * channels)), tf.float32)

    def sum_of(rows: Tensor) -> Tensor:
        return tf.reduce_sum(tf.reshape(tf.reduce_sum(rows, 0), (width, channels)), 0)

    def along_row(values: Tensor) -> Tensor:
        return tf.tile(values, [width])

    @tf.custom_gradient
    def normalize(images: Tensor, gamma: Tensor, beta: Tensor, count: Tensor) -> tuple[Tensor, Tensor]:
        rows = rows_of(images)
        mean = sum_of(rows) / count
        centred = rows - along_row(mean)
        # A large mean is rounded by much of a small deviation: what is left of it is taken away as well.
        rest = sum_of(centred) / count
        mean, centred = mean + rest, centred - along_row(rest)
        variance = sum_of(tf.square(centred)) / count
        scale = tf.math.rsqrt(variance + epsilon)
        outputs = centred * along_row(scale * gamma) + along_row(beta)

        def gradient(upstream: Tensor, *_: object) -> tuple[Tensor, ...]:
            upstream = rows_of(upstream)
            normal = centred * along_row(scale)
            into_beta, into_gamma = sum_of(upstream), sum_of(upstream * normal)
            through_mean, through_scale = along_row(into_beta / count), along_row(into_gamma / count)
            into_rows = along_row(gamma * scale) * (upstream - through_mean - normal * through_scale)
            return tf.reshape(tf.cast(into_rows, images.dtype), tf.shape(images)), into_gamma, into_beta, None

        return (tf.reshape(tf.cast(outputs, images.dtype), tf.shape(images)), mean, variance), gradient

    return normalize(images, gamma, beta, count)


def _moments_over_replicas(images: Tensor, axes: list[int]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Number of values a channel, mean and variance of all replicas, float32 scalar and (channels,) three times.

    The mean is a sum of two: one number rounds a large mean by much of a small deviation.

    Every replica sends its own mean and variance in a row of its own, and they are pooled. Sums of squares would need
    no rows, but lose the variance in float32 where the mean is large.
    """
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    mean, variance = tf.nn.moments(images, axes)
    count = tf.cast(tf.reduce_prod(tf.shape(images)[:-1]), tf.float32)
    own = tf.concat([count[None], mean, variance, tf.reduce_mean(images - mean, axes)], axis=0)
    place = tf.one_hot(context.replica_id_in_sync_group, context.num_replicas_in_sync, dtype=tf.float32)
    (rows,) = replica_sum([place[:, None] * own])
    counts = rows[:, :1]
    means, variances, rests = tf.split(rows[:, 1:], 3, axis=1)
    total = tf.reduce_sum(counts)
    shares = counts / total
    mean = means[0]
    apart = means - mean + rests
    rest = tf.reduce_sum(shares * apart, axis=0)
    variance = tf.reduce_sum(shares * (variances + tf.square(apart - rest)), axis=0)
    return total, mean, rest, variance
