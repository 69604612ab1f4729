"""Label files with a path, a tab and the text on each line, as PaddleOCR's recognition labels.

As there, the path may also be a JSON list of paths that share the text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from spin_tf.data.conversion.entry import Entry, bad_line, image_entry, lines_of


def entries(path: str, root: str) -> Iterator[Entry]:
    """Yields the words of a label file; the text is everything after the first tab."""
    for number, line, raw in lines_of(path):
        if line is None:
            yield bad_line(path, number, ascii(raw), "label_not_utf8")
            continue
        name, tab, text = line.partition("\t")
        if not tab or not name:
            yield bad_line(path, number, line)
            continue
        names = [name]
        if name.startswith("["):
            try:
                names = json.loads(name)
            except ValueError:
                names = [name]
        if not isinstance(names, list) or not all(isinstance(item, str) for item in names):
            yield bad_line(path, number, line)
            continue
        for item in names:
            yield image_entry(root, item, text)
