"""Published checkpoints as models of this package: PaddleOCR's GA-SPIN, DAVAR-Lab-OCR's GA-SPIN and SPIN."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from spin_tf.charset import Charset
from spin_tf.importers.naming import DAVAR, StateDict, model_config, naming_of
from spin_tf.layers import BidirectionalLSTM, ConvNorm
from spin_tf.layers.thin_plate_spline import grid_matrix
from spin_tf.models import SPINRecognizer
from spin_tf.models.backbone import ResNet32
from spin_tf.models.transformation import Transformation

# Published charsets by the number of classes, start and end included.
_CHARSETS = {70: "68", 38: "36"}


def model_from_state_dict(arrays: dict[str, np.ndarray], charset: Charset | None = None) -> SPINRecognizer:
    """Builds the recogniser whose weights a published state dict holds.

    Args:
        arrays: name -> array, as `spin_tf.importers.checkpoint_file.read_state_dict` returns them.
        charset: its characters in the order of its classes; needed unless it has 70 or 38 classes.

    Returns:
        a model whose `config` says in what the implementation differs from the paper (see the presets of
        `spin_tf.config`).

    Raises:
        ValueError: one that lists every missing, surplus, wrongly shaped and contradictory array, or one for a charset
            that does not fit.
    """
    state = StateDict(arrays, naming_of(arrays))
    classes = state.shape(f"{state.naming.head}generator.bias", (70,))[0]
    if charset is None:
        if classes not in _CHARSETS:
            raise ValueError(
                "the charset of the checkpoint is not one of the published ones; give its characters in a file. "
                f"Received: {classes} classes, {classes - 2} characters"
            )
        charset = Charset.from_spec(_CHARSETS[classes])
    elif len(charset.characters) + 2 != classes:
        raise ValueError(
            f"the charset must have {classes - 2} characters, two less than the checkpoint has classes. "
            f"Received: charset={charset.name!r} of {len(charset.characters)}"
        )
    spec = charset.name if charset.name in _CHARSETS.values() else f"chars:{charset.characters}"
    model = SPINRecognizer(model_config(state, spec), charset=charset.to_dict())
    assign(model, state)
    return model


def assign(model: SPINRecognizer, state: StateDict) -> None:
    """Copies every array of a state dict into the model, once it is known that all of them fit."""
    pairs: list[tuple[Any, np.ndarray]] = []
    if model.transformation is not None:
        pairs += _transformation(model.transformation, state)
    pairs += _backbone(model.backbone, state)
    for i, (recurrent, dense) in enumerate(zip(model.encoder.recurrent, model.encoder.dense, strict=True)):
        prefix = state.naming.encoder.format(i)
        pairs += _bidirectional(recurrent, state, prefix)
        pairs += _dense(dense, state, f"{prefix}linear")
    pairs += _decoder(model.decoder, state)
    taken = {id(variable) for variable, _ in pairs}
    forgotten = [weight.path for weight in model.weights if id(weight) not in taken]
    if forgotten:
        raise ValueError(f"the checkpoint has no place for some weights. Received: {', '.join(forgotten)}")
    state.finish()
    for variable, value in pairs:
        variable.assign(value)


def _shape(variable: Any) -> tuple[int, ...]:
    return tuple(variable.shape)


def _norm(layer: keras.layers.BatchNormalization, state: StateDict, name: str) -> list[tuple[Any, np.ndarray]]:
    n = state.naming
    return [
        (variable, state.take(f"{name}.{suffix}", _shape(variable)))
        for variable, suffix in (
            (layer.gamma, "weight"),
            (layer.beta, "bias"),
            (layer.moving_mean, n.mean),
            (layer.moving_variance, n.variance),
        )
    ]


def _conv_norm(layer: ConvNorm, state: StateDict, conv: str, norm: str) -> list[tuple[Any, np.ndarray]]:
    kernel = layer.conv.kernel
    return [(kernel, state.convolution(conv, _shape(kernel))), *_norm(layer.norm, state, norm)]


def _dense(layer: keras.layers.Dense, state: StateDict, name: str) -> list[tuple[Any, np.ndarray]]:
    return [
        (layer.kernel, state.dense(name, _shape(layer.kernel))),
        (layer.bias, state.take(f"{name}.bias", _shape(layer.bias))),
    ]


def _transformation(layer: Transformation, state: StateDict) -> list[tuple[Any, np.ndarray]]:
    prefix = state.naming.transformation
    pairs: list[tuple[Any, np.ndarray]] = []
    # The numbers are positions in the originals' sequences: convolution, norm, ReLU, pool.
    for i, conv in enumerate(layer.trunk):
        pairs += _conv_norm(conv, state, f"{prefix}spt_convnet.{4 * i}", f"{prefix}spt_convnet.{4 * i + 1}")
    for i, conv in enumerate(layer.head):
        pairs += _conv_norm(conv, state, f"{prefix}stucture_fc1.{4 * i}", f"{prefix}stucture_fc1.{4 * i + 1}")
    pairs += _dense(layer.hidden, state, f"{prefix}stucture_fc1.13")
    pairs += _norm(layer.hidden_norm, state, f"{prefix}stucture_fc1.14")
    pairs += _dense(layer.parameters_layer, state, f"{prefix}stucture_fc2")
    if layer.spn.affine:
        pairs += [
            (layer.spn.scale, state.take(f"{prefix}sp_net.bn.scale", (1,))),
            (layer.spn.bias, state.take(f"{prefix}sp_net.bn.bias", (1,))),
        ]
    if layer.has_offset:
        pairs += _conv_norm(layer.ain.conv1, state, f"{prefix}offset_fc1.0", f"{prefix}offset_fc1.1")
        kernel, bias = layer.ain.conv2.kernel, layer.ain.conv2.bias
        pairs += [
            (kernel, state.convolution(f"{prefix}offset_fc2", _shape(kernel))),
            (bias, state.take(f"{prefix}offset_fc2.bias", _shape(bias))),
        ]
    if layer.has_grid:
        pairs += _grid(layer, state, f"{prefix}GridGenerator.")
    return pairs


def _grid(layer: Transformation, state: StateDict, prefix: str) -> list[tuple[Any, np.ndarray]]:
    tps = layer.tps
    if tps.extra_rows:
        kernel, bias = tps.extra_kernel, tps.extra_bias
        return [(kernel, state.dense(f"{prefix}fc", _shape(kernel))), (bias, state.take(f"{prefix}fc.bias", (6,)))]
    if state.naming is DAVAR:
        rows, points = layer.image_size[0] * layer.image_size[1], tps.num_control_points
        inverse = state.take(f"{prefix}inv_delta_C", (points + 3, points + 3))
        target = state.take(f"{prefix}P_hat", (rows, points + 3))
        found = inverse.any() and target.any()
        if found and not np.allclose(target @ inverse, grid_matrix(points, layer.image_size), atol=1e-3):
            state.note(f"{prefix}P_hat and inv_delta_C are another spline than ours")
    return []


def _backbone(layer: ResNet32, state: StateDict) -> list[tuple[Any, np.ndarray]]:
    prefix = state.naming.backbone
    pairs: list[tuple[Any, np.ndarray]] = []
    for stage in layer.stages:
        if isinstance(stage, ConvNorm):  # conv0_1 goes with bn0_1
            pairs += _conv_norm(stage, state, prefix + stage.name, prefix + stage.name.replace("conv", "bn"))
        elif stage.name.startswith("block"):
            number, index = stage.name.removeprefix("block").split("_")
            name = f"{prefix}layer{number}.{index}."
            pairs += _conv_norm(stage.conv1, state, f"{name}conv1", f"{name}bn1")
            pairs += _conv_norm(stage.conv2, state, f"{name}conv2", f"{name}bn2")
            if stage.projection is not None:
                pairs += _conv_norm(stage.projection, state, f"{name}downsample.0", f"{name}downsample.1")
    return pairs


def _bidirectional(layer: BidirectionalLSTM, state: StateDict, prefix: str) -> list[tuple[Any, np.ndarray]]:
    """The gates are in the same order i, f, g = c, o; the originals' two biases are added up."""
    pairs: list[tuple[Any, np.ndarray]] = []
    for direction, suffix, cell in (("forward", "_l0", "cell_fw"), ("backward", "_l0_reverse", "cell_bw")):
        kernel, recurrent, bias = (getattr(layer, f"{direction}_{w}") for w in ("kernel", "recurrent_kernel", "bias"))

        def take(name: str, shape: tuple[int, ...], suffix: str = suffix, cell: str = cell) -> np.ndarray:
            return state.take(f"{prefix}rnn.{name}{suffix}", shape, duplicate=f"{prefix}rnn.0.{cell}.{name}")

        pairs += [
            (kernel, take("weight_ih", _shape(kernel)[::-1]).T),
            (recurrent, take("weight_hh", _shape(recurrent)[::-1]).T),
            (bias, take("bias_ih", _shape(bias)) + take("bias_hh", _shape(bias))),
        ]
    return pairs


