"""SavedModels: the same signature as the LiteRT file, for any batch, with the model's metadata beside the graph."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
from typing import Any

import numpy as np

from spin_tf._extras import require
from spin_tf.export.parity import Parity, compare_words, require_parity
from spin_tf.models import SPINRecognizer
from spin_tf.reading.litert import METADATA_FILE, SIGNATURE

_METADATA_FOLDER = "assets.extra"


class SavedModelReader:
    """A loaded SavedModel that reads words; what `Recognizer` needs of a model.

    Args:
        path: the folder that holds saved_model.pb.

    Attributes:
        metadata: dict, see `SPINRecognizer.metadata`.
    """

    def __init__(self, path: pathlib.Path) -> None:
        tf = require("tensorflow", "Reading with a SavedModel", "train")
        metadata = path / _METADATA_FOLDER / METADATA_FILE
        if not metadata.exists():
            raise ValueError(f"the SavedModel carries no {METADATA_FILE}: not written by spin_tf. Received: {path}")
        self.metadata: dict[str, Any] = json.loads(metadata.read_text(encoding="utf-8"))
        self._tf = tf
        # The loaded object owns the variables; the signature alone would let them go.
        self._loaded = tf.saved_model.load(str(path))
        self._read = self._loaded.signatures[SIGNATURE]

    def predict_words(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Reads (n, height, width, 1) float32 images in [-1, 1]; returns probabilities and positions."""
        output = self._read(image=self._tf.constant(images))
        return output["probabilities"].numpy(), output["positions"].numpy()


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


def export(model: SPINRecognizer, path: str | os.PathLike[str], images: np.ndarray) -> tuple[pathlib.Path, Parity]:
    """Writes PATH/N/, N one above the versions that are there, after checking it against the model on `images`.

    Args:
        model: float32.
        path: folder of versions.
        images: (n, height, width, 1) float32 in [-1, 1] to compare on.

    Returns:
        the version's folder, and how it compares.

    Raises:
        ParityError: it reads otherwise than the model; nothing is left behind.
    """
    tf = require("tensorflow", "Export", "train")
    keras = require("keras", "Export", "train")
    folder = pathlib.Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    version = 1 + max((int(child.name) for child in folder.iterdir() if child.name.isdigit()), default=0)
    partial, final = folder / f".partial-{version}", folder / str(version)
    height, width = model.image_size

    def read(image: Any) -> dict[str, Any]:
        result = model.read(image, stop_at_end=True)
        return {"probabilities": result["probabilities"], "positions": result["positions"]}

    try:
        archive = keras.export.ExportArchive()
        archive.track(model)
        signature = [tf.TensorSpec((None, height, width, 1), tf.float32, name="image")]
        archive.add_endpoint(SIGNATURE, read, input_signature=signature)
        archive.write_out(str(partial), verbose=False)
        (partial / _METADATA_FOLDER).mkdir()
        (partial / _METADATA_FOLDER / METADATA_FILE).write_text(json.dumps(model.metadata), encoding="utf-8")
        parity = compare_words(model.predict_words(images)[0], load(partial).predict_words(images)[0])
        require_parity(parity, "none", "SavedModel", final)
        partial.rename(final)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return final, parity
