"""PNG and JPEG files of every kind that has its own way through a decoder, for comparing readers."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image

from tests.fuzz.images import word_picture

GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
_CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}
# First row, first column, row step, column step of the seven passes of an interlaced PNG.
_ADAM7 = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _rows(samples: np.ndarray, depth: int) -> bytes:
    """Rows of samples (height, width, channels) as PNG packs them, each without a filter."""
    lines = samples.reshape(len(samples), -1)
    if depth == 16:
        packed = lines.astype(">u2").view(np.uint8)
    elif depth == 8:
        packed = lines.astype(np.uint8)
    else:
        bits = np.unpackbits(lines.astype(np.uint8)[..., None], axis=-1)[..., 8 - depth :]
        packed = np.packbits(bits.reshape(len(lines), -1), axis=-1)
    return b"".join(b"\0" + line.tobytes() for line in packed)


def png(
    samples: np.ndarray, depth: int, colour: int, interlaced: bool = False, before: bytes = b"", after: bytes = b""
) -> bytes:
    """A PNG file of samples (height, width, channels) with `depth` bits each, and chunks before and after its data."""
    height, width, channels = samples.shape
    assert channels == _CHANNELS[colour]
    passes = [samples[row::down, column::across] for row, column, down, across in _ADAM7] if interlaced else [samples]
    data = b"".join(_rows(part, depth) for part in passes if part.size)
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + before
        + chunk(b"IDAT", zlib.compress(data))
        + after
        + chunk(b"IEND", b"")
    )


def exif(orientation: int, little: bool = True) -> bytes:
    """The TIFF structure with one tag that EXIF is."""
    order = "<" if little else ">"
    head = b"II*\0" if little else b"MM\0*"
    return head + struct.pack(order + "IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)


def xmp(orientation: int) -> bytes:
    return f'<x:xmpmeta><rdf:Description tiff:Orientation="{orientation}"/></x:xmpmeta>'.encode()


def png_files() -> dict[str, bytes]:
    rng = np.random.default_rng(7)
    rgb = np.asarray(word_picture("Read"))[:, :, :3]
    grey = np.asarray(word_picture("Read").convert("L"))[..., None]
    wide = grey.astype(np.uint16) * 257 - rng.integers(0, 200, grey.shape).astype(np.uint16)
    alpha = np.linspace(0, 255, grey.size).astype(np.uint8).reshape(grey.shape)
    palette = chunk(b"PLTE", rng.integers(0, 256, 48, np.uint8).tobytes())
    short_palette = chunk(b"PLTE", rng.integers(0, 256, 30, np.uint8).tobytes())
    indices = (grey >> 4).astype(np.uint8)
    wide_rgb = rgb.astype(np.uint16) * 257
    clear_grey, clear_rgb = int(grey[0, 0, 0]), rgb[0, 0].astype(int)
    files = {
        "grey16_clear": png(wide, 16, GREY, before=chunk(b"tRNS", struct.pack(">H", int(wide[0, 0, 0])))),
        "rgb16_clear": png(wide_rgb, 16, RGB, before=chunk(b"tRNS", struct.pack(">HHH", *(clear_rgb * 257)))),
        "grey_clear": png(grey, 8, GREY, before=chunk(b"tRNS", struct.pack(">H", clear_grey))),
        "rgb_clear": png(rgb, 8, RGB, before=chunk(b"tRNS", struct.pack(">HHH", *clear_rgb))),
        "grey4_clear": png(grey >> 4, 4, GREY, before=chunk(b"tRNS", struct.pack(">H", clear_grey >> 4))),
        "grey1_clear": png(grey >> 7, 1, GREY, before=chunk(b"tRNS", struct.pack(">H", 1))),
        "grey_alpha16": png(np.concatenate([wide, alpha.astype(np.uint16) * 257], -1), 16, GREY_ALPHA),
        "rgba16": png(np.concatenate([wide_rgb, alpha.astype(np.uint16) * 257], -1), 16, RGBA),
        "grey_alpha": png(np.concatenate([grey, alpha], -1), 8, GREY_ALPHA),
        "palette4_alpha": png(indices, 4, PALETTE, before=palette + chunk(b"tRNS", bytes(range(0, 130, 10)))),
        "palette8_one_clear": png(indices, 8, PALETTE, before=palette + chunk(b"tRNS", b"\xff\xff\0\xff")),
        "palette_too_short": png(indices, 8, PALETTE, before=short_palette),
        "palette2": png(indices >> 2, 2, PALETTE, before=palette),
        "palette1": png(indices >> 3, 1, PALETTE, before=palette),
        "one_pixel": png(grey[:1, :1], 8, GREY),
        "one_column": png(rgb[:, :1], 8, RGB, interlaced=True),
        "text_and_profile": png(grey, 8, GREY, before=chunk(b"tEXt", b"a\0b") + chunk(b"gAMA", bytes(4))),
        "exif_after": png(rgb, 8, RGB, after=chunk(b"eXIf", exif(6))),
        "xmp_before": png(rgb, 8, RGB, before=chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp(8))),
        "exif_over_xmp": png(
            rgb,
            8,
            RGB,
            before=chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp(8)) + chunk(b"eXIf", exif(3, little=False)),
        ),
        "raw_profile": png(
            rgb,
            8,
            RGB,
            before=chunk(
                b"zTXt",
                b"Raw profile type exif\0\0"
                + zlib.compress(b"\nexif\n      32\n" + (b"Exif\0\0" + exif(5)).hex().encode() + b"\n"),
            ),
        ),
    }
    # Light ink on nothing, which has a black ground, and what is nearly so.
    ink = np.where(grey < 150, 255, 0).astype(np.uint8)
    light = np.full_like(rgb, 240)
    shade = np.full_like(rgb, 180)
    white_and_pale = chunk(b"PLTE", b"\xff\xff\xff\xee\xee\xff") + chunk(b"tRNS", b"\0\xff")
    damaged = bytearray(chunk(b"tEXt", b"a\0b"))
    damaged[-1] ^= 1
    files |= {
        "light_ink": png(np.concatenate([light, ink], -1), 8, RGBA),
        "light_ink_faint": png(np.concatenate([light, ink // 3], -1), 8, RGBA),
        "shaded_ink": png(np.concatenate([shade, ink], -1), 8, RGBA),
        "light_ink_grey": png(np.concatenate([light[..., :1], ink], -1), 8, GREY_ALPHA),
        "light_ink_palette": png((ink > 0).astype(np.uint8), 1, PALETTE, before=white_and_pale),
        "light_ink_clear_grey": png(255 - ink // 255, 8, GREY, before=chunk(b"tRNS", struct.pack(">H", 255))),
        "nothing_visible": png(np.concatenate([light, 0 * ink], -1), 8, RGBA),
        "widened_8_bits": png(grey.astype(np.uint16), 16, GREY),
        "black_16_bits": png(0 * grey.astype(np.uint16), 16, GREY),
        "damaged_text": png(rgb, 8, RGB, before=chunk(b"eXIf", exif(6)) + bytes(damaged)),
    }
    for depth in (1, 2, 4, 8, 16):
        samples: np.ndarray = wide if depth == 16 else grey >> (8 - depth)
        for interlaced in (False, True):
            files[f"grey{depth}_{'interlaced' if interlaced else 'plain'}"] = png(samples, depth, GREY, interlaced)
    for colour, samples in ((RGB, rgb), (RGBA, np.concatenate([rgb, alpha], -1)), (PALETTE, indices)):
        files[f"colour{colour}_interlaced"] = png(
            samples, 8, colour, True, before=palette if colour == PALETTE else b""
        )
    for orientation in range(10):
        files[f"exif_{orientation}"] = png(rgb[:, :70], 8, RGB, before=chunk(b"eXIf", exif(orientation)))
    return {f"{name}.png": data for name, data in files.items()}


def _jpeg(image: Image.Image, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "JPEG", **options)
    return stream.getvalue()


def _with_marker(data: bytes, content: bytes) -> bytes:
    """A JPEG file with one more APP1 segment behind its start."""
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content + data[2:]


def jpeg_files() -> dict[str, bytes]:
    rgb = word_picture("Read", (131, 45))
    plain = _jpeg(rgb)
    noise = Image.fromarray(np.random.default_rng(3).integers(0, 256, (37, 61, 3), np.uint8))
    files = {
        "grey": _jpeg(rgb.convert("L"), quality=30),
        "cmyk": _jpeg(rgb.convert("CMYK")),
        "cmyk_noise": _jpeg(noise.convert("CMYK"), quality=100),
        "progressive": _jpeg(rgb, progressive=True, optimize=True),
        "restarts": _jpeg(rgb, restart_marker_blocks=3),
        "one_pixel": _jpeg(rgb.crop((0, 0, 1, 1))),
        "no_end": plain[:-2],
        "junk_behind": plain + b"junk" * 100,
        "xmp": _with_marker(plain, b"http://ns.adobe.com/xap/1.0/\0" + xmp(6)),
        "damaged_exif": _with_marker(plain, b"Exif\0\0" + exif(7)[:13]),
        "exif_of_motorola": _with_marker(plain, b"Exif\0\0" + exif(7, little=False)),
    }
    # Pillow cannot write 4:4:0, but a square 4:2:2 file becomes one: as many blocks, one upon the other.
    square = _jpeg(rgb.resize((64, 64)), subsampling="4:2:2")
    files["440"] = square.replace(b"\x01\x21\x00", b"\x01\x12\x00", 1)
    for sampling in ("4:4:4", "4:2:2", "4:2:0"):
        for quality in (20, 95):
            files[f"{sampling.replace(':', '')}_{quality}"] = _jpeg(noise, subsampling=sampling, quality=quality)
    for orientation in range(10):
        files[f"exif_{orientation}"] = _with_marker(plain, b"Exif\0\0" + exif(orientation))
    return {f"{name}.jpg": data for name, data in files.items()}
