"""Whole image files of the formats that are read here: what the fuzz tests start from.

They are made, not kept: the same Pillow gives the same bytes. `python -m tests.fuzz.images FOLDER COUNT` writes the
seeds and COUNT mutations of them as files, for readers in other languages.
"""

from __future__ import annotations

import functools
import io
import pathlib
import sys

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from spin_tf.data.formats import readable_formats
from tests.fuzz.mutations import mutations


def _encode(image: Image.Image, file_format: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, file_format, **options)
    return stream.getvalue()


def word_picture(text: str = "hello", size: tuple[int, int] = (100, 32)) -> Image.Image:
    """Dark letters on a light ground with a slow change of colour in both."""
    image = Image.linear_gradient("L").resize(size).point(lambda value: 180 + value // 4)
    picture = Image.merge("RGB", [image, image.transpose(Image.Transpose.FLIP_TOP_BOTTOM), image])
    ImageDraw.Draw(picture).text((8, 0), text, fill=(20, 40, 60), font=ImageFont.load_default(24))
    return picture


@functools.cache
def image_seeds() -> dict[str, bytes]:
    """The seeds by name; a name begins with the format."""
    has_avif, has_jp2 = "AVIF" in readable_formats(), "JPEG2000" in readable_formats()
    rgb = word_picture()
    grey = rgb.convert("L")
    rgba = rgb.copy()
    rgba.putalpha(grey.point(lambda value: 255 - value // 2))
    palette = rgb.quantize(32)
    grey16 = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    second = rgb.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "a description"
    return {
        "png_rgb": _encode(rgb, "PNG"),
        "png_grey": _encode(grey, "PNG"),
        "png_rgba": _encode(rgba, "PNG"),
        "png_grey_alpha": _encode(rgba.convert("LA"), "PNG"),
        "png_palette": _encode(palette, "PNG"),
        "png_palette_alpha": _encode(palette, "PNG", transparency=bytes(range(32))),
        "png_bit": _encode(grey.convert("1"), "PNG"),
        "png_16": _encode(grey16, "PNG"),
        "png_animated": _encode(rgb, "PNG", save_all=True, append_images=[second]),
        "jpeg_rgb": _encode(rgb, "JPEG", quality=90),
        "jpeg_grey": _encode(grey, "JPEG"),
        "jpeg_progressive": _encode(rgb, "JPEG", progressive=True),
        "jpeg_cmyk": _encode(rgb.convert("CMYK"), "JPEG"),
        "jpeg_exif": _encode(rgb, "JPEG", exif=exif),
        "gif": _encode(palette, "GIF"),
        "gif_transparent": _encode(palette, "GIF", transparency=0),
        "gif_animated": _encode(palette, "GIF", save_all=True, append_images=[second.quantize(32)]),
        "bmp_24": _encode(rgb, "BMP"),
        "bmp_8": _encode(palette, "BMP"),
        "bmp_1": _encode(grey.convert("1"), "BMP"),
        "webp_lossy": _encode(rgb, "WEBP", exif=exif),
        "webp_alpha": _encode(rgba, "WEBP", lossless=True),
        "tiff_raw": _encode(rgb, "TIFF", exif=exif),
        "tiff_lzw": _encode(rgba, "TIFF", compression="tiff_lzw"),
        "tiff_16": _encode(grey16, "TIFF", compression="tiff_deflate"),
        "pnm_ppm": _encode(rgb, "PPM"),
        "pnm_pgm": _encode(grey, "PPM"),
        "pnm_pbm": _encode(grey.convert("1"), "PPM"),
        **({"avif_rgba": _encode(rgba, "AVIF"), "avif_grey": _encode(grey, "AVIF")} if has_avif else {}),
        **({"jp2_rgb": _encode(rgb, "JPEG2000"), "jp2_16": _encode(grey16, "JPEG2000")} if has_jp2 else {}),
    }


def main(folder: str, count: str) -> None:
    root = pathlib.Path(folder)
    root.mkdir(parents=True, exist_ok=True)
    for name, data in image_seeds().items():
        (root / f"seed-{name}").write_bytes(data)
    for mutation in mutations(image_seeds(), int(count)):
        (root / f"{mutation.number:06d}-{mutation.name}").write_bytes(mutation.data)


if __name__ == "__main__":
    main(*sys.argv[1:])
