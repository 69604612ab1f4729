"""Models from files: .keras, model_dirs, and weights as .npz parts of under 16 MB, which either backend reads."""

from __future__ import annotations

import contextlib
import glob
import json
import math
import os
import zipfile

import keras
import numpy as np

from spin_tf import config as config_module
from spin_tf._files import remove_others, write_atomically
from spin_tf._resources import find_model, names_instead
from spin_tf._types import Variable
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
    model = SPINRecognizer(config_module.load(os.path.join(folder, "config.yaml")).model)
    wanted = {relative_path(variable): tuple(variable.shape) for variable in model.variables}
    arrays: dict[str, np.ndarray] = {}
    for path in paths:
        arrays |= _read_part(path, wanted)
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
        try:
            with open(calibration, encoding="utf-8") as file:
                model.temperature = float(json.load(file)["temperature"])
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(f"{calibration} holds no temperature: {error}. Received: {folder}") from error
    return model


def _read_part(path: str, wanted: dict[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """The arrays of one part that the model has; none of another shape, which may be any size, is read.

    Raises:
        ValueError: the file is cut off, damaged, or holds something else than numbers.
    """
    arrays = {}
    try:
        with np.load(path, allow_pickle=False) as data, zipfile.ZipFile(path) as members:
            for key in data.files:
                if key not in wanted:
                    continue
                # Eight bytes a number and the header of the array.
                size = members.getinfo(f"{key}.npy").file_size
                if size > 8 * math.prod(wanted[key]) + 4096:
                    raise ValueError(f"{key} of {wanted[key]} is wanted, there are {size} bytes")
                arrays[key] = data[key]
                if arrays[key].dtype.kind not in "fiu":
                    raise ValueError(f"{key} holds no numbers but {arrays[key].dtype}")
    # numpy and zipfile raise nearly anything on damaged files, and ask for memory by a damaged header.
    except Exception as error:
        reason = " ".join(f"{error or type(error).__name__}".split())[:300]
        raise ValueError(f"{path} is not a whole file of weights: {reason}. Received: {path}") from error
    return arrays


def relative_path(variable: Variable) -> str:
    """A variable's path inside its model: the model's own name says nothing about a weight."""
    return variable.path.split("/", 1)[-1]


PART_BYTES = 15 * 2**20


def save_weights(folder: str, model: SPINRecognizer) -> list[str]:
    """Writes weights-0000i-of-000NN.npz, each under 16 MB: float16, but batch statistics float32.

    Args:
        folder: of the run; its config.yaml says what the weights belong to.
        model: whose weights they are.

    Returns:
        the paths.
    """
    parts: list[dict[str, np.ndarray]] = [{}]
    room = PART_BYTES
    for variable in model.variables:
        value = np.asarray(variable, np.float32)
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


def load_model(path: str | os.PathLike[str]) -> SPINRecognizer:
    """Loads a trained recogniser from a `.keras` file, the best weights of a model_dir, a folder of weights-*.npz, or
    weights that travel with the package by their name.

    Raises:
        FileNotFoundError: nothing is there, or the folder holds no trained model.
        ValueError: the file is not a recogniser of this package.
    """
    path = os.fspath(find_model(path))
    if os.path.isdir(path):
        inside = os.path.join(path, "best.keras")
        if not os.path.exists(inside):
            if find_weights(path):
                return load_weights(path)
            raise FileNotFoundError(
                f"{path} holds no best.keras and no weights-*.npz; is it a model_dir? Received: {path}"
            )
        path = inside
    if not os.path.exists(path):
        raise FileNotFoundError(f"there is no such model{names_instead(path)}. Received: {path}")
    if not zipfile.is_zipfile(path):
        raise ValueError(f"not a .keras file. Received: {path}")
    try:
        model = keras.models.load_model(path, compile=False)
    except (MemoryError, RecursionError) as error:
        raise ValueError(f"{path} cannot be loaded: {type(error).__name__}. Received: {path}") from error
    except OSError as error:
        raise ValueError(f"{path} is cut off or damaged: {error}. Received: {path}") from error
    # Keras raises nearly anything on files without config.json, of classes that are gone, with weights that do not fit.
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise ValueError(f"{path} holds no model that this version can load: {reason}. Received: {path}") from error
    if not isinstance(model, SPINRecognizer):
        raise ValueError(f"{path} holds a {type(model).__name__}, not a SPINRecognizer. Received: {path}")
    return model
