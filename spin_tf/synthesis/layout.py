"""The text plane: a word and what stands around it, drawn flat as one mask with capitals 30 pixels high."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random
from typing import NamedTuple

import numpy as np
from PIL import Image

from spin_tf.synthesis.fonts import CAP_HEIGHT, Glyph, GlyphFont
from spin_tf.synthesis.probabilities import Streams

_BORDER = 40
# Of a plain mark at the beginning of a word, and behind that.
_PRINTED = {
    ("'", False): "\u2018",
    ("'", True): "\u2019",
    ('"', False): "\u201c",
    ('"', True): "\u201d",
}


class TextPlane(NamedTuple):
    """A mask of ink, and the box (left, top, right, bottom) of the word in it, in pixels of the mask."""

    mask: np.ndarray
    box: tuple[float, float, float, float]


class Line(NamedTuple):
    """Placed glyphs of one line: (mask, x, y) with the baseline at y = 0, and the box of their ink."""

    items: list[tuple[np.ndarray, int, int]]
    left: int
    top: int
    right: int
    bottom: int


def set_line(
    font: GlyphFont, text: str, spacing: float = 0.0, jitter: float = 0.0, rng: Random | None = None, small: float = 1.0
) -> Line:
    """Places the glyphs of `text` from x = 0; `spacing` is added to every advance, `jitter` moves letters up and down.

    All letters but the first are `small` times as high: capitals that follow a larger one.

    Raises:
        KeyError: the font has no glyph for a character.
    """
    items: list[tuple[np.ndarray, int, int]] = []
    pen = 0.0
    left = top = 10**6
    right = bottom = -(10**6)
    for character in text:
        glyph = font.glyphs[character]
        if small != 1.0 and items:
            glyph = _shrink(glyph, small)
        x, y = round(pen) + glyph.left, glyph.top
        if jitter and rng is not None:
            y += round((rng.random() - 0.5) * 2 * jitter)
        height, width = glyph.mask.shape
        items.append((glyph.mask, x, y))
        left, right = min(left, x), max(right, x + width)
        top, bottom = min(top, y), max(bottom, y + height)
        # A glyph may stick out of its advance, but letters that are set apart must not run into one another.
        pen += max(glyph.advance + spacing, 2.0)
    return Line(items, left, top, right, bottom)


def _shrink(glyph: Glyph, scale: float) -> Glyph:
    height, width = (max(round(n * scale), 1) for n in glyph.mask.shape)
    mask = np.asarray(Image.fromarray(glyph.mask).resize((width, height), Image.Resampling.BILINEAR))
    return Glyph(mask, round(glyph.left * scale), round(glyph.top * scale), glyph.advance * scale)


def paste(mask: np.ndarray, line: Line, x: int, y: int) -> None:
    """Draws a line with its pen origin at (x, y); what falls outside of the mask is cut off."""
    rows, columns = mask.shape
    for glyph, dx, dy in line.items:
        left, top = x + dx, y + dy
        right, bottom = left + glyph.shape[1], top + glyph.shape[0]
        if left >= columns or top >= rows or right <= 0 or bottom <= 0:
            continue
        if left < 0 or top < 0 or right > columns or bottom > rows:
            glyph = glyph[max(-top, 0) : rows - top, max(-left, 0) : columns - left]
            left, top = max(left, 0), max(top, 0)
        region = mask[top : top + glyph.shape[0], left : left + glyph.shape[1]]
        np.maximum(region, glyph, out=region)


def typographic(label: str, font: GlyphFont) -> str:
    """`label` with the apostrophes and quotation marks that print has, where the font has them.

    Only those that a label shows as plain ones: apostrophes between letters, and quotation marks around words where the
    labels of the font's characters have none of their own.
    """
    shown = list(label)
    for i, character in enumerate(label):
        inside = 0 < i < len(label) - 1 and label[i - 1].isalpha() and label[i + 1].isalpha()
        other = _PRINTED.get((character, inside or i > 0))
        if other and other in font.glyphs and (inside or other not in font.characters):
            shown[i] = other
    return "".join(shown)


def set_text(
    label: str,
    font: GlyphFont,
    pick_font: Callable[[float], GlyphFont],
    pick_label: Callable[[Random], str],
    streams: Streams,
) -> TextPlane:
    """Draws a label and, now and then, letter spacing, dancing letters, neighbouring words and ruled lines.

    Args:
        label: what is written.
        font: what it is written in; it can draw the label.
        pick_font: gives a font for u in [0, 1), for neighbours.
        pick_label: gives the text of a neighbour.
        streams: random numbers of the word.
    """
    r = streams.active("letter_spacing")
    spacing = 0.0
    if r is not None:
        u = r.random()
        spacing = CAP_HEIGHT * (0.12 * u - 0.04 if r.random() < 0.7 else 0.1 + 0.7 * u * u)
    r = streams.active("jitter")
    jitter = CAP_HEIGHT * (0.05 + 0.12 * r.random()) if r is not None else 0.0
    small = 1.0
    capitals = streams.active("small_capitals")
    if capitals is not None and len(label) > 2 and label.isupper() and label.isalpha():
        small = 0.7 + 0.15 * capitals.random()
    line = set_line(font, label, spacing, jitter, r, small)
    width, height = line.right - line.left, line.bottom - line.top
    # A mark such as "-" keeps room above and below, as the box of a person who labels it would.
    grow = max(0, round(0.55 * CAP_HEIGHT) - height)
    plane = np.zeros((height + 2 * _BORDER + grow, width + 2 * _BORDER), np.uint8)
    x, y = _BORDER - line.left, _BORDER - line.top + grow // 2
    paste(plane, line, x, y)
    box = (_BORDER, _BORDER, _BORDER + width, _BORDER + height + grow)
    r = streams.active("neighbours")
    # Ground that is empty has no neighbours in it.
    if r is not None and streams.active("wide_ground") is None:
        _add_neighbours(plane, line, x, y, spacing, font, pick_font, pick_label, r)
    r = streams.active("lines")
    if r is not None:
        _add_rules(plane, box, r)
    return TextPlane(plane, box)


def _add_neighbours(
    plane: np.ndarray,
    line: Line,
    x: int,
    y: int,
    spacing: float,
    font: GlyphFont,
    pick_font: Callable[[float], GlyphFont],
    pick_label: Callable[[Random], str],
    r: Random,
) -> None:
    def other(same: GlyphFont) -> tuple[GlyphFont, str]:
        chosen = same if r.random() < 0.7 else pick_font(r.random())
        text = pick_label(r)
        drawn = "".join(c for c in text if c in chosen.glyphs)
        return chosen, drawn or ("E" if "E" in chosen.glyphs else next(iter(chosen.glyphs)))

    gap = round(CAP_HEIGHT * (0.3 + 0.4 * r.random()) + 1.5 * max(spacing, 0.0))
    if r.random() < 0.5:
        word = set_line(*other(font), spacing)
        paste(plane, word, x + line.left - gap - word.right, y)
    if r.random() < 0.5:
        word = set_line(*other(font), spacing)
        paste(plane, word, x + line.right + gap - word.left, y)
    for above in (True, False):
        if r.random() < 0.5:
            chosen, text = other(font)
            row = set_line(chosen, text, spacing)
            scale = 1.0 if r.random() < 0.5 else 0.5 + 0.9 * r.random()
            leading = CAP_HEIGHT * (0.12 + 0.5 * r.random() ** 1.5)
            ink = np.zeros((row.bottom - row.top, row.right - row.left), np.uint8)
            paste(ink, row, -row.left, -row.top)
            if scale != 1.0:
                size = max(round(ink.shape[1] * scale), 1), max(round(ink.shape[0] * scale), 1)
                ink = np.asarray(Image.fromarray(ink).resize(size, Image.Resampling.BILINEAR))
            shift = round((r.random() - 0.5) * 0.8 * ink.shape[1])
            left = x + (line.left + line.right - ink.shape[1]) // 2 + shift
            top = round(y + line.top - leading - ink.shape[0]) if above else round(y + line.bottom + leading)
            paste(plane, Line([(ink, 0, 0)], 0, 0, 0, 0), left, top)


def _add_rules(plane: np.ndarray, box: tuple[int, int, int, int], r: Random) -> None:
    left, top, right, bottom = box
    thick = 1 + int(r.random() * 4)
    gap = 2 + int(r.random() * 6)
    ink = 255 - int(r.random() * 100)
    kind = r.random()
    if kind < 0.45:
        plane[bottom + gap : bottom + gap + thick, left - 4 : right + 4] = ink
    elif kind < 0.55:
        plane[max(top - gap - thick, 0) : top - gap, left - 4 : right + 4] = ink
    elif kind < 0.65:
        middle = (top + bottom) // 2
        plane[middle : middle + 1 + thick // 2, left - 4 : right + 4] = ink
    else:
        a, b = max(top - gap - thick, 0), bottom + gap
        c, d = max(left - gap - thick, 0), right + gap
        plane[a : a + thick, c : d + thick] = ink
        plane[b : b + thick, c : d + thick] = ink
        plane[a : b + thick, c : c + thick] = ink
        plane[a : b + thick, d : d + thick] = ink


def change_weight(mask: np.ndarray, amount: float) -> np.ndarray:
    """Makes strokes bolder (`amount` > 0) or thinner (< 0) by about `amount` pixels on either side."""
    reach = math.ceil(abs(amount))
    if not reach:
        return mask
    source = mask if amount > 0 else 255 - mask
    grown = source.copy()
    for dx, dy in ((1, 0), (0, 1)):
        for step in range(1, reach + 1):
            # The last step is a fraction of a pixel.
            share = min(1.0, abs(amount) - step + 1)
            moved = source if share == 1.0 else (source * np.float32(share)).astype(np.uint8)
            if dx:
                np.maximum(grown[:, step:], moved[:, :-step], out=grown[:, step:])
                np.maximum(grown[:, :-step], moved[:, step:], out=grown[:, :-step])
            if dy:
                np.maximum(grown[step:], moved[:-step], out=grown[step:])
                np.maximum(grown[:-step], moved[step:], out=grown[:-step])
        source = grown.copy() if dx else source
    return grown if amount > 0 else 255 - grown
