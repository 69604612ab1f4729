"""How the two public implementations name their weights, and what else they do differently."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Naming:
    """One implementation's names and layout.

    Args:
        name: how messages call it.
        preset: key of `spin_tf.config.PRESETS` with the settings that this implementation implies.
        transformation, backbone, encoder, head: prefixes of the stages; `encoder` takes the number of the layer.
        mean, variance: names of batch norm's statistics.
        transposed_dense: dense weights are (out, in).
        ignored: pattern of names that hold no weights.
    """

    name: str
    preset: str
    transformation: str
    backbone: str
    encoder: str
    head: str
    mean: str
    variance: str
    transposed_dense: bool
    ignored: str


PADDLE = Naming(
    name="PaddleOCR",
    preset="paddle_parity",
    transformation="transform.",
    backbone="backbone.ConvNet.",
    encoder="neck.encoder.encoder.{}.",
    head="head.",
    mean="_mean",
    variance="_variance",
    transposed_dense=False,
    ignored=r"$^",
)
DAVAR = Naming(
    name="DAVAR-Lab-OCR",
    preset="davar_parity",
    transformation="transformation.",
    backbone="backbone.ConvNet.",
    encoder="sequence_module.SequenceModeling.{}.",
    head="sequence_head.",
    mean="running_mean",
    variance="running_var",
    transposed_dense=True,
    # The two constants of the spline are checked by `check_grid`.
    ignored=r".*\.num_batches_tracked$|transformation\.GridGenerator\.(inv_delta_C|P_hat)$",
)


def naming_of(arrays: dict[str, np.ndarray]) -> Naming:
    """The implementation that wrote a state dict.

    Raises:
        ValueError: for names of neither.
    """
    fitting = {
        n.name: sum(name.startswith((n.head, n.encoder.split("{")[0])) for name in arrays) for n in (PADDLE, DAVAR)
    }
    if not any(fitting.values()):
        raise ValueError(
            "the checkpoint is neither PaddleOCR's rec_r32_gaspin_bilstm_att nor a recogniser of DAVAR-Lab-OCR. "
            f"Received: {len(arrays)} arrays, {', '.join(sorted(arrays)[:3])}, ..."
        )
    return PADDLE if fitting[PADDLE.name] >= fitting[DAVAR.name] else DAVAR


class StateDict:
    """A state dict from which weights are taken; it notes what is missing, wrongly shaped and left over.

    Args:
        arrays: name -> array.
        naming: whose names they are.
    """

    def __init__(self, arrays: dict[str, np.ndarray], naming: Naming) -> None:
        self.naming = naming
        self._arrays = arrays
        self._used = {name for name in arrays if re.match(naming.ignored, name)}
        self._problems: list[str] = []

    def __contains__(self, prefix: str) -> bool:
        return any(name.startswith(prefix) for name in self._arrays)

    def shape(self, name: str, default: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of an array, or `default` where it is missing or has another number of dimensions."""
        array = self._arrays.get(name)
        return array.shape if array is not None and array.ndim == len(default) else default

    def note(self, problem: str) -> None:
        """Adds a problem to what `finish` tells."""
        self._problems.append(problem)

    def take(self, name: str, shape: tuple[int, ...], duplicate: str = "") -> np.ndarray:
        """The array `name`; zeros after a problem, so that all problems can be told at once.

        Args:
            name: its name.
            shape: the shape it must have.
            duplicate: a second name that the same array may go by, instead or besides.
        """
        found = [n for n in (name, duplicate) if n in self._arrays]
        self._used.update(found)
        if not found:
            self._problems.append(f"missing {name} {shape}")
            return np.zeros(shape, np.float32)
        for n in found:
            array = self._arrays[n]
            if array.shape != shape or array.dtype != np.float32:
                self._problems.append(f"{n} is {array.shape} {array.dtype}, not {shape} float32")
                return np.zeros(shape, np.float32)
        if len(found) == 2 and not np.array_equal(self._arrays[name], self._arrays[duplicate]):
            self._problems.append(f"{name} and {duplicate} are one array under two names, and differ")
        return self._arrays[name] if name in self._arrays else self._arrays[duplicate]

    def convolution(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """A kernel of `shape` (height, width, in, out)."""
        height, width, inputs, outputs = shape
        return self.take(f"{name}.weight", (outputs, inputs, height, width)).transpose(2, 3, 1, 0)

    def dense(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """A matrix of `shape` (in, out)."""
        return (
            self.take(f"{name}.weight", shape[::-1]).T
            if self.naming.transposed_dense
            else self.take(f"{name}.weight", shape)
        )

    def finish(self) -> None:
        """Raises `ValueError` with every problem met and every array that nothing has taken."""
        problems = [
            *self._problems,
            *(f"surplus {n} {self._arrays[n].shape}" for n in self._arrays if n not in self._used),
        ]
        if problems:
            raise ValueError(
                f"the checkpoint of {self.naming.name} does not fit the network. "
                f"Received: {len(problems)} differences: {'; '.join(problems)}"
            )


def model_config(state: StateDict, charset_spec: str) -> dict[str, Any]:
    """The configuration, as for `spin_tf.config.ModelConfig`, of the network whose weights a state dict holds.

    Sizes come from the shapes of the arrays, the variant from which arrays there are, the rest from the preset of the
    implementation.
    """
    from spin_tf.config import PRESETS

    n = state.naming
    width = state.shape(f"{n.backbone}conv4_2.weight", (512, 512, 2, 2))[0]
    layers = sum(n.encoder.format(i) in state for i in range(8)) or 2
    dense_axis = 0 if n.transposed_dense else 1
    features = [state.shape(f"{n.encoder.format(i)}linear.weight", (width, width))[dense_axis] for i in range(layers)]
    units = state.shape(f"{n.encoder.format(0)}rnn.weight_hh_l0", (4 * width // 2, width // 2))[1]
    decoder_units = state.shape(f"{n.head}attention_cell.rnn.weight_hh", (4 * width // 2, width // 2))[1]
    offset, grid = f"{n.transformation}offset_fc1." in state, f"{n.transformation}GridGenerator." in state
    transformation: dict[str, Any] = {"name": "none"}
    if n.transformation in state:
        outputs = state.shape(f"{n.transformation}stucture_fc2.bias", (13 + offset + 40 * grid,))[0]
        points = 20
        pairs = (outputs - offset - 2 * points * grid - 1) // 2
        transformation = {
            **PRESETS[n.preset],
            "name": ("ga_" if grid else "") + ("spin" if offset else "spn"),
            "num_power_pairs": max(pairs, 1),
            "num_control_points": points,
            "localization_width": state.shape(f"{n.transformation}spt_convnet.0.weight", (32, 1, 3, 3))[0],
        }
        transformation["extra_rows"] = transformation["extra_rows"] and grid
    return {
        "name": "spin",
        "charset": charset_spec,
        "transformation": transformation,
        "backbone": {"width": width},
        "encoder": {"units": units, "features": features},
        "decoder": {"units": decoder_units},
    }
