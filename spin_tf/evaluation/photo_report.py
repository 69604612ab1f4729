"""What an evaluation of photographs says: a table, files, and a page of what went wrong."""

from __future__ import annotations

import dataclasses
import html
import json
import math
import os
from typing import NamedTuple

from PIL import Image, ImageDraw

from spin_tf._files import write_text
from spin_tf._page import data_uri, page
from spin_tf._types import JsonObject
from spin_tf.evaluation.photo_labels import LabelledPhoto
from spin_tf.evaluation.photo_protocol import MIN_LETTERS, Counts, Matching, PlacedWord, is_short, match
from spin_tf.explanation.page import STYLE
from spin_tf.reading.inputs import load_image

_SIDE = 760
# What the outlines mean, in the order in which they are drawn.
_COLOURS = {
    "ignored": (140, 140, 140),
    "right": (40, 150, 70),
    "missed": (210, 30, 40),
    "invented": (40, 90, 220),
    "misread": (230, 140, 0),
}
_PAGE_STYLE = (
    ".photo{margin:1.4em 0;padding:1em;border:1px solid var(--line);border-radius:8px;background:var(--card)}"
    ".photo img{max-width:100%;border-radius:4px}.photo p{margin:.3em 0;overflow-wrap:anywhere}"
    "td,th{text-align:right}td:first-child,th:first-child{text-align:left}"
    + "".join(f".{name}{{color:rgb{colour};font-weight:600}}" for name, colour in _COLOURS.items())
)


class PhotoResult(NamedTuple):
    """One photograph, compared with its labels.

    Attributes:
        photo: with its labels.
        readings: what was found; none where the photograph could not be read.
        found: by places alone.
        read: end to end.
        min_letters: of a label that counts end to end.
    """

    photo: LabelledPhoto
    readings: list[PlacedWord]
    found: Matching
    read: Matching
    min_letters: int = MIN_LETTERS


@dataclasses.dataclass(frozen=True)
class Sums:
    """The counts of a set: photographs, by places alone, end to end."""

    photos: int = 0
    found: Counts = dataclasses.field(default_factory=Counts)
    read: Counts = dataclasses.field(default_factory=Counts)


def compare(
    photo: LabelledPhoto, readings: list[PlacedWord] | None, comparison: str, min_letters: int = MIN_LETTERS
) -> PhotoResult:
    """Compares the readings of a photograph, None for one that could not be read, with its labels; see `match`."""
    words = readings or []
    read = match(photo.words, words, comparison, min_letters)
    return PhotoResult(photo, words, match(photo.words, words), read, min_letters)


def sums(results: list[PhotoResult]) -> dict[str, Sums]:
    """The counts of each set in the order of their names' first photographs, and of all."""
    by_set: dict[str, Sums] = {}
    for result in results:
        for name in (result.photo.name, "all"):
            before = by_set.get(name, Sums())
            by_set[name] = Sums(before.photos + 1, before.found + result.found.counts, before.read + result.read.counts)
    by_set["all"] = by_set.pop("all")
    return by_set


def _percent(value: float) -> str:
    return "-" if math.isnan(value) else f"{100 * value:.1f}"


