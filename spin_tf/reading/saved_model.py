"""SavedModels that read words, loaded by TensorFlow."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Sequence

import numpy as np

from spin_tf._extras import require
from spin_tf._input_files import read_regular_file
from spin_tf._types import JsonObject
from spin_tf.contract.constants import METADATA_FILE
from spin_tf.contract.metadata import parse_metadata
from spin_tf.reading.litert import SIGNATURE, WIDE

# The signature of the LiteRT files, for any batch, and with `WIDE` behind it that for the wide size; `SIGNATURE` takes
# files.
IMAGES_SIGNATURE = "images"
# TensorFlow Serving sends base64 to inputs whose names end in _bytes.
BYTES_ARGUMENT = "image_bytes"
METADATA_FOLDER = "assets.extra"


class SavedModelReader:
    """A loaded SavedModel that reads words; what `Recognizer` needs of a model.

    Args:
        path: the folder that holds saved_model.pb.

    Attributes:
        metadata: dict, see `SPINRecognizer.metadata`.
    """

    def __init__(self, path: pathlib.Path) -> None:
        tf = require("tensorflow", "Reading with a SavedModel", "train")
        metadata = path / METADATA_FOLDER / METADATA_FILE
        if not metadata.exists():
            raise ValueError(f"the SavedModel carries no {METADATA_FILE}: not written by spin_tf. Received: {path}")
        self.metadata: JsonObject = parse_metadata(read_regular_file(metadata), str(path))
        self._tf = tf
        # The loaded object owns the variables; the signature alone would let them go.
        try:
            self._loaded = tf.saved_model.load(str(path))
            signatures = self._loaded.signatures
            # Up to version 0.1.0 there were images only, in the default signature.
            self._read = signatures[IMAGES_SIGNATURE if IMAGES_SIGNATURE in signatures else SIGNATURE]
            self._read_files = signatures[SIGNATURE]
        # TensorFlow and protobuf raise nearly anything on damaged files.
        except Exception as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
            raise ValueError(f"the SavedModel cannot be loaded: {reason}. Received: {path}") from error

    def predict_words(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Reads (n, height, width, 1) float32 images in [-1, 1] of one size; returns probabilities and positions."""
        is_wide = images.shape[2] != self.metadata["image_size"][1]
        read = self._loaded.signatures[IMAGES_SIGNATURE + WIDE] if is_wide else self._read
        output = read(image=self._tf.constant(images))
        return output["probabilities"].numpy(), output["positions"].numpy()

    def read_files(self, files: Sequence[bytes]) -> dict[str, np.ndarray]:
        """What a server answers to the bytes of image files: see `spin_tf.export.reading_graph.read_encoded`."""
        output = self._read_files(**{BYTES_ARGUMENT: self._tf.constant(list(files), self._tf.string)})
        return {name: value.numpy() for name, value in output.items()}


def load(path: str | os.PathLike[str]) -> SavedModelReader:
    """Loads a SavedModel folder, or the highest version of a folder of numbered versions.

    Raises:
        FileNotFoundError: there is no SavedModel.
        ValueError: it was not written by spin_tf.
    """
    folder = pathlib.Path(path)
    if not (folder / "saved_model.pb").exists():
        versions = [child for child in folder.glob("*") if child.name.isdigit() and (child / "saved_model.pb").exists()]
        if not versions:
            raise FileNotFoundError(f"there is no SavedModel here. Received: {folder}")
        folder = max(versions, key=lambda child: int(child.name))
    return SavedModelReader(folder)
