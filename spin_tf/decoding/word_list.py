"""Files of words, one a line, and how to tell that a file is another kind of list."""

from __future__ import annotations

import io
import itertools
import os
from collections.abc import Callable, Iterator, Sequence

from spin_tf._input_files import open_named

# Enough to tell what a file is.
_HEAD_LINES = 200
# Longer than any list of a million words.
_MAX_BYTES = 2**32


def lines_of(path: str | os.PathLike[str]) -> Iterator[str]:
    """The lines of a word list that are not empty, without the white space around them.

    Raises:
        OSError: the file cannot be opened.
        ValueError: it is not UTF-8.
    """
    try:
        with io.TextIOWrapper(open_named(path, _MAX_BYTES), encoding="utf-8-sig") as file:
            for line in file:
                if word := line.strip():
                    yield word
    except UnicodeDecodeError as error:
        raise ValueError(f"A lexicon is a UTF-8 file. Received: lexicon={os.fspath(path)!r}, {error}") from error


def with_head(lines: Iterator[str]) -> tuple[list[str], Iterator[str]]:
    """The first lines, for `other_kind`, and all of them."""
    head = list(itertools.islice(lines, _HEAD_LINES))
    return head, itertools.chain(head, lines)


def other_kind(head: Sequence[str]) -> str:
    """What a file seems to be that is no plain list of words, with its first such line; "" where it seems to be one.

    Args:
        head: its first lines.
    """
    if not head:
        return ""
    for what, is_one in _KINDS.items():
        found = [line for line in head if is_one(line)]
        if len(found) > 0.9 * len(head):
            return f"{what}, such as {found[0][:60]!r}"
    if head[0].isdecimal() and sum("/" in line for line in head) > 0.3 * len(head):
        return f"a dictionary of Hunspell, which begins with the number of its words, {head[0]!r}"
    if head[0][0] in "[{" and head[-1].rstrip(",")[-1] in '"]}':
        return f"JSON, which begins with {head[0][:60]!r}"
    return ""


def _is_quoted(line: str) -> bool:
    line = line.rstrip(",; \t")
    return len(line) > 2 and line[0] == line[-1] and line[0] in "\"'`"


def _has_number(line: str) -> bool:
    word, _, number = line.rpartition(" ")
    return bool(word) and number.replace(".", "", 1).isdecimal()


_KINDS: dict[str, Callable[[str], bool]] = {
    "quoted words, whose quotes count as characters of the words": _is_quoted,
    "a table, whose columns tabs divide": lambda line: "\t" in line,
    "words with a number behind each, which counts as a part of the words": _has_number,
    "a table, whose columns semicolons divide": lambda line: ";" in line.strip(";") and len(line) > 2,
    "a table, whose columns commas divide": lambda line: any(map(str.isalpha, line)) and "," in line.strip(","),
}
