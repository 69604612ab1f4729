"""SavedModels for servers and for TensorFlow programs: bytes in and words out, or images in and probabilities out."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
from collections.abc import Callable, Sequence

from spin_tf._extras import require
from spin_tf._types import Tensor
from spin_tf.contract.constants import METADATA_FILE
from spin_tf.contract.preprocessing import prepare, same_size
from spin_tf.data.images import decode_image
from spin_tf.export.parity import Parity, compare_readings, compare_words, require_parity, worst
from spin_tf.models import SPINRecognizer
from spin_tf.reading.litert import SIGNATURE, WIDE
from spin_tf.reading.saved_model import BYTES_ARGUMENT, IMAGES_SIGNATURE, METADATA_FOLDER, load

# By name, a function of tensors to a dict of them, and what it takes.
Signatures = dict[str, tuple[Callable[..., dict[str, Tensor]], list[Tensor]]]


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
        extra = partial / METADATA_FOLDER
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
        require_parity(read_parity, "bytes", "SavedModel", final)
        partial.rename(final)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return final, parity, read_parity


def _write(model: SPINRecognizer, folder: pathlib.Path) -> None:
    import tensorflow as tf

    from spin_tf.export.reading_graph import read_encoded, row_reader

    sizes = {IMAGES_SIGNATURE: model.image_size}
    if model.wide_image_size:
        sizes[IMAGES_SIGNATURE + WIDE] = model.wide_image_size
    readers = {signature: row_reader(model, size) for signature, size in sizes.items()}

    def from_bytes(image_bytes: Tensor) -> dict[str, Tensor]:
        return read_encoded(image_bytes, list(readers.values()), model.charset, model.preprocessing)

    def from_images(signature: str) -> Callable[[Tensor], dict[str, Tensor]]:
        def read(image: Tensor) -> dict[str, Tensor]:
            probabilities, positions = readers[signature](image)
            return {"probabilities": probabilities, "positions": positions}

        return read

    signatures: Signatures = {SIGNATURE: (from_bytes, [tf.TensorSpec((None,), tf.string, BYTES_ARGUMENT)])}
    for signature, size in sizes.items():
        signatures[signature] = from_images(signature), [tf.TensorSpec((None, *size, 1), tf.float32, "image")]
    write_signatures(model, signatures, folder)


def write_signatures(model: SPINRecognizer, signatures: Signatures, folder: str | os.PathLike[str]) -> None:
    """Writes a SavedModel that has signatures only, each a function of the model's weights and what it takes.

    Keras's ExportArchive traces every function twice and the model itself besides: for the same bytes of a LiteRT file
    it takes twice the time.
    """
    import tensorflow as tf

    root = tf.Module()
    root.weights = [variable.value for variable in model.variables]
    traced = {
        name: tf.function(function, input_signature=specs, autograph=False).get_concrete_function()
        for name, (function, specs) in signatures.items()
    }
    tf.saved_model.save(root, os.fspath(folder), signatures=traced)


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
