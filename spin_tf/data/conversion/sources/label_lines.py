"""Label files with a picture a line, in the layouts of several data sets."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator

from spin_tf.data.conversion.entry import Entry, image_entry, parse_lines

_ICDAR = re.compile(r'\s*([^,]+?)\s*,\s*"(.*)"\s*', re.DOTALL)
_ESCAPE = re.compile(r'\\(["\\])')
_MJSYNTH = re.compile(r"(?:\.[/\\])?((?:.*[/\\])?\d+_(.+)_\d+\.jpe?g)(?: \d+)?\s*")


def tsv(path: str, root: str) -> Iterator[Entry]:
    """A path, a tab and the text: everything after the first tab, as PaddleOCR's recognition labels.

    As there, the path may also be a JSON list of paths that share the text.
    """

    def parse(line: str) -> list[Entry] | None:
        name, tab, text = line.partition("\t")
        names = [name]
        if name.startswith("["):
            try:
                names = json.loads(name)
            except ValueError:
                names = [name]
        if not tab or not name or not isinstance(names, list) or not all(isinstance(item, str) for item in names):
            return None
        return [image_entry(root, item, text) for item in names]

    return parse_lines(path, parse)


def icdar(path: str, root: str) -> Iterator[Entry]:
    r"""ICDAR word recognition ground truth (2011, 2013, 2015): `word_1.png, "TEXT"`, often with a byte-order mark.

    A quote inside the text is written `\"` and a backslash `\\`; commas are not escaped.
    """

    def parse(line: str) -> Entry | None:
        match = _ICDAR.fullmatch(line)
        return image_entry(root, match[1], unescape(match[2])) if match else None

    return parse_lines(path, parse)


def unescape(text: str) -> str:
    r"""Turns `\"` into a quote and `\\` into a backslash."""
    return _ESCAPE.sub(r"\1", text)


def svtp(path: str, root: str) -> Iterator[Entry]:
    """SVT-Perspective: gt.txt with a file name, a space and the text; the pictures may lie in a folder of their own."""

    def parse(line: str) -> Entry | None:
        name, space, text = line.partition(" ")
        return image_entry(root, name, text) if space and name else None

    return parse_lines(path, parse)


def cute80(path: str, root: str) -> Iterator[Entry]:
    """CUTE80: `timage/001.jpg RONALDO 1 RONALDO` on each line, or only the path and the text, which holds no spaces."""

    def parse(line: str) -> Entry | None:
        parts = line.split()
        return image_entry(root, parts[0], parts[1]) if len(parts) in (2, 4) else None

    return parse_lines(path, parse)


def mjsynth(path: str, root: str) -> Iterator[Entry]:
    """MJSynth (Synth90k): annotation_train.txt, ..._val.txt, ..._test.txt; the label is part of the file name.

    `./2697/6/466_MONIKER_49537.jpg 49537`: number, label, index in the lexicon, and that index again. About a dozen of
    the nine million pictures are known to be broken; they are found when their pixels are decoded, and reported.
    """

    def parse(line: str) -> Entry | None:
        match = _MJSYNTH.fullmatch(line)
        return image_entry(root, match[1], match[2]) if match else None

    return parse_lines(path, parse)


def cocotext_words(path: str, root: str) -> Iterator[Entry]:
    """The words of COCO-Text as ICDAR 2017 cut them out: `1234,|text|`, in `val_words_gt.txt` beside `val_words/`.

    The picture of a line is `val_words/1234.jpg`; commas in the text are not escaped, and bars around it are optional.
    Lines without a text are entries with an empty one.
    """
    folder = re.sub(r"_gt\.txt$", "", os.path.basename(path))

    def parse(line: str) -> Entry | None:
        number, _, text = line.partition(",")
        if not re.fullmatch(r"\s*\d+\s*", number):
            return None
        return image_entry(root, f"{folder}/{number.strip()}.jpg", text.strip().strip("|"))

    return parse_lines(path, parse)
