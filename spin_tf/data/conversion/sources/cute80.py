"""CUTE80: a label file with `timage/001.jpg RONALDO 1 RONALDO` on each line, or only the path and the text."""

from __future__ import annotations

from collections.abc import Iterator

from spin_tf.data.conversion.entry import Entry, image_entry, parse_lines


def entries(path: str, root: str) -> Iterator[Entry]:
    """Yields the words of a label file; words of CUTE80 hold no spaces."""

    def parse(line: str) -> Entry | None:
        parts = line.split()
        return image_entry(root, parts[0], parts[1]) if len(parts) in (2, 4) else None

    return parse_lines(path, parse)
