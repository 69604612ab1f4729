"""How the crops of benchmarks/kinds.py are drawn: with Pillow, by other code than the synthesis of training.

Text is drawn as a mask with capitals of 80 pixels, bent or turned there, laid on its ground, and made small at the end.
Lengths below are shares of the height of capitals.
"""

from __future__ import annotations

import colorsys
import functools
import math
import random
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

CAPITALS = 80
Colour = tuple[float, float, float]
# From a random source, the path of a font and a text to a picture.
Drawing = Callable[[random.Random, str, str], Image.Image]


@functools.lru_cache(maxsize=64)
def _font(path: str) -> ImageFont.FreeTypeFont:
    def opened(size: float) -> ImageFont.FreeTypeFont:
        return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)

    _, top, _, bottom = opened(100).getbbox("H", anchor="ls")
    return opened(100 * CAPITALS / (bottom - top))


def text_mask(path: str, text: str, stroke: int = 0) -> Image.Image:
    """The ink of a text, cut tight; with a stroke its outline of so many pixels."""
    font = _font(path)
    left, top, right, bottom = font.getbbox(text, anchor="ls", stroke_width=stroke)
    mask = Image.new("L", (math.ceil(right - left) + 8, math.ceil(bottom - top) + 8))
    pen, place = ImageDraw.Draw(mask), (4 - left, 4 - top)
    pen.text(place, text, 255, font, anchor="ls", stroke_width=stroke)
    if stroke:
        pen.text(place, text, 0, font, anchor="ls")
    return tight(mask)


def tight(mask: Image.Image) -> Image.Image:
    return mask.crop(mask.point(lambda value: 255 * (value > 24)).getbbox())


def with_ground(mask: Image.Image, left: float, top: float, right: float, bottom: float) -> Image.Image:
    """Empty ground of so many heights of capitals around a mask."""
    sides = [round(CAPITALS * side) for side in (left, top, right, bottom)]
    grown = Image.new("L", (mask.width + sides[0] + sides[2], mask.height + sides[1] + sides[3]))
    grown.paste(mask, (sides[0], sides[1]))
    return grown


def cut_loosely(rng: random.Random, mask: Image.Image) -> Image.Image:
    """As boxes of words are: a little ground on each side."""
    return with_ground(mask, *(rng.uniform(0.08, 0.25) for _ in range(4)))


def grey(colour: Colour) -> float:
    """The brightness that pictures in grey give a colour (ITU-R BT.601)."""
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]


def of_grey(hue: float, saturation: float, brightness: float) -> Colour:
    """The colour of a hue in 0..1 with a grey of 0..255; less saturated where it must be lighter than the hue is."""
    red, green, blue = (255 * value for value in colorsys.hsv_to_rgb(hue, saturation, 1.0))
    own = grey((red, green, blue))
    if own >= brightness:
        share = brightness / own
        return red * share, green * share, blue * share
    share = (brightness - own) / (255 - own)
    return red + share * (255 - red), green + share * (255 - green), blue + share * (255 - blue)


def _tinted(rng: random.Random, brightness: float) -> Colour:
    return of_grey(rng.random(), rng.choice([0.0, rng.uniform(0.0, 0.9)]), brightness)


def colours(rng: random.Random, is_dark: bool | None = None) -> tuple[Colour, Colour]:
    """Ink and ground, far apart in grey; one in six is light on dark where it is not said."""
    light, dark = rng.uniform(165, 255), rng.uniform(0, 75)
    if is_dark is None:
        is_dark = rng.random() < 1 / 6
    ink, ground = (light, dark) if is_dark else (dark, light)
    return _tinted(rng, ink), _tinted(rng, ground)


def paint(mask: Image.Image, ink: Colour, ground: Colour | np.ndarray) -> Image.Image:
    """Lays ink on a ground, which is one colour or (height, width, 3)."""
    share = np.asarray(mask, np.float32)[..., None] / 255
    return _picture(share * np.asarray(ink, np.float32) + (1 - share) * np.asarray(ground, np.float32))


def _picture(values: np.ndarray) -> Image.Image:
    return Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))


def shrunk(rng: random.Random, image: Image.Image, low: float = 20, high: float = 44) -> Image.Image:
    """With capitals of `low` to `high` pixels."""
    scale = rng.uniform(low, high) / CAPITALS
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return image.resize(size, Image.Resampling.BOX if scale < 0.25 else Image.Resampling.BICUBIC, reducing_gap=3.0)


def finished(rng: random.Random, mask: Image.Image, low: float = 20, high: float = 44) -> Image.Image:
    """A mask with ground already around it, in two colours, at its final size."""
    return shrunk(rng, paint(mask, *colours(rng)), low, high)


def plain(rng: random.Random, font: str, text: str) -> Image.Image:
    return finished(rng, cut_loosely(rng, text_mask(font, text)))


def large(rng: random.Random, font: str, text: str) -> Image.Image:
    """For letters whose accents must be seen."""
    return finished(rng, cut_loosely(rng, text_mask(font, text)), 28, 48)


def numpy_rng(rng: random.Random) -> np.random.Generator:
    return np.random.default_rng(rng.getrandbits(64))


# Ground around the word.


def ground_right(rng: random.Random, font: str, text: str) -> Image.Image:
    mask = text_mask(font, text)
    return finished(rng, with_ground(mask, 0.15, 0.15, mask.width / CAPITALS, 0.15))


