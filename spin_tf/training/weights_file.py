"""Weights as .npz parts that either backend reads: what pretraining hands to training."""

from __future__ import annotations

import glob
import os
from typing import Any

import numpy as np

from spin_tf import config as config_module
from spin_tf.models import SPINRecognizer
from spin_tf.training.checkpoints import write_atomically

PART_BYTES = 15 * 2**20


def find_weights(folder: str) -> list[str]:
    """The parts of a folder, in order."""
    return sorted(glob.glob(os.path.join(glob.escape(folder), "weights-?????-of-?????.npz")))


def save_weights(folder: str, model: SPINRecognizer, values: dict[str, np.ndarray]) -> list[str]:
    """Writes weights-0000i-of-000NN.npz, each under 16 MB: float16, but batch statistics float32.

    Args:
        folder: of the run; its config.yaml says what the weights belong to.
        model: whose weights they are.
        values: by `variable.path`; a weight that is missing is taken from the model.

    Returns:
        the paths.
    """
    parts: list[dict[str, np.ndarray]] = [{}]
    room = PART_BYTES
    for variable in model.variables:
        value = np.asarray(values.get(variable.path, variable), np.float32)
        # A variance may lie outside the range of float16.
        if "/moving_" not in variable.path:
            value = value.astype(np.float16)
        if value.nbytes > room and parts[-1]:
            parts.append({})
            room = PART_BYTES
        parts[-1][_relative(variable)] = value
        room -= value.nbytes
    old = set(find_weights(folder))
    paths = []
    for i, arrays in enumerate(parts):
        path = os.path.join(folder, f"weights-{i:05d}-of-{len(parts):05d}.npz")

        def write(temporary: str, arrays: dict[str, np.ndarray] = arrays) -> None:
            np.savez(temporary, **arrays)  # type: ignore[arg-type]

        write_atomically(path, write)
        paths.append(path)
    for path in old - set(paths):
        os.remove(path)
    return paths


def load_weights(folder: str) -> SPINRecognizer:
    """Builds the model of a folder's config.yaml with the folder's weights, under the backend that is running.

    Raises:
        FileNotFoundError: there are no weights, or a part is missing.
        ValueError: they do not belong to the configuration; names a weight.
    """
    paths = find_weights(folder)
    if not paths or len(paths) != int(paths[-1][-9:-4]):
        raise FileNotFoundError(f"there are not all parts weights-*.npz. Received: {folder} with {len(paths)} parts")
    arrays: dict[str, Any] = {}
    for path in paths:
        with np.load(path, allow_pickle=False) as data:
            arrays |= {key: data[key] for key in data.files}
    model = SPINRecognizer(config_module.load(os.path.join(folder, "config.yaml")).model)
    for variable in model.variables:
        value = arrays.get(_relative(variable))
        if value is None or value.shape != tuple(variable.shape):
            raise ValueError(
                f"{folder}: {_relative(variable)} of {tuple(variable.shape)} is wanted. "
                f"Received: {None if value is None else value.shape}"
            )
        variable.assign(value.astype(np.float32))
    return model


def _relative(variable: Any) -> str:
    return variable.path.split("/", 1)[-1]