def _decoder(layer: Any, state: StateDict) -> list[tuple[Any, np.ndarray]]:
    """The cell's input is [context, one-hot of the previous token]: ours holds the two parts of its matrix."""
    head = state.naming.head
    cell = f"{head}attention_cell."
    features, gates = _shape(layer.context_kernel)
    kernel = state.take(f"{cell}rnn.weight_ih", (gates, features + layer.vocabulary_size)).T
    return [
        (layer.state_projection, state.dense(f"{cell}i2h", _shape(layer.state_projection))),
        (layer.query_projection, state.dense(f"{cell}h2h", _shape(layer.query_projection))),
        (layer.query_bias, state.take(f"{cell}h2h.bias", _shape(layer.query_bias))),
        (layer.score, state.dense(f"{cell}score", _shape(layer.score))),
        (layer.context_kernel, kernel[:features]),
        (layer.token_kernel, kernel[features:]),
        (layer.recurrent_kernel, state.take(f"{cell}rnn.weight_hh", _shape(layer.recurrent_kernel)[::-1]).T),
        (layer.bias, state.take(f"{cell}rnn.bias_ih", (gates,)) + state.take(f"{cell}rnn.bias_hh", (gates,))),
        (layer.generator, state.dense(f"{head}generator", _shape(layer.generator))),
        (layer.generator_bias, state.take(f"{head}generator.bias", _shape(layer.generator_bias))),
    ]
