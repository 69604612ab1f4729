"""Photographs with labelled words: ICDAR 2015, Total-Text, COCO-Text, and JSON lines."""

from __future__ import annotations

import ast
import glob
import json
import math
import os
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from spin_tf._extras import require
from spin_tf._types import JsonObject
from spin_tf.data.conversion.entry import read_object
from spin_tf.evaluation.photo_protocol import PlacedWord
from spin_tf.photo.box_file import icdar_lines, numbered_lines

_PICTURES = (".jpg", ".JPG", ".jpeg", ".png", ".PNG")
# What says that nobody can read a word.
_ILLEGIBLE = {"###", "#", "."}
# Of Total-Text's text files: x: [[115 503 494 115]], y: [[...]], ornt: [u'm'], transcriptions: [u'nauGHTY']
_TOTAL_TEXT = re.compile(r"x:\s*\[\[([\d\s.]*)\]\],\s*y:\s*\[\[([\d\s.]*)\]\],.*?transcriptions:\s*\[(.*)\]\s*$")


class LabelledPhoto(NamedTuple):
    """A photograph and its words.

    Attributes:
        path: of the picture.
        name: of the set that it belongs to.
        words: its labels.
    """

    path: str
    name: str
    words: tuple[PlacedWord, ...]


def read_labels(path: str, images: str | None = None, name: str = "") -> list[LabelledPhoto]:
    """Reads the labels of a set of photographs; what they are written in decides about the format.

    Args:
        path: a folder of `gt_NAME.txt` (ICDAR 2015) or `poly_gt_NAME.mat`, `poly_gt_NAME.txt` (Total-Text; the extra
            `data` for `.mat`); a `.json` of COCO-Text; or a `.jsonl` with a line a photograph: `image` (or `path`),
            `words` of `text` and `polygon`, and `set` if there are several.
        images: the folder of the pictures; None looks beside the labels, and in `images` there.
        name: of the set.

    Raises:
        ValueError: labels in no known format, broken ones, or a picture that is not there.
        OSError: a file cannot be read.
        MissingExtraError: `.mat` files without scipy.
    """
    folders = [images] if images else _folders(path)
    if os.path.isdir(path):
        found = list(_of_folder(path, folders, name))
    elif path.endswith(".jsonl"):
        found = list(_of_json_lines(path, folders, name))
    elif path.endswith(".json"):
        found = list(_of_coco_text(path, folders, name))
    else:
        raise ValueError(
            "Labels are a folder of gt_*.txt or poly_gt_*.mat, a .json of COCO-Text, or a .jsonl. "
            f"Received: labels={path!r}"
        )
    if not found:
        raise ValueError(f"There are no labelled photographs. Received: labels={path!r}")
    return found


def _folders(path: str) -> list[str]:
    base = path if os.path.isdir(path) else os.path.dirname(path) or os.curdir
    return [base, os.path.join(base, "images"), os.path.dirname(os.path.abspath(base))]


def _picture(names: list[str], folders: list[str], labels: str) -> str:
    for folder in folders:
        for name in names:
            if os.path.isfile(candidate := os.path.join(folder, name)):
                return candidate
    raise ValueError(
        f"The picture of labels is not there: {' or '.join(folders)}. Received: labels={labels!r}, image={names[0]!r}"
    )


def _of_folder(path: str, folders: list[str], name: str) -> Iterator[LabelledPhoto]:
    readers: dict[str, Callable[[str], Iterator[PlacedWord]]] = {
        "poly_gt_*.mat": _total_text_matrix,
        "poly_gt_*.txt": _total_text_lines,
        "gt_*.txt": _icdar_words,
    }
    for pattern, reader in readers.items():
        for labels in sorted(glob.glob(os.path.join(glob.escape(path), pattern))):
            stem = os.path.splitext(os.path.basename(labels))[0].removeprefix("poly_").removeprefix("gt_")
            picture = _picture([stem + suffix for suffix in _PICTURES], folders, labels)
            yield LabelledPhoto(picture, name, tuple(reader(labels)))
        else:
            # Total-Text gives the same labels in both forms.
            if glob.glob(os.path.join(glob.escape(path), pattern)):
                return


def _word(text: str, points: list[Any], where: str) -> PlacedWord:
    try:
        polygon = tuple((float(x), float(y)) for x, y in points)
    except (TypeError, ValueError) as error:
        raise ValueError(f"The place of a word is a list of (x, y). Received: {where}") from error
    if len(polygon) < 3 or not all(math.isfinite(value) for point in polygon for value in point):
        raise ValueError(f"The place of a word has three corners or more. Received: {where}")
    return PlacedWord(text, polygon, ignored=text in _ILLEGIBLE or not text)


