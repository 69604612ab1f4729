"""One JSON object a line: the path under `file_name`, `filename`, `image`, ..., the text under `text` or `label`."""

from __future__ import annotations

import json
from collections.abc import Iterator

from spin_tf.data.conversion.entry import Entry, image_entry, parse_lines
from spin_tf.data.conversion.json_file import text_of
from spin_tf.data.conversion.sources.csv_file import FILE_NAMES, TEXT_NAMES


def entries(path: str, root: str) -> Iterator[Entry]:
    """Yields the words of a JSON-lines file."""

    def parse(line: str) -> Entry | None:
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            return None
        if not isinstance(record, dict):
            return None
        name, text = (
            next((text_of(record, key) for key in keys if key in record), None) for keys in (FILE_NAMES, TEXT_NAMES)
        )
        return None if name is None or text is None else image_entry(root, name, text)

    return parse_lines(path, parse)
