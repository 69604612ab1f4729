"""The measured parts of documents: programs write what stands between two marks, people the rest."""

from __future__ import annotations

import pathlib

from spin_tf._files import write_text

_END = "<!-- until here -->\n"


def split_page(path: str, source: str) -> tuple[str, str, str]:
    """A page as what stands before its measured part, that part, and what stands after it, the marks left out.

    Args:
        path: a document in Markdown.
        source: the program that measures, as the mark names it.

    Raises:
        OSError: it cannot be read.
        ValueError: it has no such part, or more than one.
    """
    start = f"<!-- measured by {source} -->\n"
    before, *rest = pathlib.Path(path).read_text(encoding="utf-8").split(start)
    if len(rest) != 1 or _END not in rest[0]:
        raise ValueError(f"A document has one place for tables between {start!r} and {_END!r}. Received: {path!r}")
    measured, _, after = rest[0].partition(_END)
    return before, measured, after


def write_measured(path: str, source: str, text: str) -> None:
    """Puts `text` in the place of what was measured before; see `split_page`."""
    before, _, after = split_page(path, source)
    write_text(path, f"{before}<!-- measured by {source} -->\n\n{text.strip()}\n\n{_END}{after}")
