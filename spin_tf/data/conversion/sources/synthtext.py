"""SynthText: gt.mat with imnames, txt and wordBB; each word is cut out of its picture by perspective."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from spin_tf.data.conversion.entry import Entry, bad_line, image_entry
from spin_tf.data.conversion.sources.iiit5k import load_mat


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


def entries(path: str, root: str) -> Iterator[Entry]:
    """Yields the words of gt.mat. The variables are read one after the other and packed: 32 bytes a box.

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
