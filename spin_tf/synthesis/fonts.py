"""Fonts as atlases of glyph masks: every glyph is drawn once, so that a word costs a few array copies."""

from __future__ import annotations

import functools
import os
import pathlib
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from spin_tf._input_files import read_list
from spin_tf.synthesis.font_families import draws_pictures, font_weight

CHARACTERS = "".join(map(chr, range(33, 127)))
CAP_HEIGHT = 30
SUFFIXES = (".ttf", ".otf", ".ttc")
# Letters with a comma below, which fonts from before 1999 draw with a cedilla under older code points.
_OLDER = {"Ș": "\u015e", "ș": "\u015f", "Ț": "\u0162", "ț": "\u0163"}

_SYSTEM_FOLDERS = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "~/.fonts",
    "~/.local/share/fonts",
    "/System/Library/Fonts/Supplemental",
    "/Library/Fonts",
    "C:/Windows/Fonts",
)


# Drawn beside the characters of labels: they show a plain mark as print has it.
_PRINTED = "\u2018\u2019\u201c\u201d"
_CONFUSED = frozenset("0OoIl1|5S8B2Z")


class Glyph(NamedTuple):
    """One drawn character: `mask` uint8 (height, width), its place relative to the pen and the pen's advance."""

    mask: np.ndarray
    left: int
    top: int
    advance: float


class GlyphFont:
    """One font, scaled to capitals of 30 pixels and drawn on first use; the file is closed afterwards.

    Args:
        path: a TrueType or OpenType file, or None for the font that Pillow carries.
        characters: to draw; printable ASCII by default.

    Attributes:
        glyphs: of what the font can draw of the characters; no .notdef boxes, and nothing blank but the space.
        unicase: the small letters look like the capitals.
        substituted: characters that the font has no glyphs for, drawn by those of older code points; known with them.

    Raises:
        OSError: on first use, when the file is not a font.
    """

    def __init__(self, path: str | None, characters: str = CHARACTERS) -> None:
        self.path = path
        self.characters = characters
        self._glyphs: dict[str, Glyph] | None = None
        self.unicase = False
        self.substituted: set[str] = set()

    @property
    def weight(self) -> float:
        """How often to draw this font compared to others."""
        return font_weight(self.path) if self.path else 1.0

    @property
    def glyphs(self) -> dict[str, Glyph]:
        if self._glyphs is None:
            self._glyphs = self._draw()
            pairs = [(self._glyphs.get(c), self._glyphs.get(c.upper())) for c in self._small_letters()]
            self.unicase = bool(pairs) and all(a and b and np.array_equal(a.mask, b.mask) for a, b in pairs)
        return self._glyphs

    def _small_letters(self) -> str:
        """A few letters whose capitals have another form."""
        if set(self.characters) >= set("aegnrAEGNR"):
            return "aegnr"
        both = [c for c in self.characters if c.upper() != c and c.upper() in self.characters]
        return "".join(both[:5])

    def supports(self, text: str) -> bool:
        """Whether every character of `text` has a visible glyph of its own."""
        return all(character in self.glyphs for character in text)

    def _open(self, size: float) -> ImageFont.FreeTypeFont:
        if self.path is None:
            font = ImageFont.load_default(size)
            if not isinstance(font, ImageFont.FreeTypeFont):
                raise OSError("Pillow was built without FreeType: synthesis needs it. Received: font=None")
            return font
        return ImageFont.truetype(self.path, round(size), layout_engine=ImageFont.Layout.BASIC)

    def _draw(self) -> dict[str, Glyph]:
        font = self._open(40)
        box = font.getbbox("H", anchor="ls")
        height = box[3] - box[1]
        if height <= 0:
            return {}
        font = self._open(min(max(40 * CAP_HEIGHT / height, 20), 90))
        missing = _draw_glyph(font, "\uffff")

        def drawn(character: str) -> Glyph | None:
            glyph = _draw_glyph(font, character)
            is_box = glyph is not None and missing is not None and np.array_equal(missing.mask, glyph.mask)
            return None if is_box else glyph

        glyphs = {}
        for character in dict.fromkeys(self.characters + (_PRINTED if "'" in self.characters else "")):
            glyph = drawn(character)
            if glyph is None and character in _OLDER and (glyph := drawn(_OLDER[character])):
                self.substituted.add(character)
            if glyph is not None:
                glyphs[character] = glyph
        if " " in self.characters:
            width = max(float(font.getlength(" ")), CAP_HEIGHT / 5)
            glyphs[" "] = Glyph(np.zeros((1, 1), np.uint8), 0, -1, width)
        # A font that shows the plain letter for one with an accent would teach to see accents where there are none.
        bare = [(c, unicodedata.normalize("NFD", c)[0]) for c in glyphs if not c.isascii()]
        for character, plain in bare:
            if plain != character and plain in glyphs and _alike(glyphs[plain].mask, glyphs[character].mask):
                del glyphs[character]
        return glyphs

    def tells_apart(self, text: str) -> bool:
        """Whether no two characters of `text` look the same in this font, as I and l do in many."""
        masks = [self.glyphs[c].mask for c in sorted(set(text) & _CONFUSED)]
        return not any(np.array_equal(a, b) for i, a in enumerate(masks) for b in masks[:i])

    @functools.cached_property
    def is_monospaced(self) -> bool:
        """Whether narrow and wide letters take the same room."""
        try:
            font = self._open(20)
            return len({round(font.getlength(c), 1) for c in "iW0m"}) == 1
        except OSError:
            return False


