from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from spin_tf._types import JsonObject, Shape, Tensor
from spin_tf.config import TransformationConfig
from spin_tf.layers import BatchNorm, ConvNorm, GridSample, InnerOffset, StructurePreservingTransform, ThinPlateSpline
from spin_tf.layers.base import ConfiguredLayer
from spin_tf.layers.thin_plate_spline import base_points

# Channels in units of the localisation width (32 in the paper).
TRUNK, HEAD, HIDDEN = (1, 2, 4), (8, 8, 16), 8


def initial_control_points(num_control_points: int, kind: str) -> np.ndarray:
    """(F, 2) points from which training starts: "identity", or the "slanted" ones of both published codes."""
    points = base_points(num_control_points)
    if kind == "slanted":
        half = num_control_points // 2
        points[:half, 1] = np.linspace(0, -1, half)
        points[half:, 1] = np.linspace(1, 0, half)
    return points


@keras.saving.register_keras_serializable("spin_tf")
class Transformation(ConfiguredLayer):
    """Rectification of a crop: chromatic (SPN, AIN) first, geometric (TPS) second.

    A localisation trunk feeds the parameter head (weights of the structure-preserving transformation, the gate of the
    offsets, the control points) and the offset head. The head's last layer starts with zero weights, so that training
    starts from a fixed transformation; it learns at a tenth of the learning rate (`loc_lr`).

    Args:
        config: `TransformationConfig` as a dict; its name is not "none".
        image_size: (height, width).
        synchronized: batch statistics over all replicas.

    Call arguments:
        image: (batch, height, width, 1) in [-1, 1], of any width: no weight depends on it.

    Returns:
        dict of image (batch, height, width, 1), and where the variant has them: weights (batch, 2K + 1), gate
        (batch, 1), offset (batch, height, width, 1), chromatic (batch, height, width, 1: the image before the geometric
        step), control_points (batch, F, 2), grid (batch, height, width, 2).

    Reference: Zhang et al., AAAI 2021, figure 2.
    """

    def __init__(
        self, config: JsonObject, image_size: tuple[int, int], synchronized: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.config = dict(config)
        self.image_size = (int(image_size[0]), int(image_size[1]))
        self.synchronized = synchronized
        c = TransformationConfig(**config)
        if c.name == "none":
            raise ValueError(f"a Transformation transforms. Received: name={c.name!r}")
        self.has_spn = c.name != "tps"
        self.has_offset = c.name in ("spin", "ga_spin")
        self.has_grid = c.name in ("tps", "ga_spn", "ga_spin")
        self.num_weights = 2 * c.num_power_pairs + 1
        self.num_control_points = c.num_control_points
        frozen = c.localization_norm == "scale_shift"
        common = {"frozen_statistics": frozen, "synchronized": synchronized, "dtype": self.dtype_policy}
        width = c.localization_width
        self.trunk = [ConvNorm(m * width, name=f"trunk{i}", **common) for i, m in enumerate(TRUNK)]
        self.head = [ConvNorm(m * width, name=f"head{i}", **common) for i, m in enumerate(HEAD)]
        self.pool = keras.layers.MaxPooling2D(2, dtype=self.dtype_policy)
        self.hidden = keras.layers.Dense(HIDDEN * width, dtype=self.dtype_policy, name="hidden")
        self.hidden_norm = BatchNorm(synchronized=synchronized, dtype=self.dtype_policy, name="hidden_norm")
        # float32: a control point moves pixels, and bfloat16 has 8 bits.
        self.parameters_layer = keras.layers.Dense(
            self._num_parameters(),
            kernel_initializer="zeros",
            bias_initializer=self._initial_bias,
            dtype="float32",
            name="localization_output",
        )
        if self.has_spn:
            self.spn = StructurePreservingTransform(
                c.num_power_pairs, affine=c.instance_norm_affine, dtype=self.dtype_policy, name="spn"
            )
        if self.has_offset:
            self.ain = InnerOffset(self.image_size, name="ain", **common)
        if self.has_grid:
            self.tps = ThinPlateSpline(
                self.image_size, c.num_control_points, c.extra_rows, dtype=self.dtype_policy, name="tps"
            )
            self.sample = GridSample(c.align_corners, dtype=self.dtype_policy, name="sample")

    def _num_parameters(self) -> int:
        return self.has_spn * self.num_weights + self.has_offset + self.has_grid * 2 * self.num_control_points

    def _initial_bias(self, shape: Shape, dtype: Any = None) -> Any:
        bias: list[float] = []
        if self.has_spn:
            bias += [0.0] * (self.num_weights - 1) + [5.0]
        if self.has_offset:
            bias += [-5.0]
        if self.has_grid:
            kind = TransformationConfig(**self.config).initial_control_points
            bias += initial_control_points(self.num_control_points, kind).ravel().tolist()
        return ops.convert_to_tensor(np.asarray(bias, "float32"), dtype=dtype or "float32")

    def build(self, image_shape: Shape) -> None:
        height, width = self.image_size
        shape: Shape = (None, height, width, 1)
        for layer in self.trunk:
            layer.build(shape)
            shape = (None, shape[1] // 2, shape[2] // 2, layer.filters)
        features_shape = shape
        for i, layer in enumerate(self.head):
            layer.build(shape)
            halved = 2 if i < len(self.head) - 1 else 1
            shape = (None, shape[1] // halved, shape[2] // halved, layer.filters)
        self.hidden.build((None, shape[-1]))
        self.hidden_norm.build((None, self.hidden.units))
        self.parameters_layer.build((None, self.hidden.units))
        if self.has_spn:
            self.spn.build((None, height, width, 1))
        if self.has_offset:
            self.ain.build(features_shape)
        if self.has_grid:
            self.tps.build((None, self.num_control_points, 2))
            self.sample.build((None, height, width, 1))
        self.built = True

    def call(self, image: Tensor, training: bool = False) -> dict[str, Tensor]:
        columns = image.shape[2]
        x = ops.cast(image, self.compute_dtype)
        for layer in self.trunk:
            x = self.pool(layer(x, training=training))
        features = x
        for layer in self.head[:-1]:
            x = self.pool(layer(x, training=training))
        x = ops.mean(self.head[-1](x, training=training), axis=(1, 2))
        x = ops.relu(self.hidden_norm(self.hidden(x), training=training))
        parameters = self.parameters_layer(x)

        result: dict[str, Tensor] = {"image": image}
        used = 0
        if self.has_spn:
            result["weights"] = parameters[:, : self.num_weights]
            used = self.num_weights
            if self.has_offset:
                result["gate"] = parameters[:, used : used + 1]
                result["offset"] = self.ain(features, training=training, width=columns)
                used += 1
            result["image"] = self.spn(image, result["weights"], result.get("gate"), result.get("offset"))
            result["chromatic"] = result["image"]
        if self.has_grid:
            result["control_points"] = ops.reshape(parameters[:, used:], (-1, self.num_control_points, 2))
            result["grid"] = self.tps(result["control_points"], width=columns)
            result["image"] = self.sample(result["image"], result["grid"])
        return result
