"""Image files of every kind that clients send, by name; written here, down to the chunks of a PNG."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image

from spin_tf.data.formats import readable_formats


def save(image: Image.Image, file_format: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, file_format, **options)
    return stream.getvalue()


def picture(height: int = 40, width: int = 100, seed: int = 0) -> Image.Image:
    """Colours that change smoothly, with noise."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 255, (6, 9, 3), dtype=np.uint8)).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    return Image.fromarray(np.clip(np.asarray(coarse) + rng.normal(0, 5, (height, width, 3)), 0, 255).astype(np.uint8))


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(depth: int, colour: int, extra: bytes = b"", seed: int = 0, adam7: bool = False) -> bytes:
    """A PNG 64 x 20 of noise of any depth and colour type, with more chunks in front of the pixels."""
    bits = depth * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    rng = np.random.default_rng(seed)
    # A PNG interlaced by Adam7 is seven small ones in a row.
    steps = [(8, 8, 0, 0), (8, 8, 0, 4), (8, 4, 4, 0), (4, 4, 0, 2), (4, 2, 2, 0), (2, 2, 0, 1), (2, 1, 1, 0)]
    lines = b""
    for down, across, top, left in steps if adam7 else [(1, 1, 0, 0)]:
        rows, columns = len(range(top, 20, down)), len(range(left, 64, across))
        row_bytes = (columns * bits + 7) // 8
        lines += b"".join(b"\0" + rng.integers(0, 256, row_bytes, dtype=np.uint8).tobytes() for _ in range(rows))
    header = struct.pack(">IIBBBBB", 64, 20, depth, colour, 0, 0, int(adam7))
    body = chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def readable() -> dict[str, bytes]:
    """What the graph reads as `Recognizer` does."""
    image = picture()
    tall = picture(100, 40)
    alpha = picture(60, 90).convert("RGBA")
    alpha.putalpha(Image.fromarray(np.random.default_rng(1).integers(0, 255, (60, 90), dtype=np.uint8)))
    # White ink on nothing lies on black; so that it is seen.
    light = Image.new("RGBA", (90, 40), (250, 250, 250, 0))
    light.paste((250, 240, 245, 255), (20, 10, 60, 30))
    unseen = light.copy()
    unseen.putalpha(Image.new("L", light.size, 90))
    upright = Image.Exif()
    upright[0x0112] = 1
    camera = Image.Exif()
    camera[0x010F], camera[0x0131], camera[0x8769] = "maker", "program", {0x9000: b"0230"}
    palette = chunk(b"PLTE", np.random.default_rng(2).integers(0, 256, 768, dtype=np.uint8).tobytes())
    top_down = bytearray(save(image, "BMP"))
    top_down[22:26] = struct.pack("<i", -image.height)
    files = {
        "jpeg": save(image, "JPEG"),
        "jpeg_444": save(image, "JPEG", subsampling=0, quality=96),
        "jpeg_grey": save(image.convert("L"), "JPEG"),
        "jpeg_progressive": save(image, "JPEG", progressive=True),
        "jpeg_upright": save(image, "JPEG", exif=upright),
        "jpeg_of_a_camera": save(image, "JPEG", exif=camera),
        "jpeg_xmp_upright": save(image, "JPEG", xmp=b'<x:xmpmeta tiff:Orientation="1"/>'),
        "jpeg_tall": save(tall, "JPEG"),
        "jpeg_large": save(image.resize((1600, 700)), "JPEG"),
        "jpeg_large_and_tall": save(tall.resize((700, 1600)), "JPEG"),
        "jpeg_one_pixel": save(image.crop((0, 0, 1, 1)), "JPEG"),
        "png": save(image, "PNG"),
        "png_wide": save(image.resize((300, 40)), "PNG"),
        "png_tall_and_wide": save(image.resize((30, 400)), "PNG"),
        "png_column": save(image.crop((0, 0, 1, 9)), "PNG"),
        "png_upright": save(image, "PNG", exif=upright),
        "png_alpha": save(alpha, "PNG"),
        "png_alpha_tall": save(alpha.rotate(90, expand=True), "PNG"),
        "png_alpha_large": save(alpha.resize((1500, 800)), "PNG"),
        "png_light_ink": save(light, "PNG"),
        "png_light_ink_tall": save(light.resize((50, 150)), "PNG"),
        "png_light_ink_large": save(light.resize((1800, 800)), "PNG"),
        "png_light_ink_palette": save(light.quantize(30), "PNG"),
        "png_light_ink_unseen": save(unseen, "PNG"),
        "png_grey_alpha": save(alpha.convert("LA"), "PNG"),
        "png_palette_alpha": save(alpha.quantize(60), "PNG"),
        "png_one_bit": save(image.convert("1"), "PNG"),
        "bmp": save(image, "BMP"),
        "bmp_tall_odd_width": save(tall.resize((37, 90)), "BMP"),
        "bmp_top_down": bytes(top_down),
    }
    for colour, depths in ((0, (1, 2, 4, 8)), (2, (8, 16)), (4, (8, 16)), (6, (8, 16))):
        for depth in depths:
            files[f"png_{depth}_bits_type_{colour}"] = png(depth, colour, seed=depth)
            files[f"png_{depth}_bits_type_{colour}_interlaced"] = png(depth, colour, seed=depth, adam7=True)
    for depth in (1, 2, 4, 8):
        colours = palette if depth == 8 else chunk(b"PLTE", palette[8 : 8 + 3 * 2**depth])
        files[f"png_{depth}_bits_palette"] = png(depth, 3, colours)
        files[f"png_{depth}_bits_palette_transparent"] = png(depth, 3, colours + chunk(b"tRNS", b"\x80\x00"))
    return files


