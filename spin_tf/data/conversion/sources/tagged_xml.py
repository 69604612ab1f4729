"""XML of ICDAR 2003 (words.xml, tagged rectangles on photographs; word.xml, a picture a word) and Street View Text."""

from __future__ import annotations

import math
from collections.abc import Iterator
from xml.etree import ElementTree

from spin_tf.data.conversion.entry import Entry, bad_line, image_entry


def tagged_xml(path: str, root: str) -> Iterator[Entry]:
    """Yields the words of either file: `<image file="word/1/1.jpg" tag="self"/>` or taggedRectangles of a picture."""
    number = 0
    try:
        for _, element in ElementTree.iterparse(path):
            if element.tag != "image":
                continue
            number += 1
            if "file" in element.attrib:
                text = element.get("tag")
                name = element.get("file", "")
                yield image_entry(root, name, text) if text is not None else bad_line(path, number, name)
            else:
                yield from _rectangles(element, path, root, number)
            element.clear()
    # The encoding that the file names may be unknown, or one that the parser does not know.
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        raise ValueError(f"This is no well-formed XML: {error}. Received: input={path!r}") from error


def _rectangles(image: ElementTree.Element, path: str, root: str, number: int) -> Iterator[Entry]:
    name = (image.findtext("imageName") or "").strip()
    for word, rectangle in enumerate(image.iter("taggedRectangle"), start=1):
        text = rectangle.findtext("tag")
        try:
            left, top, width, height = (float(rectangle.attrib[key]) for key in ("x", "y", "width", "height"))
        except (KeyError, ValueError):
            left = top = width = height = math.nan
        if not name or text is None or not all(map(math.isfinite, (left, top, width, height))):
            yield bad_line(path, number, f"{name} {rectangle.attrib} {text!r}")
            continue
        entry = image_entry(root, name, text, box=(left, top, left + width, top + height))
        yield entry._replace(source_id=f"{name}#word{word}")
