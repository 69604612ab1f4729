"""Lexicons of single images: the two of IIIT5K in its .mat, those of Street View Text and ICDAR 2003 in XML."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from xml.etree import ElementTree

import numpy as np

from spin_tf._files import write_text
from spin_tf._types import JsonObject
from spin_tf.data.conversion.sources.matlab import load_mat

# What IIIT5K calls them, and the column of published tables: 50 and 1k.
_IIIT5K = {"small": "smallLexi", "medium": "mediumLexi"}


def image_lexicons(source: str, path: str) -> Iterator[JsonObject]:
    """Yields `{"source_id": picture, name: words, ...}` of each picture that a label file gives lexicons for."""
    if source == "iiit5k":
        yield from _of_mat(path)
    elif source in ("svt", "icdar2003"):
        yield from _of_xml(path)


def write_lexicons(source: str, inputs: Sequence[str], path: str) -> int:
    """Writes a JSON line a picture, in one step; no file where there are no lexicons.

    Returns:
        how many pictures have any.
    """
    lines = [json.dumps(record, ensure_ascii=False) for given in inputs for record in image_lexicons(source, given)]
    if lines:
        write_text(path, "".join(f"{line}\n" for line in lines), "surrogateescape")
    return len(lines)


def _of_mat(path: str) -> Iterator[JsonObject]:
    for value in load_mat(path, "Reading IIIT5K").values():
        rows = np.atleast_1d(value) if isinstance(value, np.ndarray) else np.empty(0)
        fields = rows.dtype.names or ()
        for row in rows if "ImgName" in fields else ():
            lists = {
                name: [str(word) for word in np.atleast_1d(row[field])]
                for name, field in _IIIT5K.items()
                if field in fields and np.size(row[field])
            }
            if lists and isinstance(row["ImgName"], str):
                yield {"source_id": row["ImgName"], **lists}


def _of_xml(path: str) -> Iterator[JsonObject]:
    for _, element in ElementTree.iterparse(path):
        if element.tag != "image":
            continue
        name = (element.findtext("imageName") or element.get("file") or "").strip()
        words = [word.strip() for word in (element.findtext("lex") or "").split(",") if word.strip()]
        if name and words:
            yield {"source_id": name, "small": words}
        element.clear()