def refused() -> dict[str, tuple[bytes, str]]:
    """What `Recognizer` reads and the graph does not, each with its reason."""
    image = picture()
    files = {
        "cmyk": (save(image.convert("CMYK"), "JPEG"), "colours_not_served"),
        "gif": (save(image.convert("P"), "GIF"), "format_not_served"),
        "tiff": (save(image, "TIFF"), "format_not_served"),
        "webp": (save(image, "WEBP"), "format_not_served"),
        "ppm": (save(image, "PPM"), "format_not_served"),
        "jpeg_2000": (save(image, "JPEG2000"), "format_not_served"),
        "jpeg_2000_stream": (save(image, "JPEG2000", no_jp2=True), "format_not_served"),
        **({"avif": (save(image, "AVIF"), "format_not_served")} if "AVIF" in readable_formats() else {}),
        "bmp_palette": (save(image.convert("P"), "BMP"), "format_not_served"),
        "bmp_grey": (save(image.convert("L"), "BMP"), "format_not_served"),
        "bmp_alpha": (save(image.convert("RGBA"), "BMP"), "format_not_served"),
        "png_animation": (png(8, 2, chunk(b"acTL", struct.pack(">II", 1, 0))), "format_not_served"),
        "jpeg_xmp": (save(image, "JPEG", xmp=b'<x:xmpmeta tiff:Orientation="6"/>'), "rotation_not_served"),
    }
    files["png_16_bits_grey"] = (png(16, 0), "colours_not_served")
    vast = Image.new("RGBA", (2100, 2000), (9, 9, 9, 200))
    files["png_alpha_vast"] = (save(vast, "PNG"), "transparency_not_served")
    for depth, colour in ((1, 0), (8, 0), (8, 2), (16, 2)):
        transparent = chunk(b"tRNS", b"\0\1" * (1 if colour == 0 else 3))
        files[f"png_{depth}_bits_type_{colour}_transparent"] = (
            png(depth, colour, transparent),
            "transparency_not_served",
        )
    for orientation in range(2, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        for file_format in ("JPEG", "PNG"):
            files[f"{file_format}_{orientation}"] = (save(image, file_format, exif=exif), "rotation_not_served")
    return files


def broken() -> dict[str, tuple[bytes, str]]:
    """What nobody reads, each with its reason."""
    jpeg, whole = save(picture(), "JPEG"), save(picture(), "PNG")
    noise = np.random.default_rng(3).integers(0, 256, 3000, dtype=np.uint8).tobytes()
    vast = struct.pack(">IIBBBBB", 30000, 30000, 8, 0, 0, 0, 0)
    return {
        "empty": (b"", "empty_file"),
        "text": (b"no image at all", "not_an_image"),
        "one_byte": (b"\xff", "not_an_image"),
        "jpeg_magic": (b"\xff\xd8\xff", "broken_image"),
        "png_magic": (b"\x89PNG\r\n\x1a\n", "broken_image"),
        "jpeg_cut": (jpeg[: len(jpeg) // 2], "broken_image"),
        "png_cut": (whole[: len(whole) // 2], "broken_image"),
        "bmp_cut": (save(picture(), "BMP")[:2000], "broken_image"),
        "header_and_noise": (jpeg[:600] + noise, "broken_image"),
        "png_vast": (whole[:8] + chunk(b"IHDR", vast) + chunk(b"IDAT", b""), "too_many_pixels"),
        "jpeg_vast": (save(Image.new("L", (9000, 8000)), "JPEG"), "too_many_pixels"),
    }
