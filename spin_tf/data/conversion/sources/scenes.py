"""Scenes labelled in one JSON object: ArT, COCO-Text and TextOCR; words are cut out of them."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from typing import Any

from spin_tf._types import JsonObject
from spin_tf.data.conversion.entry import Entry, bad_line, image_entry, read_object, text_of

_EXTENSIONS = (".jpg", ".png", ".jpeg", ".JPG")


def art(path: str, root: str) -> Iterator[Entry]:
    """ArT (ICDAR 2019, arbitrary-shaped text): one JSON object, `gt_1` or `res_1` to the words of that picture.

    Each word is `{"transcription": ..., "points": [[x, y], ...], "language": "Latin", "illegibility": false}`. The
    labels of task 2 name pictures of one word each, which are taken whole; those of tasks 1 and 3 name scenes, of which
    the smallest upright box around the polygon is cut. Pictures lie in `root` or in a folder named as the file is,
    `..._images`. Illegible words and words of other scripts are entries with a problem.

    Source: the ground truth format of the challenge, https://rrc.cvc.uab.es/?ch=14&com=tasks.

    Raises:
        ValueError: no JSON object.
    """
    whole = "task2" in os.path.basename(path).lower()
    folder = re.sub(r"_labels\.json$", "_images", os.path.basename(path), flags=re.IGNORECASE)
    for number, (name, words) in enumerate(read_object(path).items(), start=1):
        # The ground truth of a picture img_1 or gt_1 is named gt_1, that of a cropped word res_1.
        picture = _find(root, [folder, ""], [name, re.sub(r"^(gt|res)_", "img_", name), re.sub(r"^res_", "gt_", name)])
        for i, word in enumerate(words if isinstance(words, list) else [words], start=1):
            yield _art_word(path, number, root, picture or f"{folder}/{name}.jpg", f"{name}#word{i}", word, whole)


def _find(root: str, folders: list[str], stems: list[str]) -> str:
    candidates = [os.path.join(f, s + e) for f in folders for s in stems for e in _EXTENSIONS]
    return next((name for name in candidates if os.path.isfile(os.path.join(root, name))), "")


def _art_word(path: str, number: int, root: str, picture: str, source_id: str, word: Any, whole: bool) -> Entry:
    text = text_of(word, "transcription")
    if text is None:
        return bad_line(path, number, f"{source_id}: no transcription")
    if word.get("illegibility"):
        return Entry(source_id, text, "", problem="illegible", detail=text)
    if str(word.get("language", "Latin")).lower() != "latin":
        return Entry(source_id, text, "", problem="other_script", detail=f"{word.get('language')}: {text}")
    box: tuple[float, ...] = ()
    if not whole:
        points = _around(word.get("points"))
        if points is None:
            return bad_line(path, number, f"{source_id}: no polygon")
        box = points
    return image_entry(root, picture, text, box=box)._replace(source_id=source_id)


def cocotext(path: str, root: str) -> Iterator[Entry]:
    """COCO-Text V2 and TextOCR: one JSON object of `imgs`, `anns` and `imgToAnns`.

    COCO-Text has `utf8_string`, `bbox` (left, top, width, height), `legibility` and `language`; TextOCR has `points`, a
    polygon clockwise from the upper left of the text, and writes "." for what is illegible or not English. Polygons of
    four corners are straightened by perspective; of others the box around them is cut. Ids begin with the picture's
    set, `val/COCO_..._1.jpg#12`; illegible words and words of other languages are entries with a problem.

    Source: https://bgshih.github.io/cocotext/ and the README of TextOCR v0.1.

    Raises:
        ValueError: no JSON object, or one without `imgs` and `anns`.
    """
    labels = read_object(path)
    pictures, words = labels.get("imgs"), labels.get("anns")
    if not isinstance(pictures, dict) or not isinstance(words, dict):
        raise ValueError(f"The file has no objects imgs and anns. Received: input={path!r}")
    of_picture = labels.get("imgToAnns")
    if not isinstance(of_picture, dict):
        of_picture = {}
        for key, word in words.items():
            of_picture.setdefault(str(word.get("image_id")) if isinstance(word, dict) else "", []).append(key)
    for number, (key, picture) in enumerate(pictures.items(), start=1):
        name = text_of(picture, "file_name")
        if name is None:
            yield bad_line(path, number, f"picture {key} has no file_name")
            continue
        for word in of_picture.get(key, []):
            source_id = f"{picture.get('set', 'all')}/{name}#{word}"
            yield _coco_word(path, number, root, name, source_id, words.get(str(word)))


def _coco_word(path: str, number: int, root: str, name: str, source_id: str, word: Any) -> Entry:
    text = text_of(word, "utf8_string")
    if text is None or (text := text.strip()) == "." or word.get("legibility", "legible") != "legible":
        return Entry(source_id, text, "", problem="illegible", detail=text or "no utf8_string")
    if word.get("language", "english") not in ("english", "en"):
        return Entry(source_id, text, "", problem="other_script", detail=f"{word.get('language')}: {text}")
    box = _box(word)
    if box is None:
        return bad_line(path, number, f"{source_id}: no box")
    return image_entry(root, name, text, box=box)._replace(source_id=source_id)


def _box(word: JsonObject) -> tuple[float, ...] | None:
    points = word.get("points")
    if isinstance(points, list) and points:
        pairs = [points[i : i + 2] for i in range(0, len(points), 2)]
        box = _around(pairs)
        return tuple(float(value) for value in points) if box is not None and len(points) == 8 else box
    bbox = word.get("bbox")
    if not isinstance(bbox, list) or len(bbox) != 4 or not all(_is_number(value) for value in bbox):
        return None
    left, top, width, height = bbox
    return (math.floor(left), math.floor(top), math.ceil(left + width), math.ceil(top + height))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _around(points: Any) -> tuple[int, int, int, int] | None:
    """The smallest box of whole pixels around `[[x, y], ...]`: left, top, right, bottom; None for anything else."""
    try:
        pairs = [(float(x), float(y)) for x, y in points]
    except (TypeError, ValueError):
        return None
    if len(pairs) < 3 or not all(math.isfinite(value) for pair in pairs for value in pair):
        return None
    xs, ys = zip(*pairs, strict=True)
    return math.floor(min(xs)), math.floor(min(ys)), math.ceil(max(xs)), math.ceil(max(ys))
