"""COCO-Text V2 and TextOCR: one JSON object of `imgs`, `anns` and `imgToAnns`; words are cut out of scenes.

COCO-Text has `utf8_string`, `bbox` (left, top, width, height), `legibility` and `language`; TextOCR has `points`, a
polygon clockwise from the upper left of the text, and writes "." for what is illegible or not English. Polygons of four
corners are straightened by perspective; of others the box around them is cut.

Source: https://bgshih.github.io/cocotext/ and the README of TextOCR v0.1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from spin_tf.data.conversion.entry import Entry, bad_line, image_entry
from spin_tf.data.conversion.json_file import around, read_object, text_of


def entries(path: str, root: str) -> Iterator[Entry]:
    """Yields the words of all pictures; their ids begin with the picture's set, `val/COCO_..._1.jpg#12`.

    Illegible words and words of other languages are entries with a problem.

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
            yield _entry(path, number, root, name, source_id, words.get(str(word)))


def _entry(path: str, number: int, root: str, name: str, source_id: str, word: Any) -> Entry:
    text = text_of(word, "utf8_string")
    if text is None or (text := text.strip()) == "." or word.get("legibility", "legible") != "legible":
        return Entry(source_id, text, "", problem="illegible", detail=text or "no utf8_string")
    if word.get("language", "english") not in ("english", "en"):
        return Entry(source_id, text, "", problem="other_script", detail=f"{word.get('language')}: {text}")
    box = _box(word)
    if box is None:
        return bad_line(path, number, f"{source_id}: no box")
    return image_entry(root, name, text, box=box)._replace(source_id=source_id)


def _box(word: dict[str, Any]) -> tuple[float, ...] | None:
    points = word.get("points")
    if isinstance(points, list) and points:
        pairs = [points[i : i + 2] for i in range(0, len(points), 2)]
        box = around(pairs)
        return tuple(float(value) for value in points) if box is not None and len(points) == 8 else box
    bbox = word.get("bbox")
    if not isinstance(bbox, list) or len(bbox) != 4 or not all(_is_number(value) for value in bbox):
        return None
    left, top, width, height = bbox
    return (math.floor(left), math.floor(top), math.ceil(left + width), math.ceil(top + height))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
