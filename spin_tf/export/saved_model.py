"""SavedModels for servers and for TensorFlow programs: bytes in and words out, or images in and probabilities out."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from spin_tf._extras import require
from spin_tf.contract.metadata import METADATA_FILE, parse_metadata
from spin_tf.contract.preprocessing import prepare
from spin_tf.data.files import read_regular_file
from spin_tf.data.images import decode_image
from spin_tf.data.same_size import same_size
from spin_tf.export.parity import Parity, compare_readings, compare_words, require_parity, require_reading_parity, worst
from spin_tf.models import SPINRecognizer
from spin_tf.reading.litert import SIGNATURE, WIDE

# The signature of the LiteRT files, for any batch, and with `WIDE` behind it that for the wide size; `SIGNATURE` takes
# files.
IMAGES_SIGNATURE = "images"
# TensorFlow Serving sends base64 to inputs whose names end in _bytes.
BYTES_ARGUMENT = "image_bytes"
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
        self.metadata: dict[str, Any] = parse_metadata(read_regular_file(metadata), str(path))
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


def export(
    model: SPINRecognizer, path: str | os.PathLike[str], files: Sequence[bytes]
) -> tuple[pathlib.Path, Parity, Parity]:
    """Writes PATH/N/, N one above the versions that are there, after checking it against the model on `files`.

    The version's folder appears at once and whole, with warm-up records for TensorFlow Serving in it.

    Args:
        model: float32.
        path: folder of versions.
        files: the bytes of image files to compare on, at least one that the graph can decode.

    Returns:
        the version's folder; how the `images` signature compares, and how the one of bytes does.

    Raises:
        ParityError: it reads otherwise than the model; nothing is left behind.
    """
    require("tensorflow", "Export", "train")
    from spin_tf.export.warmup import write_warmup

    folder = pathlib.Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    version = 1 + max((int(child.name) for child in folder.iterdir() if child.name.isdigit()), default=0)
    partial, final = folder / f".partial-{version}", folder / str(version)
    # A version that was being written when its process was killed.
    shutil.rmtree(partial, ignore_errors=True)
    images = [prepare(decode_image(file), model.preprocessing) for file in files]
    try:
        _write(model, partial)
        extra = partial / _METADATA_FOLDER
        extra.mkdir()
        (extra / METADATA_FILE).write_text(json.dumps(model.metadata), encoding="utf-8")
        write_warmup(extra, folder.resolve().name, SIGNATURE, BYTES_ARGUMENT)
        _refuse_cudnn(partial)
        reader = load(partial)
        parity = worst(
            compare_words(model.predict_words(group)[0], reader.predict_words(group)[0], model.charset)
            for _, group in same_size(images)
        )
        require_parity(parity, "none", "SavedModel", final)
        read_parity = compare_readings(model, reader.read_files, files)
        require_reading_parity(read_parity, final)
        partial.rename(final)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return final, parity, read_parity


def _write(model: SPINRecognizer, folder: pathlib.Path) -> None:
    import keras
    import tensorflow as tf

    from spin_tf.export.reading_graph import read_encoded, row_reader

    sizes = {IMAGES_SIGNATURE: model.image_size}
    if model.wide_image_size:
        sizes[IMAGES_SIGNATURE + WIDE] = model.wide_image_size
    readers = {signature: row_reader(model, size) for signature, size in sizes.items()}

    def from_bytes(image_bytes: Any) -> dict[str, Any]:
        return read_encoded(image_bytes, list(readers.values()), model.charset, model.preprocessing)

    def from_images(signature: str) -> Callable[[Any], dict[str, Any]]:
        def read(image: Any) -> dict[str, Any]:
            probabilities, positions = readers[signature](image)
            return {"probabilities": probabilities, "positions": positions}

        return read

    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint(SIGNATURE, from_bytes, input_signature=[tf.TensorSpec((None,), tf.string, BYTES_ARGUMENT)])
    for signature, size in sizes.items():
        image = tf.TensorSpec((None, *size, 1), tf.float32, "image")
        archive.add_endpoint(signature, from_images(signature), input_signature=[image])
    archive.write_out(str(folder), verbose=False)


def _refuse_cudnn(folder: pathlib.Path) -> None:
    """A graph traced where a GPU is visible may hold operators that no server without one can run.

    Raises:
        ValueError: this one does.
    """
    if b"Cudnn" in (folder / "saved_model.pb").read_bytes():
        raise ValueError(
            "The graph holds Cudnn operators, which run on NVIDIA GPUs only; export with them hidden "
            "(CUDA_VISIBLE_DEVICES=-1). Received: a GPU at export"
        )
