"""Photographs as hOCR: HTML with places, which other programs search and lay under scans.

Reference: hOCR 1.2, http://kba.github.io/hocr-spec/1.2/.
"""

from __future__ import annotations

import html

import numpy as np

from spin_tf._version import __version__
from spin_tf.photo.words import Photo, PhotoWord

END = "</body></html>"


def begin() -> str:
    """What stands before the first photograph."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" '
        '"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">\n'
        '<html xmlns="http://www.w3.org/1999/xhtml"><head><title>Photographs</title>\n'
        '<meta http-equiv="Content-Type" content="text/html;charset=utf-8" />\n'
        f'<meta name="ocr-system" content="spin_tf {__version__}" />\n'
        '<meta name="ocr-capabilities" content="ocr_page ocr_line ocrx_word ocrp_poly ocrp_wconf" />\n'
        "</head><body>"
    )


def _box(words: list[PhotoWord]) -> str:
    points = np.array([word.polygon for word in words]).reshape(-1, 2)
    left, top = np.floor(points.min(axis=0)).astype(int)
    right, bottom = np.ceil(points.max(axis=0)).astype(int)
    return f"bbox {left} {top} {right} {bottom}"


def _escape(text: str) -> str:
    # XML has no characters for most of the first 32, and none for halves of others.
    kept = "".join(c if c >= " " and not 0x7F <= ord(c) < 0xA0 else f"\\x{ord(c):02x}" for c in text)
    return html.escape(kept.encode("utf-8", "backslashreplace").decode("utf-8"))


def page(path: str, photo: Photo, number: int) -> str:
    """One photograph.

    Args:
        path: of it, as it is to stand there.
        photo: its words.
        number: of the photograph, from 0.
    """
    quoted = path.replace("\\", "\\\\").replace('"', '\\"')
    title = _escape(f'image "{quoted}"; bbox 0 0 {photo.width} {photo.height}; ppageno {number}')
    parts = [f'<div class="ocr_page" id="page_{number + 1}" title="{title}">']
    for line in photo.lines:
        name = f"{number + 1}_{line[0].line + 1}"
        parts.append(f'<span class="ocr_line" id="line_{name}" title="{_box(line)}">')
        for count, word in enumerate(line, start=1):
            corners = " ".join(f"{value:.0f}" for point in word.polygon for value in point)
            parts.append(
                f'<span class="ocrx_word" id="word_{name}_{count}" title="{_box([word])}; poly {corners}; '
                f'x_wconf {100 * word.confidence:.0f}">{_escape(word.text)}</span>'
            )
        parts.append("</span>")
    parts.append("</div>")
    return "\n".join(parts)
