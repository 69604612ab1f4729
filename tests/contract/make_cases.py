"""Draws the pictures of tests/contract/cases, which every reader is tested on, and writes what is expected of them.

python -m tests.contract.make_cases            pictures, model and expected.json, from the rules in numpy
python -m tests.contract.make_cases --expected expected.json alone: new rules, the same pictures

expected.json names the preprocessing (`image_size`, `wide_image_size`, `turn`), the model, and for each file:
- `error`: why it cannot be read, the `reason` of an `ImageError`; then nothing else but `served`;
- `served`: what a SavedModel answers about the file, a reason of `spin_tf.export.image_formats`; empty: it is read;
- `lossless`: false for JPEG, whose pixels may be off by one in another decoder;
- `shape`: height, width and channels (1 for grey) of the decoded picture;
- `box`: top, bottom, left, right of what is left once even ground is cut off; null: all of it;
- `views`: by degrees counter-clockwise ("0", for tall ones "90" and "-90", and "180"): `size`, height and width;
  `axis`: direction, lowest and span of the colours, null for grey; `values_crc32` of the values 0..255 that are
  interpolated, one byte each, (2 * height) x (2 * width) by rows, upper taps before lower and left before right;
  `crc32` of the view, float32 little-endian by rows; `sample`: its values at every 8th row and 16th column;
- `words`: what the model reads under each `turn`: text, confidence, turned. The model is that of `tests.strip_model`:
  it knows no letters, but how light each sixteenth of a wide view is; of JPEG, another decoder may give other letters.
"""

from __future__ import annotations

import io
import json
import pathlib
import sys
import zlib
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from spin_tf.contract.constants import TURNS
from spin_tf.contract.errors import ImageError
from spin_tf.contract.ground import ground_box
from spin_tf.contract.pixels import Pixels, rot90
from spin_tf.contract.preprocessing import Preprocessing
from spin_tf.contract.turning import TURN, is_tall
from spin_tf.data.images import decode_image
from tests import strip_model

CASES = pathlib.Path(__file__).resolve().parent / "cases"
EXPECTED = CASES / "expected.json"
MODEL = CASES / "strips.tflite"
PREPROCESSING = Preprocessing((32, 128), (32, 256))
Colour = tuple[int, ...]
BLACK, WHITE = (20, 20, 24), (236, 232, 228)


def letters(text: str, scale: int = 2) -> np.ndarray:
    """A word in the bitmap font that Pillow carries, bool (9 * scale, 6 * length * scale)."""
    font = ImageFont.load_default_imagefont()
    mask = Image.new("L", (6 * len(text), 11))
    ImageDraw.Draw(mask).text((0, 0), text, fill=255, font=font)
    # Below are the lower halves of g and j.
    return (np.asarray(mask)[1:10] > 127).repeat(scale, 0).repeat(scale, 1)


def picture(
    text: str,
    ground: Colour = WHITE,
    ink: Colour = BLACK,
    scale: int = 2,
    margins: tuple[int, int, int, int] = (4, 4, 6, 6),
    noise: int = 3,
    seed: int | None = None,
) -> np.ndarray:
    """A word on even ground, uint8 (height, width, channels): margins are above, below, left, right."""
    mask = letters(text, scale)
    above, below, left, right = margins
    mask = np.pad(mask, ((above, below), (left, right)))
    image = np.where(mask[..., None], np.array(ink), np.array(ground))
    rng = np.random.default_rng(len(text) + 7 * scale + sum(margins) if seed is None else seed)
    return np.clip(image + rng.integers(-noise, noise + 1, image.shape), 0, 255).astype(np.uint8)


def saved(image: np.ndarray | Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    stream = io.BytesIO()
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image[..., 0] if image.shape[2:] == (1,) else image)
    image.save(stream, kind, **options)
    return stream.getvalue()


def turned_by_exif(orientation: int, image: np.ndarray, kind: str) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(image, kind, exif=exif)


def with_alpha(image: np.ndarray, ground: Colour) -> np.ndarray:
    """Opaque where a picture differs from its ground."""
    far = np.abs(image.astype(int) - np.array(ground)).max(axis=2)
    alpha = np.where(far > 60, 255, far).astype(np.uint8)
    return np.dstack([image, alpha])


