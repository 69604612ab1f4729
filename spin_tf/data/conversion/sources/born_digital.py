r"""ICDAR born-digital images (Challenge 1): whole pictures and one `gt_img_N.txt` each.

Each line is `left, top, right, bottom, "text"`; right and bottom are the last pixels of the word.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from spin_tf.data.conversion.entry import Entry, bad_line, parse_lines
from spin_tf.data.conversion.sources.label_lines import unescape

_LINE = re.compile(r'\s*(-?\d+),?\s+(-?\d+),?\s+(-?\d+),?\s+(-?\d+),?\s+"(.*)"\s*', re.DOTALL)
_PICTURES = (".bmp", ".gif", ".jpeg", ".jpg", ".png")


def _natural(name: str) -> list[tuple[int, str]]:
    """Sorts img_2 before img_10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def label_files(path: str) -> list[str]:
    """The ground truth files below a folder, img_2 before img_10."""
    labels = []
    for folder, folders, names in os.walk(path):
        folders.sort()
        labels += [os.path.join(folder, name) for name in names if name.startswith("gt_") and name.endswith(".txt")]
    return sorted(labels, key=_natural)


def entries(path: str, root: str) -> Iterator[Entry]:
    """Yields the boxes of all ground truth files below a folder; the pictures lie below `root`, in any folder."""
    pictures = {}
    for folder, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            stem, extension = os.path.splitext(name)
            if extension.lower() in _PICTURES:
                pictures[stem] = os.path.join(folder, name)
    labels = label_files(path)
    if not labels:
        raise ValueError(f"No ground truth file gt_*.txt lies in this folder. Received: input={path!r}")
    for label in labels:
        stem = os.path.basename(label)[len("gt_") : -len(".txt")]
        picture = pictures.get(stem)
        if picture is None:
            yield bad_line(label, 0, f"no picture {stem}", "missing_file")
            continue
        yield from _words(label, picture, os.path.relpath(picture, root))


def _words(label: str, picture: str, name: str) -> Iterator[Entry]:
    number = 0

    def parse(line: str) -> Entry | None:
        nonlocal number
        number += 1
        match = _LINE.fullmatch(line)
        if match is None:
            return None
        left, top, right, bottom = (int(match[i]) for i in range(1, 5))
        return Entry(f"{name}#word{number}", unescape(match[5]), picture, (left, top, right + 1, bottom + 1))

    return parse_lines(label, parse)
