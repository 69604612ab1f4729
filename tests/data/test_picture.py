"""Pictures that are converted only where they are looked at, against the plain definition."""

from __future__ import annotations

import io
import pickle
import struct
import subprocess
import sys
import threading
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from spin_tf.contract.preprocessing import Preprocessing, preprocess
from spin_tf.contract.tensorflow_twin import prepare_tensor
from spin_tf.data import picture
from spin_tf.data.images import ImageError, decode_image, inspect_image, open_picture, picture_of

MODES = ["1", "L", "P", "RGB", "RGBA", "LA", "PA", "La", "RGBa", "CMYK", "YCbCr", "HSV", "I", "I;16", "F"]


def encode(image: Image.Image, file_format: str = "PNG", **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, file_format, **options)
    return stream.getvalue()


def example(mode: str, size: tuple[int, int] = (23, 17)) -> Image.Image:
    random = np.random.default_rng(0)
    if mode in ("I", "I;16"):
        return Image.fromarray(random.integers(0, 65536, size[::-1]).astype(np.int32 if mode == "I" else np.uint16))
    if mode == "F":
        return Image.fromarray(random.uniform(0, 255, size[::-1]).astype(np.float32))
    rgba = Image.fromarray(random.integers(0, 256, (*size[::-1], 4), dtype=np.uint8))
    rgb = rgba.convert("RGB")
    by_way_of = {"PA": rgb.convert("P"), "La": rgba.convert("LA"), "RGBA": rgba, "LA": rgba, "RGBa": rgba}
    return by_way_of.get(mode, rgb).convert(mode)


