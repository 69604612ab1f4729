"""MJSynth (Synth90k): annotation_train.txt, ..._val.txt, ..._test.txt; the label is part of the file name.

`./2697/6/466_MONIKER_49537.jpg 49537`: number, label, index in the lexicon, and that index again. About a dozen of the
nine million pictures are known to be broken; they are found when their pixels are decoded, and reported.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from spin_tf.data.conversion.entry import Entry, image_entry, parse_lines

_LINE = re.compile(r"(?:\.[/\\])?((?:.*[/\\])?\d+_(.+)_\d+\.jpe?g)(?: \d+)?\s*")


def entries(path: str, root: str) -> Iterator[Entry]:
    """Yields the words of an annotation file."""

    def parse(line: str) -> Entry | None:
        match = _LINE.fullmatch(line)
        return image_entry(root, match[1], match[2]) if match else None

    return parse_lines(path, parse)
