"""Finds words in photographs with LiteRT: the core install, and no other runtime."""

from __future__ import annotations

import os
import threading
from typing import Any

import numpy as np
from PIL import Image

from spin_tf._cores import num_cores
from spin_tf._types import JsonObject
from spin_tf.contract.constants import DETECTOR_KIND, MAX_DETECTOR_SIDE, METADATA_FILE
from spin_tf.contract.metadata import is_size, one_line, parse_table, read_archived
from spin_tf.photo.text_map import find_quadrilaterals

__all__ = ["LiteRTDetector", "letterbox", "place", "read_detector_metadata"]

# What a detector may take at most.
# Words that are lower in the picture cannot be read.
_LOWEST = 3.0
# See LiteRTInterpreter.
_LITERT_ERRORS = (ValueError, TypeError, LookupError, RuntimeError)


def read_detector_metadata(path: str | os.PathLike[str]) -> JsonObject:
    """Reads what a detector's file says about itself.

    Raises:
        OSError: there is no such file, or it is no regular file.
        ValueError: it is no detector's file, or a damaged one.
    """
    name = os.fspath(path)
    missing = "so it is no detector of spin_tf; bin/convert_detector.py writes them"
    metadata = parse_table(read_archived(path, missing), name)
    if metadata.get("kind") != DETECTOR_KIND:
        raise ValueError(
            f"The file reads words and finds none: it is a model, no detector. Received: detector={name!r}"
        )
    sizes = metadata.get("sizes")
    sides = list(sizes.values()) if isinstance(sizes, dict) else []
    if not sides or not all(is_size(size, MAX_DETECTOR_SIDE) for size in sides):
        raise ValueError(
            f"The {METADATA_FILE} of the detector names no sizes, signatures with height and width. "
            f"Received: sizes={str(sizes)[:100]}, detector={name!r}"
        )
    return metadata


def place(height: int, width: int, sizes: dict[str, list[int]]) -> tuple[str, int, int]:
    """Where a picture goes: to the input in which it is largest, and of equal ones to the smallest.

    Args:
        height, width: of the picture.
        sizes: height and width of the inputs by signature.

    Returns:
        the signature, and the height and width to which the picture is resized.
    """

    def merit(key: str) -> tuple[float, int]:
        rows, columns = sizes[key]
        return min(rows / height, columns / width), -rows * columns

    best = max(sizes, key=merit)
    scale = merit(best)[0]
    # Rounded half up, as all languages can.
    return best, max(int(height * scale + 0.5), 1), max(int(width * scale + 0.5), 1)


def letterbox(image: np.ndarray, rows: int, columns: int, size: tuple[int, int]) -> np.ndarray:
    """Resizes a picture and puts it into the top left corner of a detector's input.

    Bilinear as Pillow does it: over all pixels that a result covers, so that large photographs do not flicker.

    Args:
        image: uint8 (height, width, 3).
        rows, columns: the new height and width.
        size: height and width of the input.

    Returns:
        float32 (1, size[0], size[1], 3), 0..255; the rest is black.
    """
    result = np.zeros((1, *size, 3), np.float32)
    picture = Image.fromarray(image)
    # Across, then down: in one call, the version of Pillow decides which comes first, and what rounding does.
    for size_of_step in ((columns, picture.height), (columns, rows)):
        picture = picture.resize(size_of_step, Image.Resampling.BILINEAR)
    result[0, :rows, :columns] = np.asarray(picture)
    return result