def definition(image: Image.Image, orientation: int) -> np.ndarray:
    """The whole picture at once, as Pillow turns it."""
    exif = image.getexif()
    exif[0x0112] = orientation
    image = ImageOps.exif_transpose(image)
    if image.mode in ("I", "I;16"):
        return (np.asarray(image).astype(np.int64) >> 8).astype(np.uint8)
    if image.mode == "F":
        return np.rint(np.asarray(image)).astype(np.uint8)
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        image = image.convert("LA") if image.mode == "La" else image
        pixels = np.asarray(image.convert("RGBA")).astype(np.int32)
        alpha = pixels[..., 3:]
        return ((pixels[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
    return np.asarray(image.convert("L" if image.mode in ("1", "L") else "RGB"))


@pytest.mark.parametrize("strip", [1 << 18, 50])
@pytest.mark.parametrize("mode", MODES)
def test_every_mode_turned_in_every_way(mode, strip, monkeypatch):
    """In one piece and in strips of two lines: all pixels, some, and some of the turned picture."""
    monkeypatch.setattr(picture, "_STRIP_PIXELS", strip)
    rows, columns = np.array([0, 3, 3, 9, 16, 2]), np.array([16, 0, 5, 5])
    for orientation in range(1, 9):
        image = example(mode)
        image.getexif()[0x0112] = orientation
        expected = definition(image.copy(), orientation)
        found = picture_of(image)
        assert found.shape == expected.shape
        np.testing.assert_array_equal(found.to_array(), expected)
        np.testing.assert_array_equal(found.take(rows, columns), expected.take(rows, axis=0).take(columns, axis=1))
        for quarters in range(-1, 3):
            turned = found.rot90(quarters)
            np.testing.assert_array_equal(turned.to_array(), np.rot90(expected, quarters))
            np.testing.assert_array_equal(
                preprocess(turned, (8, 20)), preprocess(np.ascontiguousarray(np.rot90(expected, quarters)), (8, 20))
            )


@pytest.mark.parametrize("strip", [1 << 18, 50])
@pytest.mark.parametrize(
    ("mode", "transparency"), [("P", 3), ("P", bytes(range(0, 250, 5))), ("L", 7), ("RGB", (1, 2, 3))]
)
def test_transparency_without_an_alpha_channel(mode, transparency, strip, monkeypatch):
    monkeypatch.setattr(picture, "_STRIP_PIXELS", strip)
    image = example(mode) if mode != "P" else example("RGB").quantize(60)
    data = encode(image, transparency=transparency)
    np.testing.assert_array_equal(decode_image(data), definition(Image.open(io.BytesIO(data)), 1))
    np.testing.assert_array_equal(open_picture(data).to_array(), decode_image(data))


@pytest.mark.parametrize("strip", [1 << 18, 50])
@pytest.mark.parametrize("form", ["RGBA", "LA", "P", "L"])
def test_light_ink_lies_on_black(form, strip, monkeypatch):
    """White and pale ink would vanish on white; a dark spot, or ink on an opaque ground, keeps the ground white."""
    monkeypatch.setattr(picture, "_STRIP_PIXELS", strip)

    def inked(ink: int, ground_alpha: int = 0, spot: int | None = None) -> bytes:
        pixels = np.zeros((10, 30, 4), np.uint8)
        pixels[..., 3] = ground_alpha
        pixels[3:7, 5:20] = (ink, ink, ink, 255)
        if spot is not None:
            pixels[9, 29] = (spot, spot, spot, 255)
        image = Image.fromarray(pixels)
        if form == "P":
            return encode(image.quantize(8))
        if form == "L":
            grey = image.convert("L").point(lambda value: value or 1)
            return encode(grey, transparency=1)
        return encode(image.convert(form))

    for ink in (255, 220):
        decoded = decode_image(inked(ink))
        assert (decoded[4, 10].tolist(), decoded[0, 0].tolist()) == ([ink] * 3, [0] * 3)
        decoded = decode_image(inked(ink, spot=20))
        assert (decoded[4, 10].tolist(), decoded[0, 0].tolist()) == ([ink] * 3, [255] * 3)
    assert decode_image(inked(30))[0, 0].tolist() == [255] * 3
    if form == "RGBA":
        blank = encode(Image.new("RGBA", (30, 10)))
        assert decode_image(blank).min() == 255
        assert decode_image(inked(255, ground_alpha=255))[0, 0].tolist() == [0] * 3
        assert decode_image(encode(Image.new("RGBA", (30, 10), (250, 250, 250, 255)))).min() == 250


def test_light_ink_is_the_same_in_the_graph():
    random = np.random.default_rng(1)
    for darkest in (0, 150, 200, 255):
        pixels = random.integers(darkest, 256, (12, 40, 4), dtype=np.uint8)
        pixels[..., 3] = random.integers(0, 256, (12, 40))
        for image in (Image.fromarray(pixels), Image.fromarray(pixels).convert("LA")):
            data = encode(image)
            expected = preprocess(decode_image(data))
            np.testing.assert_allclose(
                prepare_tensor(data, Preprocessing((32, 100), number=1))[0].numpy(), expected, rtol=0, atol=1e-5
            )
            np.testing.assert_array_equal(preprocess(open_picture(data)), expected)


def wide(mode: str, values: np.ndarray) -> Image.Image:
    return Image.fromarray(values.astype({"I": np.int32, "I;16": np.uint16, "F": np.float32}[mode]))


@pytest.mark.parametrize(
    ("mode", "low", "high", "problem"),
    [
        ("I;16", 0, 255, "8-bit values"),
        ("I", 0, 255, "8-bit values"),
        ("I", 0, 70_000, "up to 16 bits"),
        ("I", -1, 255, "up to 16 bits"),
        ("F", 0, 1, r"0\.\.1"),
        ("F", -1, 1, r"are 0\.\.255"),
        ("F", 0, 65535, r"are 0\.\.255"),
        ("F", 0, np.nan, r"are 0\.\.255"),
        ("F", 0, np.inf, r"are 0\.\.255"),
    ],
)
def test_values_of_another_scale_are_refused_by_name(mode, low, high, problem, monkeypatch):
    for strip in (1 << 18, 50):
        monkeypatch.setattr(picture, "_STRIP_PIXELS", strip)
        values = np.full((17, 23), low, np.float64)
        values[16, 20] = high
        image = wide(mode, values)
        # Pillow writes 32-bit integers and floats as TIFF only.
        for read in (picture_of, lambda image: decode_image(encode(image, "TIFF"))):
            with pytest.raises(ImageError, match=problem) as caught:
                read(image)
            assert caught.value.reason == "ambiguous_values"
            assert f"Received: mode={mode}" in str(caught.value)


@pytest.mark.parametrize(("mode", "white"), [("I;16", 65535), ("I", 65535), ("F", 255)])
def test_values_of_the_stated_scale_are_read(mode, white):
    values = np.zeros((4, 6))
    assert picture_of(wide(mode, values)).to_array().max() == 0
    values[1] = white
    for data in (wide(mode, values), Image.open(io.BytesIO(encode(wide(mode, values), "TIFF")))):
        assert picture_of(data).to_array().tolist() == [[0] * 6, [255] * 6, [0] * 6, [0] * 6]


def _tiff_entries(entries: list[tuple[int, int, int, bytes]]) -> bytes:
    body = b"".join(struct.pack("<HHI4s", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + body + bytes(4)


_SIX = (0x0112, 3, 1, struct.pack("<HH", 6, 0))
ODD_EXIF = {
    "orientation as text": _tiff_entries([(0x0112, 2, 2, b"6\0\0\0")]),
    "orientation 0": _tiff_entries([(0x0112, 3, 1, bytes(4))]),
    "orientation 9": _tiff_entries([(0x0112, 3, 1, struct.pack("<HH", 9, 0))]),
    "out of reach": _tiff_entries([(0x010E, 5, 1, struct.pack("<I", 8)), (0x829A, 10, 2, struct.pack("<I", 4))]),
    "cut off": _tiff_entries([_SIX])[:13],
    "no TIFF": b"nothing of the kind",
    "empty": b"",
    "huge count": _tiff_entries([(0x010E, 2, 0xFFFFFFFF, struct.pack("<I", 26))]),
}
UNDERSTOOD = {
    "two orientations": _tiff_entries([(0x0112, 3, 2, struct.pack("<HH", 6, 6))]),
    "sub-IFD pointer as text": _tiff_entries([_SIX, (0x8769, 2, 4, b"abc\0")]),
    "sub-IFD out of reach": _tiff_entries([_SIX, (0x8769, 4, 1, struct.pack("<I", 10**6))]),
}


def with_exif(image: Image.Image, file_format: str, exif: bytes) -> bytes:
    if file_format == "PNG":
        data = encode(image)
        return data[:33] + png_chunk(b"eXIf", exif) + data[33:]
    if file_format == "JPEG":
        data = encode(image, "JPEG", quality=95)
        block = b"Exif\0\0" + exif
        return data[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + data[2:]
    return encode(image, "WEBP", lossless=True, exif=exif)


def png_chunk(kind: bytes, body: bytes, damage: int = 0) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body) ^ damage)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("kind", [*ODD_EXIF, *UNDERSTOOD])
def test_odd_exif_decides_nothing(file_format, kind):
    image = Image.linear_gradient("L").resize((40, 20)).convert("RGB")
    plain = decode_image(with_exif(image, file_format, b""))
    expected = plain if kind in ODD_EXIF else np.rot90(plain, -1)
    data = with_exif(image, file_format, (ODD_EXIF | UNDERSTOOD)[kind])
    np.testing.assert_array_equal(decode_image(data), expected)
    np.testing.assert_array_equal(picture_of(Image.open(io.BytesIO(data))).to_array(), expected)
    inspect_image(data, decode=True)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("broken", ["sub-IFD pointer as text", "sub-IFD out of reach", "none"])
def test_tags_of_a_tiff_decide_nothing(broken):
    """A TIFF's metadata are its tags: the pixels are read where a later tag is odd, and turned once."""
    image = Image.linear_gradient("L").resize((40, 20))
    tags = {0x0112: 6}
    data = bytearray(encode(image, "TIFF", tiffinfo=tags | {0x9286: "spare tag"}))
    if broken != "none":
        kind, value = (2, b"abc\0") if broken.endswith("text") else (4, struct.pack("<I", 10**6))
        start = bytes(data).index(struct.pack("<H", 0x9286) + struct.pack("<H", 2))
        data[start : start + 12] = struct.pack("<HHI4s", 0x8769, kind, len(value) if kind == 2 else 1, value)
    expected = np.rot90(np.asarray(image), -1)
    np.testing.assert_array_equal(decode_image(bytes(data)), expected)
    opened = Image.open(io.BytesIO(bytes(data)))
    np.testing.assert_array_equal(picture_of(opened).to_array(), expected)
    np.testing.assert_array_equal(picture_of(opened).to_array(), expected)


@pytest.mark.parametrize(
    "chunk",
    [
        png_chunk(b"tEXt", b"Comment\0fine", damage=1),
        png_chunk(b"zTXt", b"Comment\0\x09nonsense"),
        png_chunk(b"iTXt", b"Comment\0\1\0\0\0nonsense"),
        png_chunk(b"iCCP", b"profile\0\x07nonsense"),
        png_chunk(b"pHYs", b"\1"),
        png_chunk(b"acTL", b"\1"),
        png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(70 << 20))),
    ],
)
@pytest.mark.parametrize("place", ["before the pixels", "after the pixels"])
def test_broken_chunks_beside_the_pixels_of_a_png(chunk, place):
    image = example("RGB")
    data = encode(image)
    at = 33 if place == "before the pixels" else len(data) - 12
    np.testing.assert_array_equal(decode_image(data[:at] + chunk + data[at:]), np.asarray(image))


@pytest.mark.filterwarnings("ignore")
def test_broken_segments_beside_the_pixels_of_a_jpeg():
    data = encode(example("RGB"), "JPEG", quality=95)
    expected = decode_image(data)
    bodies = [
        (0xE2, b"MPF\0nonsense"),
        (0xE2, b"ICC_PROFILE\0"),
        (0xED, b"Photoshop 3.0\x008BIM\xff"),
        (0xE1, b"http:"),
    ]
    for marker, body in bodies:
        segment = struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body
        np.testing.assert_array_equal(decode_image(data[:2] + segment + data[2:]), expected)


def test_broken_pixels_stay_broken():
    """What is read a second time, without its metadata, is not read any more leniently."""
    data = encode(example("RGB"))
    chunk = png_chunk(b"tEXt", b"Comment\0fine")
    whole = data[:33] + chunk + data[33:]
    for cut in (whole[: len(whole) // 2], whole[:200] + b"\0\0\0\0" + whole[204:]):
        with pytest.raises(ImageError, match="truncated or broken"):
            decode_image(cut)


def test_one_lazy_image_in_several_threads():
    """Pillow decodes a file when its pixels are first asked for, and not for two at once."""
    data = encode(example("RGB", (400, 300)), "JPEG", quality=95)
    expected = decode_image(data)
    for _ in range(20):
        image = Image.open(io.BytesIO(data))
        found: list[np.ndarray] = []
        threads = [
            threading.Thread(target=lambda image=image, found=found: found.append(picture_of(image).to_array()))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 4 and all((pixels == expected).all() for pixels in found)


def test_errors_travel_between_processes():
    """An exception that cannot be unpickled hangs the pool of whoever waits for it."""
    from spin_tf.charset import LabelError
    from spin_tf.data.conversion.entry import EntryError

    label = LabelError("said", "character", ("x",))
    for error in (ImageError("said", "broken_image"), EntryError("said", "missing_file"), label):
        copy = pickle.loads(pickle.dumps(error))
        assert (type(copy), str(copy), vars(copy)) == (type(error), "said", vars(error))


MEASURE = """
import sys
from PIL import Image, JpegImagePlugin, PngImagePlugin, TiffImagePlugin
import numpy as np
from spin_tf.data.images import decode_image
from spin_tf.reading.inputs import open_image
from spin_tf.contract.preprocessing import Preprocessing
from spin_tf.contract.turning import turned_views

def peak():
    with open("/proc/self/status") as file:
        return int(file.read().split("VmHWM:")[1].split()[0]) * 1024

decode_image(open(sys.argv[2], "rb").read())
before = peak()
read = {"read": lambda path: turned_views(open_image(path), Preprocessing((32, 100)))}
read.get(sys.argv[1], lambda path: decode_image(open(path, "rb").read()))(sys.argv[3])
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is read from /proc")
def test_memory_of_large_pictures(tmp_path, repository):
    """Reading takes hardly more than 1.5 times the bytes of the picture as RGB, decoding little beside its result."""
    side = 4000
    turned = Image.Exif()
    turned[0x0112] = 6
    images: dict[str, tuple[Image.Image, dict[str, Any]]] = {
        "palette-alpha.png": (Image.new("P", (side, side)), {"transparency": 0}),
        "rgba.png": (Image.new("RGBA", (side, side), (0, 0, 0, 99)), {}),
        "grey-alpha.png": (Image.new("LA", (side, side)), {}),
        "grey-16.png": (Image.new("I;16", (side, side)), {}),
        "palette.gif": (Image.new("P", (side, side)), {}),
        "rgba.tif": (Image.new("RGBA", (side, side)), {"compression": "tiff_lzw"}),
        "turned.jpg": (Image.new("RGB", (side, side)), {"exif": turned}),
    }
    as_rgb = 3 * side * side
    small = tmp_path / "small.png"
    Image.new("RGB", (9, 9)).save(small)
    for name, (image, options) in images.items():
        image.save(tmp_path / name, **options)
        for how, bound in (("read", 1.55 * as_rgb), ("decode", 2.6 * as_rgb)):
            command = [sys.executable, "-c", MEASURE, how, str(small), str(tmp_path / name)]
            result = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=True)
            assert int(result.stdout) < bound, (name, how, int(result.stdout) / as_rgb)
