"""The words of COCO-Text as ICDAR 2017 cut them out: `1234,|text|` a line, in `val_words_gt.txt` beside `val_words/`.

The picture of a line is `val_words/1234.jpg`; commas in the text are not escaped, and bars around it are optional.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from spin_tf.data.conversion.entry import Entry, image_entry, parse_lines


def entries(path: str, root: str) -> Iterator[Entry]:
    """Yields the words of a `..._words_gt.txt`; lines without a text are entries with an empty one."""
    folder = re.sub(r"_gt\.txt$", "", os.path.basename(path))

    def parse(line: str) -> Entry | None:
        number, _, text = line.partition(",")
        if not re.fullmatch(r"\s*\d+\s*", number):
            return None
        return image_entry(root, f"{folder}/{number.strip()}.jpg", text.strip().strip("|"))

    return parse_lines(path, parse)
