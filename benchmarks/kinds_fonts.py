"""The fonts of benchmarks/kinds.py: which there are, what each can draw, and what of it a person can tell apart."""

from __future__ import annotations

import functools
import itertools
import os
import pathlib
import random
import unicodedata
from collections.abc import Callable, Iterable

import numpy as np
from PIL import Image

from benchmarks.kinds_texts import ALIKE, CHARACTERS
from spin_tf._input_files import read_list
from spin_tf.synthesis.font_families import font_weight
from spin_tf.synthesis.fonts import GlyphFont, find_fonts


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Families that look as if written by hand.
_HANDWRITING = _names(
    """
    condiment cookie coveredbyyourgrace damion dancingscript gloriahallelujah grandhotel handlee homemadeapple
    indieflower kaushanscript kristi lilyscriptone marckscript merienda nothingyoucoulddo novascript pacifico
    patrickhand permanentmarker rocksalt sacramento satisfy shadowsintolight thegirlnextdoor yellowtail
    """
)
# Families with letters that must be guessed (a V like a U, a B in a flourish) or with a line below them: by looking at
# them. Names with sc at their end are small capitals.
_ODD = _names(
    """
    cherryswash croissantone fruktur imfellfrenchcanon jockeyone meddon miltonian miltoniantattoo montserratalternates
    montserratsubrayada newrocker orbitron plaster pressstart2p sancreek slackey
    """
)


def read_families(path: str | os.PathLike[str]) -> list[str]:
    """The font families that a file names, one a line; lines with # are comments.

    Raises:
        OSError: the file cannot be read.
        ValueError: it names none.
    """
    lines = [line.strip() for line in read_list(path).split("\n")]
    families = [line for line in lines if line and not line.startswith("#")]
    if not families:
        raise ValueError(f"No font family in this file. Received: held_out={os.fspath(path)!r}")
    return families


class Font:
    """A font file; what it can draw is found out on first use.

    Args:
        path: a TrueType or OpenType file, in the folder of its family.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.family = pathlib.Path(path).parent.name
        self._font = GlyphFont(path, CHARACTERS)

    @property
    def is_handwriting(self) -> bool:
        return self.family in _HANDWRITING and font_weight(self.path) >= 1

    @functools.cached_property
    def is_plain(self) -> bool:
        """Whether words in it are read without effort, small letters and capitals told apart."""
        if self.family in _ODD | _HANDWRITING or self.family.endswith("sc") or font_weight(self.path) < 1:
            return False
        return self._font.supports("aegnrAEGNR") and not self._font.unicase

    def draws(self, text: str) -> bool:
        """Whether each character has a glyph of its own, accents included, that can be read without the others."""
        text = text.replace(" ", "")
        # Pictures are drawn from the file itself: what stands in for a letter in the synthesis is a box here.
        if not self._font.supports(text) or self._font.substituted & set(text):
            return False
        if any(np.array_equal(self._mask(c), self._mask(_base(c))) for c in text if _base(c) != c):
            return False
        # Figures with heights of small letters: 0 is an o, 1 is a small I.
        if set("01") & set(text) and self._height("0") < 0.93 * self._height("O"):
            return False
        # And signs of currencies: a small £ is a t.
        if any(self._height(sign) < 0.85 * self._height("O") for sign in set("€£¥") & set(text)):
            return False
        return not ("|" in text and self._height("|") < 1.3 * self._height("l"))

    def tells_apart(self, text: str) -> bool:
        """Whether those characters of a text that are taken for each other differ in form."""
        pairs = [pair for group in ALIKE for pair in itertools.combinations(group, 2) if set(pair) <= set(text)]
        # An l with a foot is an L.
        pairs += [("l", "L")] if "l" in text else []
        for pair in pairs:
            # Strokes have their ends alone to differ in.
            most = 0.65 if set(pair) & set("Il") else 0.83
            if not self._tells_zero() if pair == ("0", "O") else self._alike(*pair, most):
                return False
        return True

    def _tells_zero(self) -> bool:
        """Whether 0 is much slimmer than O, or has a dot or a stroke in its middle."""
        (height, width), (other_height, other_width) = self._mask("0").shape, self._mask("O").shape
        zero, letter = (_form(self._mask(c))[9:15, 9:15].mean() for c in "0O")
        return (width / height) / (other_width / other_height) < 0.8 or bool(zero > 0.4 and letter < 0.1)

    def _mask(self, character: str) -> np.ndarray:
        return self._font.glyphs[character].mask

    def _height(self, character: str) -> int:
        return len(self._mask(character))

    def _alike(self, one: str, other: str, most: float) -> bool:
        """Whether two characters have the same form, whatever their size: what a crop shows of either alone.

        `most` is the share of their ink that they may have in common.
        """
        (height, width), (other_height, other_width) = self._mask(one).shape, self._mask(other).shape
        slimmer = (width / height) / (other_width / other_height)
        if not 0.8 < slimmer < 1.25:
            return False
        forms = [_form(self._mask(c)) for c in (one, other)]
        return bool((forms[0] & forms[1]).sum() > most * (forms[0] | forms[1]).sum())


def _form(mask: np.ndarray) -> np.ndarray:
    """A glyph's ink in 24 x 24 squares."""
    return np.asarray(Image.fromarray(mask).resize((24, 24))) > 127


def _base(character: str) -> str:
    """A letter without its accent; ł and the like have none that comes off."""
    return unicodedata.normalize("NFD", character)[0]


class FontShelf:
    """Fonts of some families.

    Args:
        folder: fonts, a folder a family.
        families: names of folders that count.

    Raises:
        FileNotFoundError: the folder does not exist.
        ValueError: there is no font of these families in it.
    """

    def __init__(self, folder: str | os.PathLike[str], families: Iterable[str]) -> None:
        wanted = set(families)
        self.fonts = [font for font in map(Font, find_fonts(folder)) if font.family in wanted]
        if not self.fonts:
            raise ValueError(
                f"No font of the held-out families is in this folder. Received: fonts={os.fspath(folder)!r}"
            )

    def pick(self, rng: random.Random, text: str, is_fit: Callable[[Font], bool]) -> Font:
        """A font that draws the text, of a family that is as likely as each other.

        Raises:
            ValueError: no font that fits draws it.
        """
        families: dict[str, list[Font]] = {}
        for font in self.fonts:
            if is_fit(font):
                families.setdefault(font.family, []).append(font)
        for family in rng.sample(sorted(families), len(families)):
            if fonts := [font for font in families[family] if font.draws(text)]:
                return rng.choice(fonts)
        raise ValueError(f"No held-out font that fits this kind draws all of a label. Received: {text!r}")