class LiteRTDetector:
    """A detector's file that `bin/convert_detector.py` has written. Safe to call from several threads at once.

    Args:
        path: the `.tflite` file.
        num_threads: threads of LiteRT; None is one for each core that this process may use.

    Call arguments:
        image: uint8 array (height, width, 3), red, green, blue, upright.

    Returns:
        quadrilaterals float32 (n, 4, 2), x and y of each corner clockwise from the top left, in pixels of the picture
        with (0, 0) at the outer corner of the first one; and scores float32 (n,) in 0..1.

    Attributes:
        metadata: dict, the `spin_tf.json` of the file.

    Raises:
        OSError: there is no such file, or it is no regular file.
        ValueError: it is no detector's file, or a damaged one, or `num_threads` is below 1.

    Example:
        quadrilaterals, scores = LiteRTDetector("detector.tflite")(np.asarray(Image.open("photo.jpg")))
    """

    def __init__(self, path: str | os.PathLike[str], num_threads: int | None = None) -> None:
        if num_threads is None:
            num_threads = num_cores()
        if num_threads < 1:
            raise ValueError(f"num_threads must be at least 1. Received: num_threads={num_threads}")
        self.path = os.fspath(path)
        self.metadata = read_detector_metadata(path)
        self._num_threads = num_threads
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._current: tuple[str, Any] | None = None
        for key in self.metadata["sizes"]:
            self._check(key)

    def __call__(self, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Finds the words of a picture; raises ValueError for another array, and where LiteRT cannot run the file."""
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
            raise ValueError(
                f"A picture is a uint8 array (height, width, 3). Received: shape={image.shape}, dtype={image.dtype}"
            )
        height, width = image.shape[:2]
        key, rows, columns = place(height, width, self.metadata["sizes"])
        probabilities = self.map(key, letterbox(image, rows, columns, tuple(self.metadata["sizes"][key])))
        corners, scores = find_quadrilaterals(probabilities[:rows, :columns])
        corners = np.clip(corners * [width / columns, height / rows], 0, [width, height])
        sides = np.linalg.norm(corners[:, [1, 3]] - corners[:, :1], axis=-1)
        kept = sides.min(axis=1) > _LOWEST
        return corners[kept].astype(np.float32), scores[kept].astype(np.float32)

    def map(self, key: str, image: np.ndarray) -> np.ndarray:
        """Runs one signature.

        Args:
            key: of `metadata["sizes"]`.
            image: float32 (1, height, width, 3) of that size, red, green, blue, 0..255.

        Returns:
            float32 (height, width), how likely each pixel lies in the middle of a word.

        Raises:
            ValueError: LiteRT cannot run the file.
        """
        with self._lock:
            try:
                return self._runner(key)(image=image)["probabilities"][0]
            except _LITERT_ERRORS as error:
                raise self._error("run", error) from error

    def _runner(self, key: str) -> Any:
        # An interpreter costs nothing to make, and each of its signatures 150 MB to keep: there is one, for the last
        # size. In a forked process its threads do not exist.
        if self._process != os.getpid():
            self._process, self._current = os.getpid(), None
        if self._current is None or self._current[0] != key:
            self._current = None
            self._current = key, self._make(key)
        return self._current[1]

    def _make(self, key: str) -> Any:
        from ai_edge_litert.interpreter import Interpreter

        return Interpreter(model_path=self.path, num_threads=self._num_threads).get_signature_runner(key)

    def _check(self, key: str) -> None:
        try:
            runner = self._make(key)
            described = {
                name: (str(np.dtype(detail["dtype"])), [int(side) for side in detail["shape"]])
                for details in (runner.get_input_details(), runner.get_output_details())
                for name, detail in details.items()
            }
        except _LITERT_ERRORS as error:
            raise self._error("load", error) from error
        rows, columns = self.metadata["sizes"][key]
        wanted = {"image": ("float32", [1, rows, columns, 3]), "probabilities": ("float32", [1, rows, columns])}
        if described != wanted:
            raise ValueError(
                f"The signature {key} of the detector is not what its {METADATA_FILE} says, {wanted}. "
                f"Received: {described}, detector={self.path!r}"
            )

    def _error(self, what: str, error: Exception) -> ValueError:
        return ValueError(
            f"LiteRT cannot {what} the detector: {one_line(error).rstrip('.')}. Received: detector={self.path!r}"
        )
