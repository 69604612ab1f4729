"""Lines of output that stay lines, whatever a file is called, and one about readings that are hardly a guess."""

from __future__ import annotations

import dataclasses
import json
import os
import sys

from spin_tf.cli._streams import say
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


# White, black, grey, noise and slopes are read with a confidence of 0.02 to 0.16. Confidences are calibrated: below,
# at most one word in ten is right.
UNSURE = 0.1
_NAMED = 3


class UnsureWords:
    """Counts them, and says it in one line at the end.

    Args:
        advice: what the user can do about it; may be empty.
    """

    def __init__(self, advice: str = "") -> None:
        self._advice = advice
        self._words = 0
        self._unsure: list[str] = []

    def add(self, path: str, word: Word) -> None:
        """Takes the reading of a file; one without text is no guess."""
        self._words += 1
        if word.text and word.confidence < UNSURE:
            self._unsure.append(path)

    def tell(self) -> None:
        """Says how many there were and the first of them; nothing where there were none."""
        if not self._unsure:
            return
        names = ", ".join(map(show_path, self._unsure[:_NAMED])) + (", ..." if len(self._unsure) > _NAMED else "")
        count = f"{len(self._unsure)} of {self._words} words have" if self._words > 1 else "the word has"
        say(
            f"{names}: {count} a confidence below {UNSURE:g}: perhaps no word is there, or more than one"
            + (f"; {self._advice}" if self._advice else "")
        )
