"""CSV files: a header that names a file and a text column, or two columns without a header.

Columns end at commas, or at semicolons or bars where the first line has no comma: spreadsheets of half of Europe write
semicolons, and some say so in a line of their own (`sep=;`).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import TextIO

from spin_tf.data.conversion.entry import MAX_LINE, Entry, bad_line, image_entry

FILE_NAMES = ("file", "filename", "file_name", "image", "image_path", "img", "path")
TEXT_NAMES = ("text", "label", "transcription", "word", "words")


def entries(path: str, root: str) -> Iterator[Entry]:
    """Yields the words of a CSV file in UTF-8 (RFC 4180: quotes doubled inside quotes)."""
    # A label that is not UTF-8 must not end the file: its bytes pass as surrogates and are reported below.
    with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        delimiter = _delimiter(file)
        reader = csv.reader(iter(lambda: file.readline(MAX_LINE), ""), delimiter=delimiter)
        file_column, text_column, columns = 0, 1, 2
        first = True
        while True:
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield bad_line(path, reader.line_num, str(error))
                continue
            if not row:
                continue
            if first:
                first = False
                names = [name.strip().lower() for name in row]
                found = [
                    next((names.index(n) for n in wanted if n in names), -1) for wanted in (FILE_NAMES, TEXT_NAMES)
                ]
                if min(found) >= 0:
                    (file_column, text_column), columns = found, len(row)
                    continue
            if len(row) != columns:
                yield bad_line(path, reader.line_num, ascii(row))
            elif any("\udc80" <= c <= "\udcff" for c in row[file_column] + row[text_column]):
                yield bad_line(path, reader.line_num, ascii(row), "label_not_utf8")
            else:
                yield image_entry(root, row[file_column], row[text_column])


def _delimiter(file: TextIO) -> str:
    """What separates the columns; leaves the file at its first line of words."""
    first = file.readline(MAX_LINE)
    if first.lower().startswith("sep=") and len(first.strip()) == 5:
        return first[4]
    file.seek(0)
    if "," in first:
        # In a path or a label only, where other columns are found with what the header names.
        names = [name.strip().strip('"').lower() for name in first.split(";")]
        return ";" if {*names} & {*FILE_NAMES} and {*names} & {*TEXT_NAMES} else ","
    return next((delimiter for delimiter in ";|" if delimiter in first), ",")
