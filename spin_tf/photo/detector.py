"""What finds the words of a picture: one small protocol, and the ways to name a detector."""

from __future__ import annotations

import os
from typing import Protocol, runtime_checkable

import numpy as np

from spin_tf.photo.box_file import BoxFile

# The detector of whoever sets it, for all commands and for Python.
VARIABLE = "SPIN_TF_DETECTOR"
_BOX_FILES = (".txt", ".jsonl", ".json")


@runtime_checkable
class Detector(Protocol):
    """Anything that is called with a picture and answers with the places of its words.

    Call arguments:
        picture: uint8 array (height, width, 3) in the order red, green, blue. Large photographs come shrunk and in
            tiles, so that none has more than 1.75 million pixels.

    Returns:
        quadrilaterals float32 (n, 4, 2), each the (x, y) of its corners in pixels, clockwise from the upper left of the
        text; and how sure the detector is of each, float32 (n,), 0..1.

    Example:
        >>> class Whole:
        ...     def __call__(self, picture):
        ...         height, width = picture.shape[:2]
        ...         return np.float32([[(0, 0), (width, 0), (width, height), (0, height)]]), np.float32([1])
        >>> PhotoReader(detector=Whole()).read("photo.jpg")
    """

    def __call__(self, picture: np.ndarray, /) -> tuple[np.ndarray, np.ndarray]: ...


def find_detector(
    spec: str | os.PathLike[str] | Detector | None = None, num_threads: int | None = None
) -> Detector | BoxFile:
    """The detector that is meant.

    Args:
        spec: a `.onnx` file for RapidOCR's engine (extra `photo`); a `.tflite` file, which needs nothing more; a file
            or folder of boxes (`.txt` of ICDAR, `.jsonl` of `bin/read_photo.py`), see `BoxFile`; `"words"`, RapidOCR's
            multilingual model, which it fetches once; `"lines"`, the model inside the rapidocr package, whose lines are
            cut at gaps; an object that follows `Detector`. None is the file that the environment variable
            SPIN_TF_DETECTOR names; without it `"words"`, or `"lines"` where that cannot be had.
        num_threads: of the detector; None is one for each core this process may use.

    Raises:
        FileNotFoundError: there is no such file.
        MissingExtraError: what it needs is not installed.
        ValueError: a file of another kind, or a damaged one.
        TypeError: something that cannot be called.
    """
    if spec is None:
        spec = os.environ.get(VARIABLE) or None
    if spec is not None and not isinstance(spec, (str, os.PathLike)):
        if not callable(spec):
            raise TypeError(
                "A detector is the name of a file or is called with a picture. "
                f"Received: a {type(spec).__module__}.{type(spec).__qualname__}"
            )
        return spec
    if spec is None or spec in ("words", "lines"):
        from spin_tf.photo.rapidocr_detector import bundled_line_detector, word_detector

        return bundled_line_detector(num_threads) if spec == "lines" else word_detector(num_threads, spec is None)
    path = os.fspath(spec)
    suffix = os.path.splitext(path)[1].lower()
    if not os.path.exists(path):
        raise FileNotFoundError(f"There is no such detector. Received: detector={path!r}")
    if os.path.isdir(path) or suffix in _BOX_FILES:
        return BoxFile(path)
    if suffix == ".tflite":
        from spin_tf.photo.litert_detector import LiteRTDetector  # type: ignore[import-not-found]

        return LiteRTDetector(path, num_threads)
    if suffix == ".onnx":
        from spin_tf.photo.rapidocr_detector import RapidOCRDetector

        return RapidOCRDetector(path, num_threads)
    raise ValueError(
        "A detector is a .onnx or .tflite file, a .txt or .jsonl file of boxes, a folder of such, words or lines. "
        f"Received: detector={path!r}"
    )


def find_words(detector: Detector, picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Calls a detector and checks what it answers: only quadrilaterals with an area are left.

    Raises:
        ValueError: arrays of other shapes, or of no numbers.
    """
    answer = detector(picture)
    try:
        quadrilaterals, scores = (np.asarray(part, np.float32) for part in answer)
    except (TypeError, ValueError) as error:
        raise ValueError(
            "A detector answers with quadrilaterals (n, 4, 2) and scores (n,). "
            f"Received: {type(answer).__name__} of {type(detector).__name__}"
        ) from error
    if not quadrilaterals.size and not scores.size:
        return np.zeros((0, 4, 2), np.float32), np.zeros(0, np.float32)
    if quadrilaterals.shape != (len(scores), 4, 2) or scores.ndim != 1:
        raise ValueError(
            "A detector answers with quadrilaterals (n, 4, 2) and scores (n,). "
            f"Received: shapes {quadrilaterals.shape} and {scores.shape} of {type(detector).__name__}"
        )
    usable = np.isfinite(quadrilaterals).all(axis=(1, 2)) & np.isfinite(scores)
    # Far outside nothing is to be read, and numbers without bound would overflow.
    limit = 4 * max(picture.shape[:2])
    usable &= (np.abs(np.where(np.isfinite(quadrilaterals), quadrilaterals, 0)) <= limit).all(axis=(1, 2))
    quadrilaterals, scores = quadrilaterals[usable], scores[usable]
    x, y = quadrilaterals[..., 0], quadrilaterals[..., 1]
    areas = np.abs((x * np.roll(y, -1, axis=1) - np.roll(x, -1, axis=1) * y).sum(axis=1)) / 2
    return quadrilaterals[areas >= 1], np.clip(scores[areas >= 1], 0, 1)
