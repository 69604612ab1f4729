"""The kinds of crops that benchmarks/kinds.py draws, in the order of its table."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Mapping
from typing import Any

from PIL import Image

from benchmarks import kinds_displays as displays
from benchmarks import kinds_drawing as drawing
from benchmarks import kinds_forms as forms
from benchmarks import kinds_texts as texts
from benchmarks.kinds_fonts import Font, FontShelf

Fits = Callable[[Font, str], bool]


def _plain(font: Font, text: str) -> bool:
    return font.is_plain


def _handwriting(font: Font, text: str) -> bool:
    return font.is_handwriting


def _telling(font: Font, text: str) -> bool:
    return font.is_plain and font.tells_apart(text)


@dataclasses.dataclass(frozen=True)
class Kind:
    """One kind of crops.

    Args:
        name: in --kinds and, with spaces, in the table.
        group: the kinds that stand together in the table.
        text: makes a label.
        draw: makes a picture of it.
        fits: the fonts to draw from; None for what needs none.
        options: what a `Recognizer` is asked for where it knows such an option.
        has_direction: whether the text may run another way than to the right: RapidOCR then turns it as it turns crops
            that it finds itself.
        is_extra: stands in the table and not in its means.
    """

    name: str
    group: str
    text: texts.Text
    draw: drawing.Drawing = drawing.plain
    fits: Fits | None = _plain
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    has_direction: bool = False
    is_extra: bool = False

    @property
    def title(self) -> str:
        return self.name.replace("_", " ")

    def crop(self, seed: int, index: int, shelf: FontShelf, words: texts.Words) -> tuple[str, Image.Image, str]:
        """Draws one crop; it depends on nothing but the seed, the kind, the index, the fonts and the words.

        Returns:
            The label, the picture (RGB) and the font's path, empty for displays.

        Raises:
            ValueError: no font fits.
        """
        rng = random.Random(f"{seed}/{self.name}/{index}")
        text = self.text(rng, words)
        if self.fits is None:
            return text, self.draw(rng, "", text), ""
        fits = self.fits
        try:
            font = shelf.pick(rng, text, lambda font: fits(font, text))
        except ValueError as error:
            raise ValueError(f"{self.name}: {error}") from error
        return text, self.draw(rng, font.path, text), font.path


_ANY, _SHORT = texts.any_word, texts.short_word
KINDS = (
    Kind("lower_case", "words", texts.lower),
    Kind("capitalised", "words", texts.capital),
    Kind("upper_case", "words", texts.upper),
    *(Kind(f"letters_{n}", "long words", texts.letters_of(n)) for n in (16, 18, 20, 22, 25)),
    *(Kind(f"digits_{n}", "numbers", texts.digits_of(n)) for n in (4, 8, 12, 16, 20)),
    Kind("iban", "numbers", texts.iban),
    Kind("ground_right", "empty ground", _ANY, drawing.ground_right),
    Kind("ground_left", "empty ground", _ANY, drawing.ground_left),
    Kind("ground_both_sides", "empty ground", _ANY, drawing.ground_both_sides),
    Kind("ground_all_round", "empty ground", _ANY, drawing.ground_all_round),
    Kind("off_the_middle", "empty ground", _ANY, drawing.off_middle),
    Kind("red_and_green", "colour alone", _ANY, drawing.red_on_green),
    Kind("other_hues", "colour alone", _ANY, drawing.other_hues),
    Kind("phone_numbers", "signs", texts.phone),
    Kind("brackets", "signs", texts.brackets),
    Kind("signs_inside", "signs", texts.signs_inside),
    Kind("addresses", "signs", texts.address),
    Kind("e-mails", "signs", texts.email),
    Kind("codes", "signs", texts.code, fits=_telling),
    Kind("euro", "currencies", texts.price("€")),
    Kind("pound", "currencies", texts.price("£")),
    Kind("yen", "currencies", texts.price("¥")),
    Kind("typographic_signs", "currencies", texts.typographic),
    *(Kind(name, "accents", texts.accented(code), drawing.large) for code, name in texts.LANGUAGES.items()),
    Kind("two_words", "spaces", texts.spaced),
    Kind("seven_segments", "displays", texts.segments, displays.seven_segments, None),
    Kind("dot_matrix", "displays", texts.dots, displays.dot_matrix, None),
    Kind("turned_by_90", "directions", _ANY, forms.turned, has_direction=True),
    Kind("upside_down", "directions", _ANY, forms.upside_down, options={"turn": "auto"}, has_direction=True),
    Kind("stacked_letters", "directions", texts.capitals, forms.stacked, is_extra=True),
    Kind("light_on_dark", "looks", _ANY, drawing.light_on_dark),
    Kind("outlined", "looks", _ANY, drawing.outlined),
    Kind("handwriting", "looks", _SHORT, drawing.large, _handwriting),
    Kind("condensed", "looks", _ANY, forms.condensed),
    Kind("expanded", "looks", _ANY, forms.expanded),
    Kind("tilted", "forms", _ANY, forms.tilted),
    Kind("curved", "forms", _ANY, forms.curved),
    Kind("perspective", "forms", _ANY, forms.in_perspective),
    Kind("low_contrast", "bad pictures", _ANY, drawing.low_contrast),
    Kind("textured_ground", "bad pictures", _ANY, drawing.textured),
    Kind("blurred", "bad pictures", _ANY, drawing.blurred),
    Kind("noisy", "bad pictures", _ANY, drawing.noisy),
    Kind("tiny", "bad pictures", _ANY, drawing.tiny),
)
