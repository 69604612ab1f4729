from __future__ import annotations

from typing import Any

import keras
from keras import ops

from spin_tf._types import Shape, Tensor
from spin_tf.layers.base import ConfiguredLayer


def forget_gate_bias(shape: tuple[int, ...], dtype: Any = None) -> Any:
    """Zeros, but ones for the forget gate (second of i, f, c, o): the usual start of an LSTM."""
    units = shape[0] // 4
    return ops.cast(ops.concatenate([ops.zeros(units), ops.ones(units), ops.zeros(2 * units)]), dtype or "float32")


def lstm_step(z: Tensor, cell: Tensor, compute_dtype: str) -> tuple[Tensor, Tensor]:
    """One LSTM step from the summed gate inputs `z` (batch, 4 * units; gates i, f, c, o) and the float32 cell state.

    Returns:
        the new output in `compute_dtype` and the new cell state in float32: 26 steps of rounding would add up in it.
    """
    i, f, c, o = ops.split(ops.cast(z, "float32"), 4, axis=-1)
    cell = ops.sigmoid(f) * cell + ops.sigmoid(i) * ops.tanh(c)
    return ops.cast(ops.sigmoid(o) * ops.tanh(cell), compute_dtype), cell


@keras.saving.register_keras_serializable("spin_tf")
class BidirectionalLSTM(ConfiguredLayer):
    """LSTM over a sequence of known length in both directions, outputs side by side.

    Unlike Keras's wrapper, the input products of all steps and both directions are one matrix product, both directions
    share one unrolled loop, and no cuDNN kernel can get into an exported graph. Gates are in Keras's order i, f, c, o.

    Args:
        units: of each direction.

    Call arguments:
        inputs: (batch, time, features), time known when the graph is built.

    Returns:
        (batch, time, 2 * units) in the compute dtype, forward before backward.

    Reference: Graves et al., PAMI 2009; in text recognition, Shi et al., CRNN, PAMI 2017.
    """

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if units < 1:
            raise ValueError(f"units must be at least 1. Received: units={units}")
        self.units = units

    def build(self, input_shape: Shape) -> None:
        if input_shape[1] is None:
            raise ValueError(f"BidirectionalLSTM needs a known sequence length. Received: input_shape={input_shape}")
        gates = 4 * self.units
        for direction in ("forward", "backward"):
            for name, shape, initializer in (
                ("kernel", (input_shape[-1], gates), "glorot_uniform"),
                ("recurrent_kernel", (self.units, gates), "orthogonal"),
                ("bias", (gates,), forget_gate_bias),
            ):
                weight = self.add_weight(name=f"{direction}_{name}", shape=shape, initializer=initializer)
                setattr(self, f"{direction}_{name}", weight)
        self.built = True

    def call(self, inputs: Tensor) -> Tensor:
        steps = inputs.shape[1]
        dtype = self.compute_dtype
        kernel = ops.concatenate([self.forward_kernel, self.backward_kernel], axis=1)
        bias = ops.concatenate([self.forward_bias, self.backward_bias], axis=0)
        z = ops.matmul(inputs, ops.cast(kernel, dtype)) + ops.cast(bias, dtype)
        forward_z, backward_z = ops.split(z, 2, axis=-1)
        forward_z, backward_z = ops.unstack(forward_z, steps, axis=1), ops.unstack(backward_z, steps, axis=1)
        forward_kernel = ops.cast(self.forward_recurrent_kernel, dtype)
        backward_kernel = ops.cast(self.backward_recurrent_kernel, dtype)

        forward, backward = [], []
        forward_out = backward_out = forward_cell = backward_cell = None
        for step in range(steps):
            z_f, z_b = forward_z[step], backward_z[steps - 1 - step]
            if step == 0:
                forward_cell = backward_cell = ops.zeros_like(ops.cast(z_f[:, : self.units], "float32"))
            else:
                z_f = z_f + ops.matmul(forward_out, forward_kernel)
                z_b = z_b + ops.matmul(backward_out, backward_kernel)
            forward_out, forward_cell = lstm_step(z_f, forward_cell, dtype)
            backward_out, backward_cell = lstm_step(z_b, backward_cell, dtype)
            forward.append(forward_out)
            backward.append(backward_out)
        return ops.concatenate([ops.stack(forward, axis=1), ops.stack(backward[::-1], axis=1)], axis=-1)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape[:-1], 2 * self.units)
