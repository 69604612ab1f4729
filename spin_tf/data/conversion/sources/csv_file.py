"""CSV files: a header that names a file and a text column, or two columns without a header."""

from __future__ import annotations

import csv
from collections.abc import Iterator

from spin_tf.data.conversion.entry import MAX_LINE, Entry, bad_line, image_entry

FILE_NAMES = ("file", "filename", "file_name", "image", "image_path", "img", "path")
TEXT_NAMES = ("text", "label", "transcription", "word", "words")


def entries(path: str, root: str) -> Iterator[Entry]:
    """Yields the words of a CSV file in UTF-8 (RFC 4180: quotes doubled inside quotes)."""
    # A label that is not UTF-8 must not end the file: its bytes pass as surrogates and are reported below.
    with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        reader = csv.reader(iter(lambda: file.readline(MAX_LINE), ""))
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