def ground_left(rng: random.Random, font: str, text: str) -> Image.Image:
    mask = text_mask(font, text)
    return finished(rng, with_ground(mask, mask.width / CAPITALS, 0.15, 0.15, 0.15))


def ground_both_sides(rng: random.Random, font: str, text: str) -> Image.Image:
    return finished(rng, with_ground(text_mask(font, text), 4.0, 0.15, 4.0, 0.15))


def ground_all_round(rng: random.Random, font: str, text: str) -> Image.Image:
    return finished(rng, with_ground(text_mask(font, text), 2.0, 2.0, 2.0, 2.0))


def off_middle(rng: random.Random, font: str, text: str) -> Image.Image:
    mask = text_mask(font, text)
    beside, above = rng.uniform(0.5, 1.0) * mask.width / CAPITALS, rng.uniform(0.4, 1.2)
    left, right = rng.sample([beside, 0.1], 2)
    top, bottom = rng.sample([above, 0.1], 2)
    return finished(rng, with_ground(mask, left, top, right, bottom))


# Colours and contrast.


def _in_colour_only(rng: random.Random, font: str, text: str, hue: float, ground_hue: float) -> Image.Image:
    """Of one grey, with the noise of a camera, so that no rounding of grey shows the letters."""
    brightness = rng.uniform(75, 150)
    ink, ground = (of_grey(one % 1.0, 1.0, brightness) for one in (hue, ground_hue))
    # Painted when it is small already: what overshoots at edges would be cut off at black and white.
    image = np.asarray(paint(shrunk(rng, cut_loosely(rng, text_mask(font, text))), ink, ground), np.float32)
    return _picture(image + numpy_rng(rng).normal(0, 3, image.shape))


def red_on_green(rng: random.Random, font: str, text: str) -> Image.Image:
    hues = rng.sample([rng.uniform(-0.03, 0.03), rng.uniform(0.28, 0.4)], 2)
    return _in_colour_only(rng, font, text, *hues)


def other_hues(rng: random.Random, font: str, text: str) -> Image.Image:
    """At least a third of the circle of hues apart, red and green left out."""
    hue = rng.uniform(0.06, 0.94)
    return _in_colour_only(rng, font, text, hue, hue + rng.uniform(0.33, 0.67))


def light_on_dark(rng: random.Random, font: str, text: str) -> Image.Image:
    return shrunk(rng, paint(cut_loosely(rng, text_mask(font, text)), *colours(rng, is_dark=True)))


def low_contrast(rng: random.Random, font: str, text: str) -> Image.Image:
    """24 to 40 of 255 levels of grey between ink and ground."""
    ground = rng.uniform(60, 195)
    ink = ground + rng.choice([-1, 1]) * rng.uniform(24, 40)
    hue, saturation = rng.random(), rng.uniform(0.0, 0.3)
    mask = cut_loosely(rng, text_mask(font, text))
    return shrunk(rng, paint(mask, of_grey(hue, saturation, ink), of_grey(hue, saturation, ground)))


def outlined(rng: random.Random, font: str, text: str) -> Image.Image:
    """Hollow letters: only their outline is in ink."""
    mask = cut_loosely(rng, text_mask(font, text, stroke=rng.randint(4, 6)))
    return finished(rng, mask, 28, 48)


def textured(rng: random.Random, font: str, text: str) -> Image.Image:
    """On clouds, grain or stripes of one colour."""
    mask = cut_loosely(rng, text_mask(font, text))
    ink, ground = colours(rng)
    noise = numpy_rng(rng)
    texture = np.zeros((mask.height, mask.width), np.float32)
    stretch = rng.choice([(1, 1), (1, 1), (1, 8), (8, 1)])
    for size in (8, 16, 32, 64):
        shape = [max(2, math.ceil(n / (size * s))) for n, s in zip(texture.shape, stretch, strict=True)]
        grain = Image.fromarray(noise.uniform(-1, 1, shape).astype(np.float32))
        texture += np.asarray(grain.resize((mask.width, mask.height), Image.Resampling.BICUBIC)) * (size / 64) ** 0.5
    texture *= rng.uniform(30, 50) / np.abs(texture).max()
    return shrunk(rng, paint(mask, ink, np.asarray(ground, np.float32) + texture[..., None]))


# Bad pictures.


def blurred(rng: random.Random, font: str, text: str) -> Image.Image:
    mask = with_ground(text_mask(font, text), 0.3, 0.3, 0.3, 0.3)
    image = paint(mask, *colours(rng)).filter(ImageFilter.GaussianBlur(CAPITALS * rng.uniform(0.07, 0.11)))
    return shrunk(rng, image)


def noisy(rng: random.Random, font: str, text: str) -> Image.Image:
    """Noise of a sensor, and on half of them single pixels that are white or black."""
    clean = np.asarray(plain(rng, font, text), np.float64)
    noise = numpy_rng(rng)
    values = clean + noise.normal(0, rng.uniform(25, 45), clean.shape)
    if rng.random() < 0.5:
        which = noise.random(values.shape[:2])
        share = rng.uniform(0.01, 0.03)
        values[which < share], values[which > 1 - share] = 0, 255
    return _picture(values)


def tiny(rng: random.Random, font: str, text: str) -> Image.Image:
    """Letters 8 to 10 pixels high, from the lowest to the highest of the word."""
    mask = cut_loosely(rng, text_mask(font, text))
    scale = CAPITALS / tight(mask).height
    return finished(rng, mask, 8 * scale, 10 * scale)
