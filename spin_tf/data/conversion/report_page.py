"""Pages of pictures with labels: of a conversion's report, and of samples of TFRecords.

Everything from the data is hostile until shown: labels are HTML-escaped with control characters and direction marks
made visible, and pictures are decoded and encoded anew, never embedded as they are.
"""

from __future__ import annotations

import html
import json
import os
import unicodedata
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from PIL import Image

from spin_tf._page import PAGE_STYLE, data_uri, page
from spin_tf._types import JsonObject
from spin_tf.contract.errors import ImageError
from spin_tf.data.conversion.cropping import crop
from spin_tf.data.conversion.entry import EntryError, read_file
from spin_tf.data.conversion.sources import lmdb_folder, tfrecord_files
from spin_tf.data.conversion.statistics import Statistics
from spin_tf.data.images import decode_image
from spin_tf.data.plain_images import encode_png

_THUMBNAIL = (320, 96)
_STYLE = (
    PAGE_STYLE
    + """
.words{display:flex;flex-wrap:wrap;gap:.7em}
.word{width:15em;padding:.6em .7em;border:1px solid var(--line);border-radius:8px;background:var(--card);
overflow-wrap:anywhere}
.word img{max-width:100%;max-height:6em;border-radius:4px;image-rendering:pixelated;background:var(--bar)}
.label{font:16px/1.4 ui-monospace,monospace;white-space:pre-wrap;unicode-bidi:isolate}
.detail{color:var(--soft);font-size:12px}
i.code{color:var(--bad);font-style:normal}
""".replace("\n", "")
)


class Sample(NamedTuple):
    """One word to show; `encoded` is its picture, or None where it cannot be read."""

    label: str | None
    source_id: str
    detail: str
    encoded: bytes | None


def _is_hidden(character: str) -> bool:
    return character != " " and unicodedata.category(character) in ("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs")


def visible(text: str) -> str:
    """Returns `text` with control characters, direction marks and special spaces written as `\\u{202E}`."""
    return "".join(f"\\u{{{ord(c):04X}}}" if _is_hidden(c) else c for c in text)


def _label_html(text: str | None) -> str:
    if text is None:
        return '<i class="code">no label</i>'
    pieces = (f'<i class="code">{visible(c)}</i>' if _is_hidden(c) else html.escape(c) for c in text)
    return f'<bdi dir="auto">{"".join(pieces)}</bdi>'


def _thumbnail(data: bytes) -> str:
    try:
        image = Image.fromarray(decode_image(data))
    except ImageError:
        return '<i class="code">no picture</i>'
    image.thumbnail(_THUMBNAIL)
    return f'<img alt="" src="{data_uri(image)}">'


def _word_html(sample: Sample) -> str:
    picture = _thumbnail(sample.encoded) if sample.encoded is not None else '<i class="code">no picture</i>'
    return (
        f'<div class="word">{picture}<div class="label">{_label_html(sample.label)}</div>'
        f'<div class="detail">{html.escape(visible(sample.source_id))}</div>'
        f'<div class="detail">{html.escape(visible(sample.detail))}</div></div>'
    )


def words_html(samples: Iterable[Sample]) -> str:
    """Returns the pictures with their labels as a piece of a page."""
    return f'<div class="words">{"".join(map(_word_html, samples))}</div>'


def table_html(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Returns a table; numbers are set to the right."""
    cells = "".join(f"<th>{html.escape(cell)}</th>" for cell in head)
    lines = [f"<tr>{cells}</tr>"]
    for row in rows:
        kinds = (' class="number"' if isinstance(cell, (int, float)) else "" for cell in row)
        texts = (html.escape(visible(str(cell))) for cell in row)
        lines.append("<tr>" + "".join(f"<td{k}>{t}</td>" for k, t in zip(kinds, texts, strict=True)) + "</tr>")
    return f"<table>{''.join(lines)}</table>"


def page_html(title: str, body: str) -> str:
    """Returns a whole page."""
    return page(title, body, _STYLE)


def _picture_of(example: JsonObject) -> bytes | None:
    """The picture of an example of the statistics, cut out where it has a box; None where there is none."""
    path, box, key = example["path"], example["box"], example["key"]
    try:
        if not path:
            return None
        if key:
            return tfrecord_files.read(path, key).encoded if "," in key else lmdb_folder.read(path, key)
        data = read_file(path)
        if box:
            data = encode_png(crop(decode_image(data), tuple(box)))
        return data
    except (EntryError, ImageError):
        return None


def _samples(examples: Iterable[JsonObject]) -> list[Sample]:
    return [Sample(e["text"], e["source_id"], e["detail"], _picture_of(e)) for e in examples]


def report_json(statistics: Statistics, options: JsonObject) -> str:
    """Returns the report for programs: options and counts, in ASCII."""
    return json.dumps({"format": 1, **options, **statistics.to_report()}, indent=1) + "\n"


def report_page(statistics: Statistics, options: JsonObject) -> str:
    """Returns the page of a conversion: counts, examples of each kind with pictures, histograms."""
    report = statistics.to_report()
    rejected = [(f"rejected: {reason}", found["count"]) for reason, found in report["rejected"].items()]
    parts = [
        table_html(("words", "count"), [*((k, report[k]) for k in ("read", "kept", "excluded")), *rejected]),
        table_html(("option", "value"), options.items()),
        f"<h2>Kept</h2>{words_html(_samples(statistics.kept_examples))}",
    ]
    for reason, found in sorted(statistics.rejected.items()):
        title = f"<h2>Rejected: {html.escape(reason)} ({found['count']})</h2>"
        parts.append(title + words_html(_samples(found["examples"])))
    if report["characters_outside_charset"]:
        named = [
            (c, f"U+{ord(c):04X}", unicodedata.name(c, ""), n) for c, n in report["characters_outside_charset"].items()
        ]
        parts.append("<h2>Characters outside the charset</h2>")
        parts.append(table_html(("character", "code", "name", "labels"), named))
    sizes = [
        (name.replace("_", " "), *report[name].values()) for name in ("image_height", "image_width") if report[name]
    ]
    if sizes:
        parts.append("<h2>Image sizes in pixels</h2>" + table_html(("percentile", *report["image_height"]), sizes))
    parts.append("<h2>Image formats</h2>" + table_html(("format", "words"), report["image_formats"].items()))
    lengths = [(int(length), count) for length, count in report["label_lengths"].items()]
    parts.append("<h2>Label lengths</h2>" + table_html(("characters", "words"), lengths))
    parts.append("<h2>Characters</h2>" + table_html(("character", "count"), report["characters"].items()))
    return page_html(f"Conversion of {os.path.basename(str(options.get('output', '')))}", "".join(parts))
