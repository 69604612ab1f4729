"""Boxes that are known beforehand: label files of ICDAR, or what `bin/read_photo.py --format=jsonl` wrote."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from spin_tf._input_files import read_regular_file
from spin_tf.data.quadrilaterals import smallest_rectangle

# What ICDAR's files are called by the picture: gt_img_1.txt of img_1.jpg, res_img_1.txt of an entry to the contest.
PREFIXES = ("gt_", "res_", "")


def parse_box(line: str) -> tuple[list[list[float]], str] | None:
    """A line of ICDAR: 4 or 8 numbers, then the text, all with commas between; None where it is another.

    Returns:
        the corners, clockwise from the upper left, and the text, which may hold commas.
    """
    for count in (8, 4):
        parts = line.split(",", count)
        try:
            numbers = [float(part) for part in parts[:count]]
        except ValueError:
            continue
        if len(numbers) < count or not np.isfinite(numbers).all():
            continue
        if count == 4:
            left, top, right, bottom = numbers
            numbers = [left, top, right, top, right, bottom, left, bottom]
        corners = [numbers[i : i + 2] for i in range(0, 8, 2)]
        return corners, parts[count] if len(parts) > count else ""
    return None


class BoxFile:
    """The boxes of photographs that were found, or drawn, by something else.

    Args:
        path: a `.jsonl` file, a line a photograph: `path` (or `image`) and `words`, each with `polygon`; an ICDAR file
            `x1,y1,x2,y2,x3,y3,x4,y4,text` a line (or left,top,right,bottom), for the one photograph that is read; or a
            folder of such files, `gt_NAME.txt`, `res_NAME.txt` or `NAME.txt` for NAME.jpg.

    Raises:
        ValueError: a line that is none of these.
        OSError: the file cannot be read.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self._records: dict[str, np.ndarray] | None = None
        self._only: np.ndarray | None = None
        if os.path.isdir(self.path):
            return
        if os.path.splitext(self.path)[1].lower() == ".txt":
            self._only = _icdar_boxes(self.path)
        else:
            self._records = self._read_jsonl(self.path)

    def boxes_of(self, picture: object) -> np.ndarray:
        """The boxes of a photograph, float32 (n, 4, 2), in pixels of the upright picture.

        Args:
            picture: its path.

        Raises:
            ValueError: there are none for it.
        """
        if self._only is not None:
            return self._only
        if not isinstance(picture, (str, os.PathLike)):
            raise ValueError(
                "Boxes of a file go to photographs by their path. "
                f"Received: boxes={self.path!r}, a photograph of type {type(picture).__name__}"
            )
        path = os.fspath(picture)
        name = os.path.basename(path)
        if self._records is None:
            for prefix in PREFIXES:
                candidate = os.path.join(self.path, f"{prefix}{os.path.splitext(name)[0]}.txt")
                if os.path.isfile(candidate):
                    return _icdar_boxes(candidate)
        else:
            for key in (path, name):
                if key in self._records:
                    return self._records[key]
        raise ValueError(f"There are no boxes for the photograph. Received: boxes={self.path!r}, photograph={path!r}")

    def _read_jsonl(self, path: str) -> dict[str, np.ndarray]:
        records: dict[str, np.ndarray] = {}
        for number, line in numbered_lines(path):
            try:
                record = json.loads(line)
                name = record.get("path", record.get("image"))
                boxes = [_four(word["polygon"]) for word in record["words"]]
                if not isinstance(name, str):
                    raise TypeError
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
                raise ValueError(
                    "A line of boxes is a JSON object of path and words with polygon. "
                    f"Received: line {number} of {path!r}"
                ) from error
            polygons = np.array(boxes, np.float32).reshape(-1, 4, 2)
            # By the whole path where it is the same, else by the name; the first of a name stays.
            records[name] = polygons
            records.setdefault(os.path.basename(name), polygons)
        return records


def numbered_lines(path: str) -> Iterator[tuple[int, str]]:
    """The lines of a file of boxes or labels that are not blank, and their numbers.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not UTF-8.
    """
    try:
        text = read_regular_file(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"Files of boxes and labels are UTF-8. Received: {path!r}") from error
    return ((number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip())


def icdar_lines(path: str) -> Iterator[tuple[int, list[list[float]], str]]:
    """Number, corners and text of each line of an ICDAR file.

    Raises:
        OSError, ValueError: as `numbered_lines`, or a line that is another.
    """
    for number, line in numbered_lines(path):
        box = parse_box(line)
        if box is None:
            raise ValueError(f"A line of boxes is x1,y1,...,x4,y4,text. Received: line {number} of {path!r}")
        yield number, *box


def _icdar_boxes(path: str) -> np.ndarray:
    return np.array([corners for _, corners, _ in icdar_lines(path)], np.float32).reshape(-1, 4, 2)


def _four(polygon: Any) -> np.ndarray:
    points = np.array([[float(x), float(y)] for x, y in polygon])
    if len(points) < 3 or not np.isfinite(points).all():
        raise ValueError
    return points.astype(np.float32) if len(points) == 4 else smallest_rectangle(points)