def readable() -> dict[str, bytes]:
    plain = picture("CAFE42", margins=(3, 3, 3, 3), noise=40)
    grey = plain[..., :1]
    loose = picture("F00D", margins=(20, 34, 60, 150))
    wide = picture("0123456789ABCDEF0123", margins=(3, 3, 3, 3), noise=40)
    tall = np.rot90(plain)
    # The same grey, to one shade.
    red, green = (200, 80, 80), (80, 142, 80)
    colour = picture("BAD5", red, green, margins=(4, 4, 8, 8), noise=3)
    palette = Image.fromarray(plain).quantize(16)
    opaque = np.pad(letters("ACE"), ((8, 4), (60, 6)))
    light = np.dstack([np.where(opaque[..., None], (255, 255, 250), 255), 255 * opaque]).astype(np.uint8)
    ramp = np.linspace(40, 200, 120).astype(int)[None, :, None]
    return {
        "plain.png": saved(plain),
        "plain.jpg": saved(plain, "JPEG", quality=92),
        "progressive.jpg": saved(plain, "JPEG", quality=80, progressive=True),
        "grey.png": saved(grey),
        "grey.jpg": saved(grey, "JPEG", quality=90),
        "one_bit.png": saved(Image.fromarray(grey[..., 0]).convert("1", dither=Image.Dither.NONE)),
        "four_bits.png": saved(grey // 16 * 17, bits=4),
        "sixteen_bits.png": saved(Image.fromarray(grey[..., 0].astype(np.uint16) * 257)),
        "palette.png": saved(palette),
        "palette_transparent.png": saved(palette, transparency=0),
        "alpha.png": saved(with_alpha(picture("DEAF", noise=3), WHITE)),
        "alpha_light_ink.png": saved(light),
        "grey_alpha.png": saved(Image.fromarray(with_alpha(picture("DEAF", noise=3), WHITE)).convert("LA")),
        "exif_3.jpg": turned_by_exif(3, plain, "JPEG"),
        "exif_6.jpg": turned_by_exif(6, plain, "JPEG"),
        "exif_5.png": turned_by_exif(5, plain, "PNG"),
        "exif_8_loose.png": turned_by_exif(8, loose, "PNG"),
        "plain.gif": saved(plain, "GIF"),
        "plain.bmp": saved(plain, "BMP"),
        "plain.webp": saved(plain, "WEBP", lossless=True),
        "plain.tif": saved(plain, "TIFF", compression="tiff_lzw"),
        # Even ground.
        "loose.png": saved(loose),
        "loose.jpg": saved(loose, "JPEG", quality=85),
        "loose_dark.png": saved(picture("F00D", BLACK, WHITE, margins=(40, 5, 5, 90))),
        "loose_grey.png": saved(picture("F00D", (190,), (60,), margins=(12, 12, 80, 3))),
        "loose_alpha.png": saved(with_alpha(picture("F00D", margins=(30, 12, 12, 90), noise=3), WHITE)),
        "loose_tall_word_across.png": saved(picture("BEAD", margins=(90, 120, 4, 4))),
        "loose_tall.png": saved(np.rot90(picture("BEAD", margins=(4, 4, 70, 80)))),
        "loose_wide_word_short.png": saved(picture("ACE", margins=(6, 6, 140, 160))),
        "loose_wide.png": saved(picture("FEDCBA9876543210", margins=(30, 30, 40, 40))),
        "loose_little.png": saved(picture("CAFE42", margins=(3, 3, 6, 12))),
        "loose_three_sides.png": saved(picture("F00D", margins=(30, 30, 0, 90))[:, 4:]),
        "weak_ink.png": saved(picture("F00D", (120, 120, 120), (132, 132, 132), margins=(6, 6, 60, 60), noise=1)),
        "uneven_ground.png": saved(
            np.clip(picture("F00D", margins=(8, 8, 30, 42)) - 236 + ramp, 0, 255).astype(np.uint8)
        ),
        "even.png": saved(np.full((30, 90, 3), 90, np.uint8)),
        "even_noise.png": saved(picture(" ", margins=(20, 20, 40, 40))),
        # Directions.
        "tall.png": saved(tall),
        "tall_down.png": saved(np.rot90(plain, 3)),
        "tall_just.png": saved(plain[:, :15].repeat(2, 1)[:45, :30]),
        "tall_not_quite.png": saved(np.rot90(plain)[:50, :34].repeat(1, 1)),
        "upside_down.png": saved(np.rot90(plain, 2)),
        "upside_down_wide.png": saved(np.rot90(wide, 2)),
        # Sizes.
        "wide.png": saved(wide),
        "wide.jpg": saved(wide, "JPEG", quality=90),
        "wide_grey.png": saved(wide[..., :1]),
        "tall_wide.png": saved(np.rot90(wide)),
        "five_to_one.png": saved(wide[:, :100][:20]),
        "more_than_five_to_one.png": saved(wide[:, :101][:20]),
        # Colours.
        "colour.png": saved(colour),
        "colour_wide.png": saved(picture("BAD5BAD5BAD5", red, green, margins=(3, 3, 4, 4), noise=3)),
        "colour_tall.png": saved(np.rot90(colour)),
        "colour_loose.png": saved(picture("BAD5", red, green, margins=(25, 25, 70, 40), noise=3)),
        "colour_blue.png": saved(picture("BAD5", (120, 120, 30), (112, 112, 120), noise=3)),
        "colour_too_weak.png": saved(picture("BAD5", (120, 120, 120), (130, 114, 124), noise=2)),
        "colour_and_grey.png": saved(picture("BAD5", (220, 60, 60), (40, 60, 200))),
        # Large and small.
        "large.png": saved(picture("C0FFEE", scale=40, margins=(60, 90, 80, 90), noise=0)),
        "large_loose.jpg": saved(
            picture("C0FFEE", scale=10, margins=(400, 300, 500, 700), noise=0), "JPEG", quality=80
        ),
        "large_tall.png": saved(np.rot90(picture("C0FFEE", scale=30, margins=(60, 90, 80, 90), noise=0))),
        "one_pixel.png": saved(plain[:1, :1]),
        "two_by_three.png": saved(plain[5:7, 5:8]),
        "three_rows.png": saved(plain[8:11]),
        "four_by_four.png": saved(plain[5:9, 5:9]),
        "one_row.png": saved(plain[8:9]),
        "one_column.png": saved(plain[:, 8:9]),
    }


def broken() -> dict[str, bytes]:
    plain = picture("CAFE42", noise=40)
    png, jpeg = saved(plain), saved(plain, "JPEG", quality=90)
    bomb = bytearray(saved(Image.new("1", (1, 1))))
    bomb[16:24] = (9000).to_bytes(4, "big") * 2
    bomb[29:33] = zlib.crc32(bytes(bomb[12:29])).to_bytes(4, "big")
    return {
        "broken_empty.png": b"",
        "broken_text.png": b"no picture, whatever it is called\n",
        "broken_cut.png": png[: len(png) // 2],
        "broken_cut.jpg": jpeg[: len(jpeg) // 2],
        "broken_header.png": png[:20],
        "broken_too_many_pixels.png": bytes(bomb),
        "broken_dark_sixteen_bits.png": saved(Image.fromarray(plain[..., 0].astype(np.uint16))),
    }


# Files that TensorFlow's operators would not read as `Recognizer` does.
SERVED = {
    "sixteen_bits.png": "colours_not_served",
    "palette_transparent.png": "",
    "exif_3.jpg": "rotation_not_served",
    "exif_6.jpg": "rotation_not_served",
    "exif_5.png": "rotation_not_served",
    "exif_8_loose.png": "rotation_not_served",
    "plain.gif": "format_not_served",
    "plain.webp": "format_not_served",
    "plain.tif": "format_not_served",
    "broken_dark_sixteen_bits.png": "colours_not_served",
}


def view_of(image: Pixels) -> dict[str, Any]:
    """What is expected of one view, cut and turned."""
    values, axis = PREPROCESSING.values(image)
    view = PREPROCESSING.view(image)
    return {
        "size": list(view.shape[:2]),
        "axis": None if axis is None else [*axis.direction, axis.lowest, axis.span],
        "values_crc32": zlib.crc32(values.astype(np.uint8).tobytes()),
        "crc32": zlib.crc32(view.astype("<f4").tobytes()),
        "sample": [[round(float(value), 6) for value in row] for row in view[::8, ::16, 0]],
    }


def expect(name: str, data: bytes, recognizers: dict[str, Any]) -> dict[str, Any]:
    try:
        image = decode_image(data)
    except ImageError as error:
        return {"error": error.reason, "served": SERVED.get(name, error.reason)}
    box = ground_box(image)
    cut = PREPROCESSING.cut(image)
    tall = is_tall(*cut.shape[:2])
    case = {
        "error": "",
        "served": SERVED.get(name, ""),
        "lossless": not name.endswith(".jpg"),
        "shape": [*image.shape[:2], 3 if image.shape[2:] == (3,) else 1],
        "box": None if box is None else list(box),
        "views": {str(t): view_of(rot90(cut, t // 90)) for t in TURNS if tall or t in (0, 180)},
    }
    if recognizers:
        words = {turn: recognizer.read(data) for turn, recognizer in recognizers.items()}
        case["words"] = {
            turn: {"text": word.text, "confidence": round(word.confidence, 6), "turned": word.turned}
            for turn, word in words.items()
        }
    return case


def write_expected() -> None:
    from spin_tf.recognizer import Recognizer

    recognizers = {turn: Recognizer(MODEL, 1, turn=turn) for turn in TURN}
    files = sorted(path for path in CASES.iterdir() if path not in (EXPECTED, MODEL))
    expected = {
        "preprocessing": PREPROCESSING.number,
        "image_size": PREPROCESSING.image_size,
        "wide_image_size": PREPROCESSING.wide_image_size,
        "model": MODEL.name,
        "files": {path.name: expect(path.name, path.read_bytes(), recognizers) for path in files},
    }
    # A line a view: a change of the rules shows in a diff what it changed.
    EXPECTED.write_text(json.dumps(expected).replace("}, ", "},\n") + "\n", encoding="utf-8")


def main(arguments: list[str]) -> None:
    if "--expected" not in arguments:
        CASES.mkdir(exist_ok=True)
        for name, data in (readable() | broken()).items():
            (CASES / name).write_bytes(data)
        strip_model.write_two_sizes(MODEL)
    write_expected()


if __name__ == "__main__":
    main(sys.argv[1:])
