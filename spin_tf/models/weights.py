"""Weights as .npz parts of under 16 MB, which either backend reads."""

from __future__ import annotations

import glob
import json
import os
from typing import Any

import numpy as np

from spin_tf import config as config_module
from spin_tf.models.spin_recognizer import SPINRecognizer

CALIBRATION_FILE = "calibration.json"


def find_weights(folder: str) -> list[str]:
    """The parts of a folder, in order."""
    return sorted(glob.glob(os.path.join(glob.escape(folder), "weights-?????-of-?????.npz")))


def load_weights(folder: str) -> SPINRecognizer:
    """Builds the model of a folder's config.yaml with the folder's weights, under the backend that is running.

    Where `bin/calibrate.py` has written a calibration.json, the model has its temperature.

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
        value = arrays.get(relative_path(variable))
        if value is None or value.shape != tuple(variable.shape):
            raise ValueError(
                f"{folder}: {relative_path(variable)} of {tuple(variable.shape)} is wanted. "
                f"Received: {None if value is None else value.shape}"
            )
        variable.assign(value.astype(np.float32))
    calibration = os.path.join(folder, CALIBRATION_FILE)
    if os.path.exists(calibration):
        with open(calibration, encoding="utf-8") as file:
            model.temperature = float(json.load(file)["temperature"])
    return model


def relative_path(variable: Any) -> str:
    """A variable's path inside its model: the model's own name says nothing about a weight."""
    return variable.path.split("/", 1)[-1]
