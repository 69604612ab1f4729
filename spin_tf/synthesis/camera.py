"""From a scene to pixels: light, occlusion, resolution, blur, noise, JPEG, and now and then colour."""

from __future__ import annotations

import io
import math
from random import Random

import numpy as np
from PIL import Image, ImageFilter

from spin_tf.synthesis.probabilities import Streams
from spin_tf.synthesis.scene import ramp, shifted
from spin_tf.synthesis.textures import noise

_DOWN = (
    Image.Resampling.BOX,
    Image.Resampling.BILINEAR,
    Image.Resampling.HAMMING,
    Image.Resampling.BICUBIC,
    Image.Resampling.LANCZOS,
)
_LEAST_DEVIATION = 8.0


def photograph(
    picture: np.ndarray,
    letter: tuple[float, float],
    aspect: float,
    size: tuple[int, int],
    streams: Streams,
) -> np.ndarray:
    """Takes a picture of the painted word and scales it to the size of the recogniser's input.

    Args:
        picture: float32 (height, width), about 0..255.
        letter: typical (width, height) of a letter as a share of the height of the crop, so that enough pixels are kept
            to read it.
        aspect: width of the crop divided by its height, as it lies in the world.
        size: (height, width) of the result.
        streams: random numbers of the word.

    Returns:
        uint8 `size`.
    """
    picture = light(picture, streams)
    height, width = _resolution(picture.shape[0], letter, aspect, max(240, picture.shape[1]), streams)
    image = Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))
    if (width, height) != image.size:
        image = image.resize((width, height), _DOWN[int(streams.always("filter").random() * len(_DOWN))])
    # Strokes of small letters are thin: the blur that they bear grows with the letters' size.
    letter_size = height * min(1.3 * letter[0], letter[1])
    r = streams.active("blur")
    if r is not None:
        image = image.filter(ImageFilter.GaussianBlur((0.02 + 0.05 * r.random()) * letter_size))
    r = streams.active("motion_blur")
    if r is not None:
        image = _motion(image, (0.1 + 0.13 * r.random()) * letter_size, 2 * math.pi * r.random())
    # The lens blurs before the sensor clips: bright letters bleed and grow bold.
    image = _expose(image, streams)
    image = _add_noise(image, streams)
    r = streams.active("sharpen")
    if r is not None:
        image = image.filter(ImageFilter.UnsharpMask(1.0 + r.random(), 60 + int(140 * r.random()), 0))
    r = streams.active("jpeg")
    if r is not None:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=25 + int(65 * math.sqrt(r.random())))
        image = Image.open(buffer)
    return _readable(scale(image, size))


def scale(image: Image.Image, size: tuple[int, int]) -> np.ndarray:
    """Bilinear with half-pixel centres and no smoothing, as the recogniser scales its crops; uint8 `size`."""
    height, width = size
    data = (image.width / width, 0, 0, 0, image.height / height, 0)
    return np.asarray(
        image.convert("L").transform((width, height), Image.Transform.AFFINE, data, Image.Resampling.BILINEAR)
    )


def light(picture: np.ndarray, streams: Streams) -> np.ndarray:
    """Uneven light, and things in the way."""
    r = streams.active("illumination")
    if r is not None:
        amount = 0.2 + 0.6 * r.random()
        if r.random() < 0.6:
            picture = picture * (1 + amount * ramp(picture.shape, r))
        elif r.random() < 0.6:
            picture = picture * (1 + 0.35 * amount * noise(r, picture.shape, 12.0))
        else:
            # The edge of a shadow.
            edge = np.clip(ramp(picture.shape, r) * (6 + 30 * r.random()) + 4 * (r.random() - 0.5), 0, 1)
            picture = picture * (1 - 0.55 * amount * edge)
    r = streams.active("occlusion")
    if r is not None:
        picture = picture.copy()
        rows, columns = picture.shape
        grey = 255 * r.random()
        u = r.random()
        if u < 0.4:
            # A wire, a bar or a scratch across the word.
            x0, x1 = r.random() * columns, r.random() * columns
            centre = np.linspace(x0, x1, rows, dtype=np.float32)[:, None]
            bar = np.clip(0.6 + 0.03 * columns * r.random() * 0.5 - np.abs(np.arange(columns)[None, :] - centre), 0, 1)
            picture += (grey - picture) * bar.astype(np.float32)
        elif u < 0.6:
            y0, y1 = r.random() * rows, r.random() * rows
            centre = np.linspace(y0, y1, columns, dtype=np.float32)[None, :]
            bar = np.clip(0.6 + 0.06 * rows * r.random() * 0.5 - np.abs(np.arange(rows)[:, None] - centre), 0, 1)
            picture += (grey - picture) * bar.astype(np.float32)
        else:
            # A patch over a part of the border: a leaf, a person, the edge of another sign.
            deep = int(rows * (0.1 + 0.15 * r.random()))
            long = int(columns * (0.1 + 0.4 * r.random()))
            left = int(r.random() * (columns - long))
            top = 0 if r.random() < 0.5 else rows - deep
            picture[top : top + deep, left : left + long] = grey
    return picture