def _alike(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two glyphs are the same, or as good as that."""
    return one.shape == other.shape and float(np.abs(one.astype(np.int16) - other).mean()) < 0.05 * float(one.mean())


def _draw_glyph(font: ImageFont.FreeTypeFont, character: str) -> Glyph | None:
    left, top, right, bottom = (int(v) for v in font.getbbox(character, anchor="ls"))
    width, height = right - left, bottom - top
    if width <= 0 or height <= 0 or width > 6 * CAP_HEIGHT or height > 6 * CAP_HEIGHT:
        return None
    image = Image.new("L", (width, height))
    ImageDraw.Draw(image).text((-left, -top), character, 255, font, anchor="ls")
    mask = np.asarray(image)
    rows, columns = np.flatnonzero(mask.max(1) > 24), np.flatnonzero(mask.max(0) > 24)
    if not rows.size:
        return None
    mask = np.ascontiguousarray(mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    return Glyph(mask, left + int(columns[0]), top + int(rows[0]), float(font.getlength(character)))


def find_fonts(folder: str | os.PathLike[str]) -> list[str]:
    """Paths of the font files below a folder, sorted.

    Raises:
        FileNotFoundError: the folder does not exist.
    """
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"No such folder of fonts. Received: fonts={os.fspath(folder)!r}")
    return sorted(str(p) for p in pathlib.Path(folder).rglob("*") if p.suffix.lower() in SUFFIXES)


def select_families(paths: Iterable[str], listing: str | os.PathLike[str], keep: bool) -> list[str]:
    """The fonts whose family a file lists, or those whose family it does not.

    Args:
        paths: font files.
        listing: one family a line, lines that begin with # are comments; a family is the name of the font's folder, or
            of the font's file without its ending and what follows the first "-", in any case.
        keep: whether the families in the list are taken; else they are left out.

    Raises:
        OSError: the list cannot be read.
        ValueError: no font is left, or no font is of a family in the list.
    """
    lines = [line.strip().lower() for line in read_list(listing).split("\n")]
    families = {line for line in lines if line and not line.startswith("#")}

    def listed(path: str) -> bool:
        font = pathlib.Path(path)
        return bool({font.parent.name.lower(), font.stem.lower(), font.stem.split("-")[0].lower()} & families)

    paths = list(paths)
    inside = [path for path in paths if listed(path)]
    chosen = inside if keep else [path for path in paths if not listed(path)]
    if not inside or not chosen:
        raise ValueError(
            f"{'No font is' if not inside else 'All fonts are'} of a family in the list. Received: "
            f"list={os.fspath(listing)!r}, {len(paths)} fonts"
        )
    return chosen


def system_fonts() -> list[str]:
    """Paths of the fonts in the usual folders of Linux, macOS and Windows; may be empty."""
    folders = [os.path.expanduser(folder) for folder in _SYSTEM_FOLDERS]
    paths = [path for folder in folders if os.path.isdir(folder) for path in find_fonts(folder)]
    return [path for path in paths if not draws_pictures(path)]


class FontLibrary:
    """Fonts to draw from, weighted towards those that signs use.

    Args:
        paths: font files; None takes the fonts of the system, and Pillow's own where there are none. Fonts that lack
            letters or digits, and files that are no fonts, are passed over when they come up.
        characters: to draw. Where they are no printable ASCII, a font must have a quarter of the letters.

    Raises:
        ValueError: `paths` is empty, or no font in it can draw letters and digits.
    """

    def __init__(self, paths: Iterable[str | os.PathLike[str]] | None = None, characters: str = CHARACTERS) -> None:
        self._characters = characters
        if paths is None:
            # A system's fonts are for many scripts; those without Latin letters are found out when they are drawn.
            found: list[str | None] = [*system_fonts()] or [None]
        else:
            found = [os.fspath(p) for p in paths]
        if not found:
            raise ValueError("No fonts to draw with. Received: fonts=[]")
        self.fonts = [GlyphFont(path, characters) for path in found]
        self._cumulative = np.cumsum([font.weight for font in self.fonts])
        self._unusable: set[int] = set()
        self._monospaced: list[int] | None = None
        self._fallback = paths is None

    def pick(self, u: float) -> GlyphFont:
        """The font at `u` in [0, 1) of the weighted list; an unusable one gives its place to the next."""
        start = int(np.searchsorted(self._cumulative, u * self._cumulative[-1], side="right"))
        for step in range(len(self.fonts)):
            index = (start + step) % len(self.fonts)
            if index not in self._unusable:
                if self._usable(index):
                    return self.fonts[index]
                self._unusable.add(index)
        if not self._fallback:
            raise ValueError(
                f"None of the fonts can draw {'letters and digits' if self._is_ascii else self._shown()}. "
                f"Received: fonts={[f.path for f in self.fonts[:3]]}..."
            )
        self.fonts = [GlyphFont(None, self._characters)]
        self._cumulative, self._unusable = np.ones(1), set()
        if not self._usable(0):
            raise ValueError(f"No font of this system draws these letters; name some. Received: {self._shown()}")
        return self.fonts[0]

    def pick_monospaced(self, u: float) -> GlyphFont:
        """The font at `u` in [0, 1) of those whose letters all have one width; of all fonts where there are none."""
        if self._monospaced is None:
            self._monospaced = [i for i, font in enumerate(self.fonts) if font.is_monospaced and self._usable(i)]
        return self.fonts[self._monospaced[int(u * len(self._monospaced))]] if self._monospaced else self.pick(u)

    def _usable(self, index: int) -> bool:
        try:
            if self._is_ascii:
                return self.fonts[index].supports("AEHORSTaeorst0123")
            letters = [c for c in self._characters if c.isalpha()] or list(self._characters)
            return 4 * sum(c in self.fonts[index].glyphs for c in letters) >= len(letters)
        except OSError:
            return False

    @property
    def _is_ascii(self) -> bool:
        return set(CHARACTERS) <= set(self._characters)

    def _shown(self) -> str:
        return f"{self._characters[:40]!r}{'...' if len(self._characters) > 40 else ''}"

    def missing(self) -> str:
        """The characters that no usable font draws; looks at fonts only until each has been found."""
        wanted = set(self._characters)
        if self._fallback:
            # Falls back to Pillow's font where no other is usable.
            self.pick(0.0)
        for index, font in enumerate(self.fonts):
            if not wanted:
                break
            if self._usable(index):
                wanted -= set(font.glyphs)
        return "".join(sorted(wanted))
