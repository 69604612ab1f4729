"""One JSON object a line: the path under `file_name`, `filename`, `image`, ..., the text under `text` or `label`.

Other trainers write one document instead, which is read as well: an object of texts by path, or of such objects by
path; a list of such objects, also under a key such as `data_list`, with the text in `instances` (MMOCR).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

from spin_tf._types import JsonObject
from spin_tf.data.conversion.entry import Entry, bad_line, image_entry, lines_of, parse_lines, text_of
from spin_tf.data.conversion.sources.csv_file import FILE_NAMES, TEXT_NAMES

_FILE_NAMES = (*FILE_NAMES, "img_path")
# What parses at once takes ten times its size in memory.
_MAX_DOCUMENT = 256 * 2**20


def entries(path: str, root: str) -> Iterator[Entry]:
    """Yields the words of a JSON-lines file, or of one JSON document."""
    first = next((line for _, line, _ in lines_of(path)), None)
    if first is not None and _record(_loaded(first)) is None:
        document = _document(path)
        if document is not None:
            for number, (name, value) in enumerate(document, start=1):
                yield _entry(root, name, value) or bad_line(path, number, ascii(value)[:200])
            return
    yield from parse_lines(path, lambda line: _entry(root, None, _loaded(line)))


def _loaded(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _record(value: object) -> tuple[str, str] | None:
    """Path and text of an object that holds both."""
    if not isinstance(value, dict):
        return None
    name, text = (_first(value, keys) for keys in (_FILE_NAMES, TEXT_NAMES))
    inner = value.get("instances")
    if text is None and isinstance(inner, list) and len(inner) == 1 and isinstance(inner[0], dict):
        text = _first(inner[0], TEXT_NAMES)
    return None if name is None or text is None else (name, text)


def _first(value: JsonObject, keys: tuple[str, ...]) -> str | None:
    return next((text_of(value, key) for key in keys if key in value), None)


def _entry(root: str, name: str | None, value: Any) -> Entry | None:
    """The entry of an object, or of what stands under a path."""
    if name is None:
        record = _record(value)
    else:
        text = text_of({"": value}, "") if isinstance(value, str) else _first(value, TEXT_NAMES) if value else None
        record = None if text is None else (name, text)
    return None if record is None else image_entry(root, *record)


def _document(path: str) -> list[tuple[str | None, Any]] | None:
    """What a file holds that is one JSON document: each word's path, where that is a key, and the rest of it."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            # No more room than the file needs, which may be one line.
            text = file.read(min(os.fstat(file.fileno()).st_size, _MAX_DOCUMENT) + 1)
        value = json.loads(text) if len(text) <= _MAX_DOCUMENT else None
    except (OSError, ValueError, RecursionError):
        return None
    if isinstance(value, dict):
        lists = [inner for inner in value.values() if isinstance(inner, list)]
        if len(lists) != 1:
            named = [(name, inner) for name, inner in value.items() if isinstance(inner, str | dict)]
            return named if named and len(named) == len(value) else None
        value = lists[0]
    return [(None, inner) for inner in value] if isinstance(value, list) and value else None
