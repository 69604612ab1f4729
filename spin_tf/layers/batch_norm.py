from __future__ import annotations

from typing import Any

import keras
from keras import ops

BATCH_NORM_MOMENTUM = 0.9
BATCH_NORM_EPSILON = 1e-5


@keras.saving.register_keras_serializable("spin_tf")
class BatchNorm(keras.layers.BatchNormalization):
    """Keras's batch norm with the paper's constants, trained through TensorFlow's fused kernel.

    Keras spells batch norm out in a dozen passes over the activations, a sixth of a training step on a CPU.
    The fused kernel, used where TensorFlow is the backend, the input has four dimensions and the statistics are those
    of one replica, computes the same (the running variance is rescaled to Keras's, which divides by n).

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

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        fused = training and self.trainable and not self.synchronized and len(inputs.shape) == 4
        if not fused or keras.backend.backend() != "tensorflow":
            return super().call(inputs, training=training, mask=mask)
        from tensorflow.compat.v1.nn import fused_batch_norm

        outputs, mean, variance = fused_batch_norm(
            ops.cast(inputs, self.compute_dtype), self.gamma.value, self.beta.value, epsilon=self.epsilon
        )
        count = ops.cast(ops.prod(ops.shape(inputs)[:3]), "float32")
        biased = variance * ((count - 1.0) / count)
        for running, now in ((self.moving_mean, mean), (self.moving_variance, biased)):
            running.assign(running * self.momentum + now * (1.0 - self.momentum))
        return outputs
