from __future__ import annotations

import os
import zipfile

import keras

from spin_tf.models.spin_recognizer import SPINRecognizer
from spin_tf.models.weights import find_weights, load_weights


def load_model(path: str | os.PathLike[str]) -> SPINRecognizer:
    """Loads a trained recogniser from a `.keras` file, the best weights of a model_dir, or a folder of weights-*.npz.

    Raises:
        FileNotFoundError: nothing is there, or the folder holds no trained model.
        ValueError: the file is not a recogniser of this package.
    """
    path = os.fspath(path)
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
        raise FileNotFoundError(f"there is no such model. Received: {path}")
    if not zipfile.is_zipfile(path):
        raise ValueError(f"not a .keras file. Received: {path}")
    model = keras.models.load_model(path, compile=False)
    if not isinstance(model, SPINRecognizer):
        raise ValueError(f"{path} holds a {type(model).__name__}, not a SPINRecognizer. Received: {path}")
    return model