def make_table(results: list[PhotoResult]) -> str:
    """The counts of each set as a table in Markdown."""
    lines = [
        "| set | photos | words | found P | R | H | end to end: words | P | R | H |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name, one in sums(results).items():
        cells = [name, str(one.photos)]
        for counts in (one.found, one.read):
            cells += [str(counts.labelled), *map(_percent, (counts.precision, counts.recall, counts.hmean))]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _numbers(counts: Counts) -> JsonObject:
    values = {"precision": counts.precision, "recall": counts.recall, "hmean": counts.hmean}
    return {
        **dataclasses.asdict(counts),
        **{key: None if math.isnan(value) else round(value, 6) for key, value in values.items()},
    }


def write(folder: str, results: list[PhotoResult], table: str, settings: JsonObject) -> None:
    """Writes results.json, results.md and readings.jsonl.

    Args:
        folder: it exists.
        results: all photographs.
        table: see `make_table`.
        settings: how they were read.
    """
    by_set = {
        name: {"photos": one.photos, "found": _numbers(one.found), "end_to_end": _numbers(one.read)}
        for name, one in sums(results).items()
    }
    report = json.dumps({"settings": settings, "sets": by_set}, indent=2, ensure_ascii=False, default=str)
    write_text(os.path.join(folder, "results.json"), report + "\n", errors="backslashreplace")
    write_text(os.path.join(folder, "results.md"), f"{table}\n", errors="backslashreplace")
    lines = []
    for result in results:
        words = [
            {"text": word.text, "confidence": word.confidence, "polygon": [list(map(float, p)) for p in word.polygon]}
            for word in result.readings
        ]
        lines.append(json.dumps({"path": result.photo.path, "words": words}, ensure_ascii=False) + "\n")
    write_text(os.path.join(folder, "readings.jsonl"), "".join(lines), errors="backslashreplace")


def _outlines(result: PhotoResult) -> dict[str, list[PlacedWord]]:
    """The words of a photograph by what became of them; misread ones with `label -> reading`."""
    labels, readings, read = result.photo.words, result.readings, result.read
    misread = [
        readings[number]._replace(text=f"{labels[label].text} → {readings[number].text or '(nothing)'}")
        for label, number, is_right in read.pairs
        if not is_right
    ]
    return {
        "ignored": [word for word in labels if word.ignored or is_short(word.text, result.min_letters)],
        "right": [readings[number] for _, number, is_right in read.pairs if is_right],
        "missed": [labels[number] for number in read.missed],
        "invented": [readings[number] for number in read.invented],
        "misread": misread,
    }


def draw(result: PhotoResult) -> Image.Image:
    """The photograph, at most 760 pixels wide and high, with outlines of its words."""
    image = Image.fromarray(load_image(result.photo.path)).convert("RGB")
    scale = min(1.0, _SIDE / max(image.size))
    image = image.resize((max(round(image.width * scale), 1), max(round(image.height * scale), 1)))
    pen = ImageDraw.Draw(image)
    for name, words in _outlines(result).items():
        for word in words:
            points = [(float(x) * scale, float(y) * scale) for x, y in word.polygon]
            pen.line([*points, points[0]], fill=_COLOURS[name], width=2)
    return image


def _section(result: PhotoResult) -> str:
    try:
        picture = f'<img alt="" loading="lazy" src="{data_uri(draw(result), "JPEG")}">'
    except (OSError, ValueError):
        picture = "<p>The picture cannot be read.</p>"
    paragraphs = [
        f'<p><span class="{name}">{name}</span>: {html.escape(", ".join(word.text for word in words))}</p>'
        for name, words in _outlines(result).items()
        if words and name != "ignored"
    ]
    title = html.escape(f"{result.photo.name}: {os.path.basename(result.photo.path)}")
    return f'<div class="photo"><h2>{title}</h2>{picture}{"".join(paragraphs)}</div>'


def make_page(results: list[PhotoResult], max_photos: int = 100) -> str:
    """Returns an HTML page of the photographs, most mistakes first, pictures inside.

    Args:
        results: all photographs.
        max_photos: how many are shown.
    """

    def mistakes(result: PhotoResult) -> int:
        return sum(len(words) for name, words in _outlines(result).items() if name not in ("ignored", "right"))

    shown = sorted(results, key=mistakes, reverse=True)[:max_photos]
    rows = [[cell.strip() for cell in line.strip("| ").split("|")] for line in make_table(results).splitlines()]
    table = "".join(
        f"<tr>{''.join(f'<{tag}>{html.escape(cell)}</{tag}>' for cell in row)}</tr>"
        for tag, row in (("th", rows[0]), *(("td", row) for row in rows[2:]))
    )
    legend = ", ".join(f'<span class="{name}">{name}</span>' for name in _COLOURS)
    note = (
        f"<p>{len(shown)} of {len(results)}, most mistakes first. Outlines: {legend}. Ignored: illegible, or too short "
        "to count.</p>"
    )
    body = "\n".join([f"<table>{table}</table>", note, *map(_section, shown)])
    return page("Photographs", body, STYLE + _PAGE_STYLE)
