"""Which images are known by name and by their first bytes, which are read, and what is said of the others."""

from __future__ import annotations

import io
import pathlib
import re

import numpy as np
import pytest
from PIL import Image

from spin_tf.data import formats
from spin_tf.data.formats import IMAGE_SUFFIXES, format_of, further_frames, guess, is_image_name, readable_formats
from spin_tf.data.images import MAX_PIXELS, ImageError, decode_image
from tests.fuzz.images import image_seeds, word_picture

FORMATS = ["AVIF", "JPEG2000"]
PICTURE = word_picture()


def encode(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def needs(kind: str) -> None:
    if kind not in readable_formats():
        pytest.skip(f"this Pillow was built without {kind}")


def test_names_are_those_of_the_cpp_reader(repository: pathlib.Path) -> None:
    text = (repository / "deploy" / "cpp" / "src" / "image_names.cc").read_text(encoding="utf-8")
    (names,) = re.findall(r"kSuffixes = \{(.*?)\};", text, re.DOTALL)
    assert set(re.findall(r'"(\.\w+)"', names)) == IMAGE_SUFFIXES


def test_names_of_the_formats_that_are_read() -> None:
    Image.init()
    read = {"JPEG", "PNG", "GIF", "BMP", "DIB", "TIFF", "WEBP", "PPM", "AVIF", "JPEG2000", "MPO"}
    assert {suffix for suffix, name in Image.EXTENSION.items() if name in read} <= IMAGE_SUFFIXES
    assert all(is_image_name(name) for name in ("a.JFIF", "b.Jpe", "x.y.heic", "é.avif"))
    assert not any(is_image_name(name) for name in ("labels.txt", "png", ".png", "a.png.txt", "notes", "clip.mp4"))


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_pixels(kind: str, mode: str) -> None:
    needs(kind)
    image = PICTURE.convert(mode)
    if mode == "RGBA":
        image.putalpha(Image.linear_gradient("L").resize(image.size))
    options = {"quality": 100} if kind == "AVIF" else {}
    expected = decode_image(encode(image, "PNG")).astype(int)
    found = decode_image(encode(image, kind, **options)).astype(int)
    assert found.shape[:2] == expected.shape[:2]
    if found.ndim > expected.ndim:
        found = found[..., 1]
    assert np.abs(found - expected).mean() < 3


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_avif_is_turned_as_it_is_looked_at(orientation: int) -> None:
    needs("AVIF")
    exif = Image.Exif()
    exif[0x0112] = orientation
    expected = decode_image(encode(PICTURE, "PNG", exif=exif)).astype(int)
    found = decode_image(encode(PICTURE, "AVIF", quality=100, exif=exif)).astype(int)
    assert found.shape == expected.shape and np.abs(found - expected).mean() < 3


def test_16_bits_keep_their_upper_byte() -> None:
    needs("JPEG2000")
    grey = np.asarray(PICTURE.convert("L"))
    assert (decode_image(encode(Image.fromarray(grey.astype(np.uint16) * 257), "JPEG2000")) == grey).all()


@pytest.mark.parametrize("kind", FORMATS)
def test_limits(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    needs(kind)
    data = encode(PICTURE, kind)
    with pytest.raises(ImageError) as cut:
        decode_image(data[: len(data) // 2])
    assert cut.value.reason == "broken_image"
    assert MAX_PIXELS > 3000
    monkeypatch.setattr("spin_tf.data.images.MAX_PIXELS", 3000)
    with pytest.raises(ImageError) as large:
        decode_image(data)
    assert large.value.reason == "too_many_pixels"


def test_a_pillow_that_has_neither(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says so, and reads the others."""
    monkeypatch.setattr(formats.features, "modules", {})
    monkeypatch.setattr(formats.features, "check_codec", lambda name: False)
    readable_formats.cache_clear()
    try:
        assert decode_image(image_seeds()["webp_lossy"]).shape == (100, 32, 3)
        heads = {"AVIF": b"\0\0\0\x1cftypavif\0\0\0\0avifmif1", "JPEG 2000": b"\0\0\0\x0cjP  \r\n\x87\n"}
        for name, data in heads.items():
            with pytest.raises(ImageError, match=rf"\(JPEG, PNG, GIF, BMP, TIFF, WebP, PNM\): this is {name}\."):
                decode_image(data)
    finally:
        readable_formats.cache_clear()


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "HEIC"),
        (b"\xff\x0a\xfa\x7f", "JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n\0", "JPEG XL"),
        (b"8BPS\0\1", "PSD"),
        (b"\0\0\1\0\1\0\x10\x10", "ICO"),
        (b"qoif\0\0\0\1", "QOI"),
        (b'<?xml version="1.0"?>\n<svg xmlns="x">', "SVG"),
        (b"%PDF-1.7\n", "PDF"),
        (b"%!PS-Adobe-3.0 EPSF", "PostScript"),
        (b"\n<!DOCTYPE HTML><html>", "a web page"),
        (b"<HTML><head>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS to a file that was not fetched"),
    ],
)
def test_others_are_named(head: bytes, name: str) -> None:
    assert guess(head) == name
    with pytest.raises(ImageError, match=f"this is {name}\\. Received") as refused:
        decode_image(head)
    assert refused.value.reason == "not_an_image"


def test_first_bytes_of_what_is_read() -> None:
    shown = {"jpeg": "JPEG", "bmp": "BMP", "webp": "WebP", "avif": "AVIF", "jp2": "JPEG 2000", "pnm": ""}
    for name, data in image_seeds().items():
        kind = name.partition("_")[0]
        assert format_of(data) == shown.get(kind, kind.upper()), name
    assert not any(map(format_of, (b"", b"BM is text", b"P5 is a name", b"II. chapter", b"word.png\tword")))


def several(kind: str, **options: object) -> bytes:
    other = PICTURE.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return encode(PICTURE, kind, save_all=True, append_images=[other], **options)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("GIF", "frames"),
        ("PNG", "frames"),
        ("WEBP", "frames"),
        ("AVIF", "frames"),
        ("MPO", "frames"),
        ("TIFF", "pages"),
    ],
)
def test_further_frames(kind: str, said: str, tmp_path: pathlib.Path) -> None:
    if kind == "AVIF":
        needs(kind)
    path = tmp_path / "file"
    path.write_bytes(several(kind))
    assert further_frames(str(path)) == said
    path.write_bytes(encode(PICTURE, "JPEG" if kind == "MPO" else kind))
    assert further_frames(str(path)) == ""


def test_what_is_no_further_frame(tmp_path: pathlib.Path) -> None:
    """A gain map beside the photograph of a phone, a reduced copy in a TIFF, damage behind the first picture."""
    path = tmp_path / "file"
    path.write_bytes(encode(PICTURE, "MPO", save_all=True, append_images=[PICTURE.resize((25, 8))]))
    assert further_frames(str(path)) == ""
    small = PICTURE.resize((25, 8))
    small.encoderinfo = {"tiffinfo": {254: 1}}  # type: ignore[attr-defined]
    path.write_bytes(encode(PICTURE, "TIFF", save_all=True, append_images=[small]))
    assert further_frames(str(path)) == ""
    path.write_bytes(several("GIF")[:-200])
    assert further_frames(str(path)) in ("", "frames")
