"""Image files of every kind that `Recognizer` takes or refuses."""

from __future__ import annotations

import io
import pathlib
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image

from tests import strip_model as strips


def encode(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _png(width: int, height: int, depth: int, colour: int, rows: bytes) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def _rgb_16_bits() -> bytes:
    values = (strips.draw("deep").astype(np.uint16) << 8 | 0x80).astype(">u2")
    rows = b"".join(b"\0" + np.repeat(row, 3).tobytes() for row in values)
    return _png(100, 32, 16, 2, rows)


def _photograph() -> Image.Image:
    """Colours that make JPEG work."""
    random = np.random.default_rng(3)
    return Image.fromarray(random.integers(0, 256, (5, 13, 3), np.uint8)).resize((123, 41), Image.Resampling.BICUBIC)


def encoded() -> dict[str, bytes]:
    """Image files by what is special about each; all can be read."""
    word = Image.fromarray(strips.draw("word"))
    colour = _photograph()
    files: dict[str, bytes] = {}
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        files[f"jpeg_exif_{orientation}"] = encode(word, "JPEG", quality=95, exif=exif)
        files[f"png_exif_{orientation}"] = encode(word, "PNG", exif=exif)
    for name, image in (("grey", word), ("colour", colour)):
        files[f"jpeg_{name}"] = encode(image, "JPEG")
        files[f"jpeg_{name}_progressive"] = encode(image, "JPEG", progressive=True, quality=60)
        for kind in ("PNG", "BMP", "TIFF", "PPM"):
            files[f"{kind.lower()}_{name}"] = encode(image, kind)
        files[f"webp_{name}"] = encode(image, "WEBP", lossless=True)
        files[f"gif_{name}"] = encode(image, "GIF")
    for subsampling in (0, 1):
        files[f"jpeg_subsampling_{subsampling}"] = encode(colour, "JPEG", subsampling=subsampling, quality=80)
    files["jpeg_cmyk"] = encode(colour.convert("CMYK"), "JPEG")
    files["tiff_16_bits"] = encode(Image.fromarray(strips.draw("tiff").astype(np.uint16) * 257), "TIFF")
    files["png_16_bits"] = encode(Image.fromarray(strips.draw("grey").astype(np.uint16) * 257), "PNG")
    files["png_16_bits_colour"] = _rgb_16_bits()
    files["png_1_bit"] = encode(colour.convert("1"), "PNG")
    files["png_palette"] = encode(colour.quantize(16), "PNG")
    files["png_palette_alpha"] = encode(colour.quantize(16), "PNG", transparency=bytes(range(0, 256, 16)))
    files["png_colour_key"] = encode(colour, "PNG", transparency=colour.getpixel((0, 0)))
    alpha = colour.copy()
    alpha.putalpha(Image.linear_gradient("L").resize(colour.size))
    files["png_alpha"] = encode(alpha, "PNG")
    files["png_grey_alpha"] = encode(alpha.convert("LA"), "PNG")
    files["webp_alpha"] = encode(alpha, "WEBP", lossless=True)
    files["gif_transparent"] = encode(colour.quantize(8), "GIF", transparency=2)
    files["gif_animated"] = encode(word, "GIF", save_all=True, append_images=[Image.fromarray(strips.draw("no"))])
    files["png_animated"] = encode(word, "PNG", save_all=True, append_images=[Image.fromarray(strips.draw("no"))])
    files["png_interlaced_text"] = encode(colour, "PNG", dpi=(72, 72))
    files["jpeg_tall"] = encode(word.rotate(90, expand=True), "JPEG", quality=98)
    files["png_one_pixel"] = encode(Image.new("L", (1, 1), 90), "PNG")
    return files


def broken() -> dict[str, bytes]:
    """Files that cannot be read."""
    word = Image.fromarray(strips.draw("word"))
    png, jpeg = encode(_photograph(), "PNG"), encode(word, "JPEG")
    return {
        "empty": b"",
        "text": b"word.png\tword\n",
        "png_cut": png[: len(png) // 2],
        "png_header_only": png[:40],
        "jpeg_cut": jpeg[: len(jpeg) // 2],
        "jpeg_noise": jpeg[:20] + bytes(range(256)),
        "gif_header": b"GIF89a",
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    }


def in_memory() -> list[Any]:
    """Arrays and PIL images, good ones and bad ones."""
    array = strips.draw("arr")
    colour = _photograph()
    return [
        array,
        array[..., None],
        np.asarray(colour),
        np.dstack([np.asarray(colour), np.full((41, 123), 99, np.uint8)]),
        array.T.copy(),
        Image.fromarray(array),
        colour.convert("CMYK"),
        colour.quantize(9),
        bytearray(encode(colour, "PNG")),
        memoryview(encode(colour, "WEBP")),
        array.astype(np.float32),
        array[None, None],
        np.zeros((0, 10), np.uint8),
        17,
        None,
    ]


def write_all(folder: pathlib.Path) -> list[pathlib.Path]:
    """Writes good and broken files, and names two paths that cannot be opened, all mixed."""
    paths = []
    for name, data in sorted({**encoded(), **broken()}.items(), key=lambda item: zlib.crc32(item[0].encode())):
        path = folder / f"{name}.png"
        path.write_bytes(data)
        paths.append(path)
    (folder / "folder.png").mkdir()
    return [*paths, folder / "absent.png", folder / "folder.png", paths[0]]
