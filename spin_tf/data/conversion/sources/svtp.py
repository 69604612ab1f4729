"""SVT-Perspective: gt.txt with a file name, a space and the text; the pictures may lie in a folder of their own."""

from __future__ import annotations

from collections.abc import Iterator

from spin_tf.data.conversion.entry import Entry, image_entry, parse_lines


def entries(path: str, root: str) -> Iterator[Entry]:
    """Yields the words of a label file."""

    def parse(line: str) -> Entry | None:
        name, space, text = line.partition(" ")
        return image_entry(root, name, text) if space and name else None

    return parse_lines(path, parse)
