"""ArT (ICDAR 2019, arbitrary-shaped text): one JSON object, `gt_1` or `res_1` to the words of that picture.

Each word is `{"transcription": ..., "points": [[x, y], ...], "language": "Latin", "illegibility": false}`. The labels
of task 2 name pictures of one word each, which are taken whole; those of tasks 1 and 3 name scenes, of which the
smallest upright box around the polygon is cut.

Source: the ground truth format of the challenge, https://rrc.cvc.uab.es/?ch=14&com=tasks.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

from spin_tf.data.conversion.entry import Entry, bad_line, image_entry
from spin_tf.data.conversion.json_file import around, read_object, text_of

_EXTENSIONS = (".jpg", ".png", ".jpeg", ".JPG")


def entries(path: str, root: str) -> Iterator[Entry]:
    """Yields the words of a label file; pictures lie in `root` or in a folder named as the file is, `..._images`.

    Illegible words and words of other scripts are entries with a problem.

    Raises:
        ValueError: no JSON object.
    """
    whole = "task2" in os.path.basename(path).lower()
    folder = re.sub(r"_labels\.json$", "_images", os.path.basename(path), flags=re.IGNORECASE)
    for number, (name, words) in enumerate(read_object(path).items(), start=1):
        # The ground truth of a picture img_1 or gt_1 is named gt_1, that of a cropped word res_1.
        picture = _find(root, [folder, ""], [name, re.sub(r"^(gt|res)_", "img_", name), re.sub(r"^res_", "gt_", name)])
        for i, word in enumerate(words if isinstance(words, list) else [words], start=1):
            yield _entry(path, number, root, picture or f"{folder}/{name}.jpg", f"{name}#word{i}", word, whole)


def _find(root: str, folders: list[str], stems: list[str]) -> str:
    candidates = [os.path.join(f, s + e) for f in folders for s in stems for e in _EXTENSIONS]
    return next((name for name in candidates if os.path.isfile(os.path.join(root, name))), "")


def _entry(path: str, number: int, root: str, picture: str, source_id: str, word: Any, whole: bool) -> Entry:
    text = text_of(word, "transcription")
    if text is None:
        return bad_line(path, number, f"{source_id}: no transcription")
    if word.get("illegibility"):
        return Entry(source_id, text, "", problem="illegible", detail=text)
    if str(word.get("language", "Latin")).lower() != "latin":
        return Entry(source_id, text, "", problem="other_script", detail=f"{word.get('language')}: {text}")
    box: tuple[float, ...] = ()
    if not whole:
        points = around(word.get("points"))
        if points is None:
            return bad_line(path, number, f"{source_id}: no polygon")
        box = points
    return image_entry(root, picture, text, box=box)._replace(source_id=source_id)
