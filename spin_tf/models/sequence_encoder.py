from __future__ import annotations

from typing import Any

import keras

from spin_tf._types import Shape, Tensor
from spin_tf.layers import BidirectionalLSTM
from spin_tf.layers.base import ConfiguredLayer


@keras.saving.register_keras_serializable("spin_tf")
class SequenceEncoder(ConfiguredLayer):
    """Stacked bidirectional LSTMs, each followed by a dense layer.

    Args:
        units: of each LSTM, each way.
        features: outputs of the dense layer behind each LSTM.

    Call arguments:
        inputs: (batch, time, channels).

    Returns:
        (batch, time, features[-1]) in the compute dtype.

    Reference: Shi et al., CRNN, PAMI 2017.
    """

    def __init__(self, units: int = 256, features: tuple[int, ...] | list[int] = (256, 512), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.features = list(features)
        self.recurrent = [
            BidirectionalLSTM(units, dtype=self.dtype_policy, name=f"lstm{i}") for i in range(len(features))
        ]
        self.dense = [
            keras.layers.Dense(size, dtype=self.dtype_policy, name=f"dense{i}") for i, size in enumerate(features)
        ]

    def build(self, input_shape: Shape) -> None:
        shape = tuple(input_shape)
        for recurrent, dense in zip(self.recurrent, self.dense, strict=True):
            recurrent.build(shape)
            dense.build((*shape[:-1], 2 * self.units))
            shape = (*shape[:-1], dense.units)
        self.built = True

    def call(self, inputs: Tensor) -> Tensor:
        x = inputs
        for recurrent, dense in zip(self.recurrent, self.dense, strict=True):
            x = dense(recurrent(x))
        return x

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape[:-1], self.features[-1])
