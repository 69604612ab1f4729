"""Lines of output that stay lines, whatever a file is called."""

from __future__ import annotations

import dataclasses
import json
import os
import sys

from spin_tf.photo import hocr
from spin_tf.photo.words import Photo
from spin_tf.recognizer import Word

_CONTROL = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))}
_CONTROL |= {ord("\t"): "\\t", ord("\n"): "\\n", ord("\r"): "\\r"}
# Where a backslash separates folders, no name holds it or a control character.
_IN_PATHS = _CONTROL if os.sep == "\\" else _CONTROL | {ord("\\"): "\\\\"}


def show_path(path: str) -> str:
    """A path in one piece: tabs, line ends, control characters as \\t, \\n, \\r, \\x1b, and backslashes doubled."""
    return path.translate(_IN_PATHS)


def format_word(path: str, word: Word, output_format: str) -> str:
    """Returns the output line of a word, without its line end."""
    if output_format == "jsonl":
        return _to_json({"path": path, **dataclasses.asdict(word)})
    readings = (f"{one.text.translate(_CONTROL)}\t{one.confidence:.4f}" for one in (word, *word.alternatives))
    return "\t".join([show_path(path), *readings])


def format_photo(path: str, photo: Photo, output_format: str, number: int) -> str:
    """Returns the output of a photograph, without its last line end; nothing as text for one without words.

    Args:
        path: of it.
        photo: its words.
        output_format: `"text"`, `"jsonl"` or `"hocr"`.
        number: of the photograph, from 0.
    """
    if output_format == "hocr":
        text = hocr.page(path, photo, number)
        return text if _takes(text) else text.encode("ascii", "xmlcharrefreplace").decode("ascii")
    if output_format == "jsonl":
        size = {"width": photo.width, "height": photo.height, "turned": photo.turned}
        return _to_json({"path": path, **size, "words": [word.to_dict() for word in photo]})
    shown = show_path(path)
    return "\n".join(f"{shown}\t{' '.join(word.text for word in line).translate(_CONTROL)}" for line in photo.lines)


def _to_json(record: dict[str, object]) -> str:
    """JSON in letters where stdout takes them; else, and for names that are no text, in escapes that all know."""
    line = json.dumps(record, ensure_ascii=False)
    return line if _takes(line) else json.dumps(record)


def _takes(text: str) -> bool:
    """Whether stdout has all characters of a text."""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True