def _icdar_words(path: str) -> Iterator[PlacedWord]:
    for number, corners, text in icdar_lines(path):
        # A text of 2013 stands in quotes.
        text = text.strip()
        yield _word(text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text, corners, f"{path}:{number}")


def _total_text_lines(path: str) -> Iterator[PlacedWord]:
    # Long lists of numbers are wrapped.
    joined = re.sub(r"\s*\n(?!\s*x:)\s*", " ", "\n".join(line for _, line in numbered_lines(path)))
    for number, line in enumerate(joined.splitlines(), start=1):
        found = _TOTAL_TEXT.search(line)
        try:
            parts = ast.literal_eval(f"[{found[3]}]") if found else None
            if found is None or not all(isinstance(part, str) for part in parts or [""]):
                raise ValueError
        except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
            raise ValueError(f"This is no line of Total-Text. Received: line {number} of {path!r}") from error
        points = list(zip(found[1].split(), found[2].split(), strict=False))
        yield _word(parts[0] if parts else "", points, f"{path}:{number}")


def _total_text_matrix(path: str) -> Iterator[PlacedWord]:
    scipy_io = require("scipy.io", "reading .mat labels of Total-Text", "data")
    try:
        content = scipy_io.loadmat(path)
        rows = content.get("polygt", content.get("gt"))
        for number, row in enumerate(rows, start=1):
            points = list(zip(row[1].ravel().tolist(), row[3].ravel().tolist(), strict=True))
            text = str(row[4].ravel()[0]) if row[4].size else ""
            yield _word(text, points, f"{path}, row {number}")
    except OSError:
        raise
    # scipy raises nearly anything on a broken file.
    except Exception as error:
        raise ValueError(f"This is no polygt of Total-Text: {error}. Received: labels={path!r}") from error


def _of_json_lines(path: str, folders: list[str], name: str) -> Iterator[LabelledPhoto]:
    for number, line in numbered_lines(path):
        where = f"line {number} of {path!r}"
        try:
            record = json.loads(line)
            image = record.get("image", record.get("path"))
            words = [(str(word["text"]), word["polygon"], bool(word.get("ignored"))) for word in record["words"]]
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise ValueError(f"A photograph is an object of image and words. Received: {where}") from error
        if not isinstance(image, str):
            raise ValueError(f"A photograph is an object of image and words. Received: {where}")
        part = record.get("set")
        placed = [
            _word(text, polygon, where)._replace(ignored=True) if ignored else _word(text, polygon, where)
            for text, polygon, ignored in words
        ]
        yield LabelledPhoto(
            _picture([image], folders, path), "/".join(filter(None, (name, part and str(part)))), tuple(placed)
        )


def _of_coco_text(path: str, folders: list[str], name: str) -> Iterator[LabelledPhoto]:
    labels = read_object(path)
    pictures, words = labels.get("imgs"), labels.get("anns")
    if not isinstance(pictures, dict) or not isinstance(words, dict):
        raise ValueError(f"The file has no objects imgs and anns. Received: labels={path!r}")
    of_picture: dict[str, list[PlacedWord]] = {str(key): [] for key in pictures}
    for key, word in words.items():
        where = f"word {key} of {path!r}"
        if not isinstance(word, dict) or str(word.get("image_id")) not in of_picture:
            raise ValueError(f"A word belongs to one of imgs. Received: {where}")
        placed = _word(str(word.get("utf8_string") or ""), _coco_points(word, where), where)
        legible = word.get("legibility", "legible") == "legible" and word.get("language", "english") in (
            "english",
            "en",
        )
        of_picture[str(word["image_id"])].append(placed if legible else placed._replace(ignored=True))
    for key, picture in pictures.items():
        file = picture.get("file_name") if isinstance(picture, dict) else None
        if not isinstance(file, str):
            raise ValueError(f"A picture has a file_name. Received: picture {key} of {path!r}")
        yield LabelledPhoto(_picture([file], folders, path), name, tuple(of_picture[str(key)]))


def _coco_points(word: JsonObject, where: str) -> list[Any]:
    """The polygon of COCO-Text's `mask` or TextOCR's `points`, else the box."""
    for key in ("mask", "points", "polygon"):
        numbers = word.get(key)
        if isinstance(numbers, list) and len(numbers) >= 6:
            if isinstance(numbers[0], list):
                return numbers
            return [numbers[i : i + 2] for i in range(0, len(numbers) - 1, 2)]
    try:
        left, top, width, height = (float(value) for value in word["bbox"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"A word has a polygon or a bbox. Received: {where}") from error
    return [(left, top), (left + width, top), (left + width, top + height), (left, top + height)]
