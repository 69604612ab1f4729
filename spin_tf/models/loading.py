from __future__ import annotations

import os
import zipfile

import keras

from spin_tf._resources import find_model, names_instead
from spin_tf.models.spin_recognizer import SPINRecognizer
from spin_tf.models.weights import find_weights, load_weights


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
