from __future__ import annotations

from typing import Any

import keras
from keras import ops

from spin_tf._types import Shape, Tensor
from spin_tf.contract.preprocessing import axis_weights
from spin_tf.layers.base import ConfiguredLayer
from spin_tf.layers.conv_norm import ConvNorm


@keras.saving.register_keras_serializable("spin_tf")
class InnerOffset(ConfiguredLayer):
    """AIN: an offset for every pixel's intensity, drawn from the localisation features.

    Convolution of `filters` channels with normalisation and ReLU, convolution to one channel, 2 x 2 max-pool, sigmoid,
    bilinear upsampling (half-pixel centres) to the image's size.

    Args:
        image_size: (height, width) of the offset image; a call may ask for another width.
        filters: channels of the first convolution.
        frozen_statistics: normalise by the stored statistics in training too (PaddleOCR).
        synchronized: compute the batch statistics over all replicas.

    Call arguments:
        features: (batch, h, w, channels).
        width: of the offset image; None is that of `image_size`.

    Returns:
        (batch, height, width, 1) in [0, 1], in the compute dtype.

    Reference: Zhang et al., AAAI 2021, section 3.3.
    """

    def __init__(
        self,
        image_size: tuple[int, int],
        filters: int = 16,
        frozen_statistics: bool = False,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.image_size = (int(image_size[0]), int(image_size[1]))
        self.filters = filters
        self.frozen_statistics = frozen_statistics
        self.synchronized = synchronized
        self.conv1 = ConvNorm(
            filters,
            frozen_statistics=frozen_statistics,
            synchronized=synchronized,
            dtype=self.dtype_policy,
            name="conv1",
        )
        self.conv2 = keras.layers.Conv2D(1, 3, padding="same", dtype=self.dtype_policy, name="conv2")
        self.pool = keras.layers.MaxPooling2D(2, dtype=self.dtype_policy)

    def build(self, features_shape: Shape) -> None:
        self.conv1.build(features_shape)
        self.conv2.build((*features_shape[:-1], self.filters))
        self.built = True

    def call(self, features: Tensor, training: bool = False, width: int | None = None) -> Tensor:
        x = self.pool(self.conv2(self.conv1(features, training=training)))
        x = ops.sigmoid(ops.cast(x, "float32"))
        # Two matrix products instead of an image resize: ONNX stores a resize as a scale, and 100 / 6 is not one that
        # comes back as 100 columns.
        rows = axis_weights(x.shape[1], self.image_size[0])
        columns = axis_weights(x.shape[2], width or self.image_size[1])
        x = ops.matmul(rows, ops.matmul(x[..., 0], columns.T))
        return ops.cast(x[..., None], self.compute_dtype)

    def compute_output_shape(self, features_shape: Shape, width: int | None = None) -> Shape:
        return (features_shape[0], self.image_size[0], width or self.image_size[1], 1)