def _resolution(
    rows: int, letter: tuple[float, float], aspect: float, widest: int, streams: Streams
) -> tuple[int, int]:
    r = streams.active("low_resolution")
    height = float(rows)
    if r is not None:
        height = math.exp(r.gauss(math.log(15), 0.4)) / letter[1]
    # Letters narrower than 6.5 pixels or lower than 9 can hardly be told apart.
    least = max(9.0, 6.5 / letter[0], 9.0 / letter[1])
    height = round(min(max(height, least), rows))
    return height, max(min(round(height * aspect), widest), 6)


def _expose(image: Image.Image, streams: Streams) -> Image.Image:
    r = streams.active("gamma")
    gamma = math.exp(r.gauss(0, 0.25)) if r is not None else 1.0
    r = streams.active("exposure")
    gain, lift = 1.0, 0.0
    if r is not None:
        u = r.random()
        if u < 0.65:
            gain, lift = 1.15 + 0.5 * r.random(), 15 * r.random()
            # Too much light must not wipe the word out: the darker of ink and ground stays below white.
            gain = max(min(gain, 185 / max(_darker(image), 1)), 1.0)
        else:
            gain, lift = 0.5 + 0.35 * r.random(), 20 * r.random()
    if gamma == 1.0 and gain == 1.0:
        return image
    levels = np.linspace(0, 1, 256) ** gamma * 255 * gain + lift
    return image.point(np.clip(levels, 0, 255).astype(np.uint8).tolist())


def _darker(image: Image.Image) -> int:
    """The grey below which a sixth of the pixels lie: that of the ink, or of the ground where the ink is lighter."""
    total, wanted = 0, image.width * image.height / 6
    for grey, count in enumerate(image.histogram()):
        total += count
        if total >= wanted:
            return grey
    return 255


def _readable(pixels: np.ndarray) -> np.ndarray:
    """Keeps a deviation of 8 greys, below which hardly a real crop lies."""
    deviation = float(pixels.std())
    if deviation >= _LEAST_DEVIATION or deviation == 0:
        return pixels
    mean = float(pixels.mean())
    return np.clip((pixels - mean) * (_LEAST_DEVIATION / deviation) + mean, 0, 255).astype(np.uint8)


def _motion(image: Image.Image, length: float, angle: float) -> Image.Image:
    steps = max(2, min(round(length) + 1, 9))
    source = np.pad(np.asarray(image, np.float32), 8, mode="edge")
    total = np.zeros_like(source)
    for step in range(steps):
        along = length * (step / (steps - 1) - 0.5)
        total += shifted(source, round(along * math.cos(angle)), round(along * math.sin(angle)))
    return Image.fromarray((total[8:-8, 8:-8] / steps).astype(np.uint8))


def _add_noise(image: Image.Image, streams: Streams) -> Image.Image:
    r = streams.active("noise")
    if r is None:
        return image
    pixels = np.asarray(image)
    spread = float(pixels.std())
    # Noise up to a fifth of the picture's own deviation, rarely more: beyond that it hides the word.
    amount = min(9 * r.random() ** 2 + 0.5, 0.2 * spread + 0.5)
    grain = 0.0 if r.random() < 0.6 else 0.7
    if r.random() < 0.08:
        grain, amount = 0.0, min(amount * 2, 0.45 * spread + 0.5)
    noisy = pixels + noise(r, image.size[::-1], grain) * np.float32(amount)
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


# From luminance and two colour differences to red, green and blue, as JPEG has them.
_TO_RGB = np.array([[1, 0, 1.402], [1, -0.344136, -0.714136], [1, 1.772, 0]], np.float32)


def pair(rng: Random) -> tuple[np.ndarray, np.ndarray]:
    """Two colours of one brightness and hues far apart, float32 (3,) each, 0..255."""
    angle = 2 * math.pi * rng.random()
    other = angle + math.pi * (0.7 + 0.6 * rng.random())
    wanted = 70 + 110 * rng.random()

    def reach(hue: float) -> float:
        """How far from grey the hue goes at this brightness."""
        colour = _TO_RGB @ np.array([0, math.cos(hue), math.sin(hue)], np.float32)
        room = np.where(colour > 0, 255 - wanted, wanted) / np.maximum(np.abs(colour), 1e-6)
        return float(room.min())

    share = 0.6 + 0.4 * rng.random()
    first, second = (
        _TO_RGB @ np.array([wanted, share * reach(h) * math.cos(h), share * reach(h) * math.sin(h)], np.float32)
        for h in (angle, other)
    )
    return first, second


def of_one_brightness(image: np.ndarray, rng: Random) -> np.ndarray:
    """The picture in two colours of one brightness.

    Args:
        image: uint8 (height, width); its darkest and lightest twentieth become the two colours.
        rng: picks them.

    Returns:
        uint8 (height, width, 3), through JPEG two times of three, which blurs colours more than brightness.
    """
    low, high = (float(v) for v in np.percentile(image, (5, 95)))
    share = np.clip((image.astype(np.float32) - low) / max(high - low, 1.0), -0.1, 1.1)[..., None]
    first, second = pair(rng)
    picture = np.clip(first + (second - first) * share, 0, 255).astype(np.uint8)
    u, quality = rng.random(), 75 + int(20 * rng.random())
    if u < 1 / 3:
        return picture
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=quality, subsampling=0 if u < 2 / 3 else 2)
    return np.asarray(Image.open(buffer))
