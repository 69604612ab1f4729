"""What the `Recognizer` needs of a model, and the models that offer it."""

from __future__ import annotations

import importlib.resources
import os
import pathlib
from typing import Protocol, runtime_checkable

import numpy as np

from spin_tf._extras import require
from spin_tf._input_files import check_regular
from spin_tf._resources import find_model, names_instead, resource
from spin_tf._types import JsonObject, Tensor
from spin_tf.reading.litert import LiteRTModel


class WordModel(Protocol):
    """What the `Recognizer` needs of a model: LiteRT files, `.keras` files and SavedModels all offer it.

    `predict_words` takes float32 (n, height, width, 1) in [-1, 1] and returns numpy probabilities (n, steps, classes)
    and positions (n, steps); `metadata` holds charset, image_size and max_length. A model that also reads in a process
    forked from its own has an attribute `survives_fork`, True.
    """

    @property
    def metadata(self) -> JsonObject: ...

    def predict_words(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]: ...


@runtime_checkable
class RectifyingModel(Protocol):
    """A model that can show its stages, where `can_rectify` says so: see `SPINRecognizer.rectify`."""

    @property
    def can_rectify(self) -> bool: ...

    def rectify(self, images: np.ndarray) -> dict[str, Tensor]: ...


def bundled_model() -> pathlib.Path:
    """Where the model that ships lies: inside an installed package, or in exported/ of a clone."""
    return resource("exported", "spin.tflite")


def zipped_model() -> bytes | None:
    """The bundled model where it lies in no folder: inside a zip file on the path of Python; None elsewhere."""
    if bundled_model().exists():
        return None
    package = importlib.resources.files("spin_tf")
    # In a zip file of a clone, it lies beside the package.
    for place in (package, getattr(package, "parent", None)):
        file = place.joinpath("exported", "spin.tflite") if place is not None else None
        if file is not None and file.is_file():
            return file.read_bytes()
    return None


def load_word_model(model: str | os.PathLike[str] | None, num_threads: int) -> WordModel:
    """Loads a `.tflite`, `.onnx` or `.keras` file, a model_dir, a SavedModel folder, or weights that travel with the
    package by their name; None is the bundled model.

    Raises:
        FileNotFoundError: nothing is there.
        MissingExtraError: `.onnx` needs ONNX Runtime, and anything but `.tflite` TensorFlow.
        ValueError: not a model of spin_tf.
    """
    if model is not None and not os.fspath(model):
        raise ValueError(
            "A model has a name; without one, leave it out, and the bundled model reads. Received: model=''"
        )
    if model is None and (content := zipped_model()) is not None:
        return LiteRTModel(bundled_model(), num_threads, content)
    path = bundled_model() if model is None else find_model(model)
    if not path.exists():
        raise FileNotFoundError(f"There is no such model{names_instead(path)}. Received: model={str(path)!r}")
    if not path.is_dir():
        check_regular(path)
    if path.suffix == ".onnx" and not path.is_dir():
        from spin_tf.reading.onnx_model import ONNXModel

        return ONNXModel(path)
    if not path.is_dir() and path.suffix != ".keras":
        return LiteRTModel(path, num_threads)
    require("tensorflow", f"Reading with {path.name}", "train")
    if path.is_dir() and any(file.exists() for file in (path / "saved_model.pb", *path.glob("[0-9]*/saved_model.pb"))):
        from spin_tf.reading import saved_model

        return saved_model.load(path)
    from spin_tf.models import load_model
    from spin_tf.reading.keras_model import KerasModel

    return KerasModel(load_model(path))
