"""Weights as .npz parts that either backend reads: what pretraining and laps hand on."""

from __future__ import annotations

import contextlib
import os

import numpy as np

from spin_tf._files import remove_others, write_atomically
from spin_tf.models import SPINRecognizer
from spin_tf.models.weights import CALIBRATION_FILE, find_weights, relative_path

PART_BYTES = 15 * 2**20


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
        parts[-1][relative_path(variable)] = value
        room -= value.nbytes
    old = find_weights(folder)
    paths = []
    for i, arrays in enumerate(parts):
        path = os.path.join(folder, f"weights-{i:05d}-of-{len(parts):05d}.npz")

        def write(temporary: str, arrays: dict[str, np.ndarray] = arrays) -> None:
            np.savez(temporary, **arrays)  # type: ignore[arg-type]

        write_atomically(path, write)
        paths.append(path)
    remove_others(old, paths)
    # It was fitted to the weights that were here before.
    with contextlib.suppress(FileNotFoundError):
        os.remove(os.path.join(folder, CALIBRATION_FILE))
    return paths
