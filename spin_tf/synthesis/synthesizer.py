"""Words drawn from fonts, as a camera would see them, and many of them on one picture."""

from __future__ import annotations

import os
from collections.abc import Iterable
from random import Random

import numpy as np
from PIL import Image

from spin_tf.contract.preprocessing import IMAGE_SIZE
from spin_tf.synthesis import camera, layout, scene, segments, warping
from spin_tf.synthesis.fonts import CAP_HEIGHT, CHARACTERS, FontLibrary, GlyphFont
from spin_tf.synthesis.labels import USUAL_LENGTH, LabelSampler
from spin_tf.synthesis.probabilities import LabelShares, Streams, SynthesisConfig
from spin_tf.synthesis.textures import Photographs

# A word fills its image; what is larger takes memory by gigabytes and shows nothing more.
MAX_SIDE = 2048
# How many times larger letters with accents stay in pictures of low resolution.
_FINE = 1.4


class WordSynthesizer:
    """Makes word images with their labels; each is a pure function of an integer seed.

    A word is set in one of the fonts with its neighbours on a flat plane (`layout`), warped once into a crop
    (`warping`), painted on a background (`scene`), and photographed (`camera`).

    Args:
        fonts: a list of font files; None takes those of the system, or Pillow's own font where there are none.
        lexicon: words for the labels; None takes a small vocabulary of sign words.
        backgrounds: a list of photographs to put behind words; None takes textures of noise instead.
        size: (height, width) of the images.
        config: how often each family of effects touches a word.
        max_length: longest label, at most 40.
        characters: those that labels may hold, see `spin_tf.synthesis.alphabet`; None is printable ASCII.
        wide_size: (height, width) of the images of crops more than five times as wide as high, so that long words keep
            their letters; None draws all of them at `size`.
        shares: how many labels are long, or full of signs, codes or accents; None takes the defaults.

    Raises:
        ValueError: no font can draw letters and digits, or the lexicon is empty or has words with spaces.

    Example:
        >>> image, label = WordSynthesizer().word(7)
        >>> image.shape, image.dtype
        ((32, 100), dtype('uint8'))
    """

    def __init__(
        self,
        fonts: Iterable[str | os.PathLike[str]] | None = None,
        lexicon: Iterable[str] | None = None,
        backgrounds: Iterable[str | os.PathLike[str]] | None = None,
        size: tuple[int, int] = IMAGE_SIZE,
        config: SynthesisConfig | None = None,
        max_length: int = USUAL_LENGTH,
        characters: str | None = None,
        wide_size: tuple[int, int] | None = None,
        shares: LabelShares | None = None,
    ) -> None:
        self.size = _checked(size, "size")
        self.wide_size = None if wide_size is None else _checked(wide_size, "wide_size")
        self.config = config or SynthesisConfig()
        self.fonts = FontLibrary(fonts, characters or CHARACTERS)
        self.labels = LabelSampler(lexicon, max_length, characters or CHARACTERS, shares)
        self.photographs = Photographs(backgrounds)

    def word(self, seed: int | Random | np.random.Generator) -> tuple[np.ndarray, str]:
        """Makes one word.

        Args:
            seed: an integer, the same one gives the same image and label in any process; or a generator, which is
                asked for such an integer.

        Returns:
            The image, uint8 `size` (or `wide_size`), grey but for the family `colour_only`, which makes it (..., 3);
            and its label: 1 to `max_length` characters, no spaces, case kept.
        """
        if isinstance(seed, Random):
            seed = seed.getrandbits(62)
        elif isinstance(seed, np.random.Generator):
            seed = int(seed.integers(2**62))
        streams = Streams(seed, self.config)
        label, font = self._choose(streams)
        plain = streams.active("typographic") is None
        shown = label if plain else layout.typographic(label, font)
        plane = layout.set_text(shown, font, self.fonts.pick, self.labels.sample, streams)
        r = streams.active("weight")
        if r is not None:
            amount = -0.7 * r.random() if r.random() < 0.2 else 0.3 + 1.7 * r.random()
            plane = layout.TextPlane(layout.change_weight(plane.mask, amount), plane.box)
        crop = warping.warp_plane(plane, streams, self._max_width)
        picture = scene.paint(crop.mask, self.photographs, streams)
        left, top, right, bottom = plane.box
        # A letter's share of the crop, whose size is in pixels of the text plane; condensed letters are narrower there.
        width = min(right - left, crop.true_width) / len(label)
        # Accents and points are the smallest of what must be told apart.
        fine = 1.0 if label.isascii() else _FINE
        letter = width / crop.true_height / fine, min(bottom - top, CAP_HEIGHT) / crop.true_height / fine
        aspect = crop.true_width / crop.true_height
        size = self.wide_size if self.wide_size is not None and aspect > warping.WIDE else self.size
        image = camera.photograph(picture, letter, aspect, size, streams)
        r = streams.active("colour_only")
        return (image if r is None else camera.of_one_brightness(image, r)), label

    @property
    def _max_width(self) -> int:
        """Of masks of wide crops: enough for the image to be scaled down."""
        return warping.MAX_WIDTH if self.wide_size is None else max(warping.MAX_WIDTH, min(2 * self.wide_size[1], 512))

    def _choose(self, streams: Streams) -> tuple[str, GlyphFont]:
        rng = streams.always("label")
        label, is_code = self.labels.draw(rng)
        r = streams.active("seven_segment")
        if r is not None and segments.can_draw(label):
            return label, segments.font(r)
        mono = streams.active("monospace") if is_code else None
        for _ in range(20):
            font = self.fonts.pick(rng.random()) if mono is None else self.fonts.pick_monospaced(mono.random())
            shown = label.upper() if font.unicase else label
            if font.supports(shown) and not (is_code and not font.tells_apart(shown)):
                return shown, font
        # Few fonts have the rarest marks: the label gives way.
        kept = "".join(c for c in label if c in font.glyphs) or ("A" if "A" in font.glyphs else next(iter(font.glyphs)))
        return (kept.upper() if font.unicase else kept), font


def _checked(size: tuple[int, int], name: str) -> tuple[int, int]:
    if len(size) != 2 or min(size) < 8 or max(size) > MAX_SIDE:
        raise ValueError(f"{name} must be (height, width) of 8 to {MAX_SIDE} pixels each. Received: {name}={size}")
    return int(size[0]), int(size[1])


_GAP = 3


def contact_sheet(images: Iterable[np.ndarray], columns: int = 8) -> Image.Image:
    """Tiles word images, row by row, in cells as large as the largest image.

    Args:
        images: uint8 arrays (height, width), or (height, width, 3) in colour.
        columns: words in a row.

    Raises:
        ValueError: there is no image.
    """
    tiles = list(images)
    if not tiles:
        raise ValueError("A contact sheet needs at least one image. Received: images=[]")
    mode = "RGB" if any(tile.ndim == 3 for tile in tiles) else "L"
    height, width = (max(tile.shape[axis] for tile in tiles) + _GAP for axis in (0, 1))
    rows = -(-len(tiles) // columns)
    sheet = Image.new(mode, (columns * width + _GAP, rows * height + _GAP), "white")
    for i, tile in enumerate(tiles):
        sheet.paste(Image.fromarray(tile), (_GAP + i % columns * width, _GAP + i // columns * height))
    return sheet
