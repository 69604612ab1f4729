r"""ICDAR word recognition ground truth (2011, 2013, 2015): `word_1.png, "TEXT"`, often with a byte-order mark.

A quote inside the text is written `\"` and a backslash `\\`; commas are not escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from spin_tf.data.conversion.entry import Entry, image_entry, parse_lines

_LINE = re.compile(r'\s*([^,]+?)\s*,\s*"(.*)"\s*', re.DOTALL)
_ESCAPE = re.compile(r'\\(["\\])')


def unescape(text: str) -> str:
    r"""Turns `\"` into a quote and `\\` into a backslash."""
    return _ESCAPE.sub(r"\1", text)


def entries(path: str, root: str) -> Iterator[Entry]:
    """Yields the words of a gt.txt; its pictures lie beside it."""

    def parse(line: str) -> Entry | None:
        match = _LINE.fullmatch(line)
        return image_entry(root, match[1], unescape(match[2])) if match else None

    return parse_lines(path, parse)
