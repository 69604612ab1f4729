"""MATLAB files: those of IIIT 5K-word and of SynthText."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from spin_tf._extras import require
from spin_tf._types import JsonObject
from spin_tf.data.conversion.entry import Entry, bad_line, image_entry


def load_mat(path: str, feature: str, names: list[str] | None = None) -> JsonObject:
    """Reads variables of a MATLAB file.

    Raises:
        ValueError: when this is no MATLAB file that scipy reads.
    """
    io = require("scipy.io", feature, "data")
    try:
        return io.loadmat(path, squeeze_me=True, variable_names=names)
    except (OSError, MemoryError):
        raise
    # scipy raises its own errors, zlib's and nearly any other on broken files.
    except Exception as error:
        raise ValueError(f"This is no MATLAB file that can be read: {error}. Received: input={path!r}") from error


def iiit5k(path: str, root: str) -> Iterator[Entry]:
    """IIIT 5K-word: traindata.mat and testdata.mat, a struct array of ImgName, GroundTruth and two lexicons.

    The official labels are upper case.
    """
    variables = load_mat(path, "Reading IIIT5K")
    for value in variables.values():
        rows = np.atleast_1d(value) if isinstance(value, np.ndarray) else np.empty(0)
        if rows.dtype.names and {"ImgName", "GroundTruth"} <= set(rows.dtype.names):
            for number, row in enumerate(rows, start=1):
                name, text = row["ImgName"], row["GroundTruth"]
                if not isinstance(name, str) or not isinstance(text, (str, int, float)):
                    yield bad_line(path, number, ascii((name, text)))
                else:
                    yield image_entry(root, name, str(text))
            return
    found = ", ".join(name for name in variables if not name.startswith("__"))
    raise ValueError(
        f"No struct array with ImgName and GroundTruth in this file. Received: input={path!r}, found={found}"
    )


def _variable(path: str, name: str) -> np.ndarray:
    variables = load_mat(path, "Reading SynthText", [name])
    if name not in variables:
        raise ValueError(f"The file has no variable {name}. Received: input={path!r}")
    value = variables[name]
    if isinstance(value, np.ndarray) and value.dtype == object and value.ndim == 1:
        return value
    # One picture only: MATLAB's cell array of one element has been squeezed away.
    alone = np.empty(1, object)
    alone[0] = value
    return alone


def synthtext(path: str, root: str) -> Iterator[Entry]:
    """SynthText: gt.mat with imnames, txt and wordBB; each word is cut out of its picture by perspective.

    The variables are read one after the other and packed: 32 bytes a box.

    wordBB is 2 x 4 x words (2 x 4 for one word), the corners clockwise from the upper left of the text; txt holds
    strings of several words each, separated by white space, in the order of the boxes.
    """
    boxes, problems = [], {}
    for i, value in enumerate(_variable(path, "wordBB")):
        array = np.asarray(value)
        if array.ndim not in (2, 3) or array.shape[:2] != (2, 4) or array.dtype.kind not in "fiu":
            problems[i] = f"wordBB has the shape {array.shape}"
            array = np.zeros((2, 4, 0))
        boxes.append(array.reshape(2, 4, -1).transpose(2, 1, 0).reshape(-1, 8).astype(np.float32))
    texts = [" ".join(np.atleast_1d(value).astype(str)) for value in _variable(path, "txt")]
    names = [str(value) for value in np.atleast_1d(load_mat(path, "Reading SynthText", ["imnames"]).get("imnames", []))]
    if not len(names) == len(boxes) == len(texts):
        raise ValueError(
            "imnames, txt and wordBB differ in length. "
            f"Received: input={path!r}, {len(names)} names, {len(texts)} texts, {len(boxes)} boxes"
        )
    for i, (name, text, picture_boxes) in enumerate(zip(names, texts, boxes, strict=True)):
        words = text.split()
        if i in problems or len(words) != len(picture_boxes):
            problem = problems.get(i, f"{len(words)} words and {len(picture_boxes)} boxes")
            yield bad_line(path, i + 1, f"{name}: {problem}")
            continue
        for number, (word, box) in enumerate(zip(words, picture_boxes.tolist(), strict=True), start=1):
            yield image_entry(root, name, word, box=tuple(box))._replace(source_id=f"{name}#word{number}")
