"""Image decoding and the preprocessing that training, LiteRT and serving share."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from spin_tf.contract.constants import MAX_PIXELS
from spin_tf.contract.errors import ImageError
from spin_tf.contract.preprocessing import Preprocessing, preprocess
from spin_tf.contract.tensorflow_twin import prepare_tensor
from spin_tf.data.images import decode_image, inspect_image, upright_size

FIRST = Preprocessing((32, 100), number=1)
SIZES = [(1, 1), (1, 9), (32, 100), (7, 13), (31, 99), (33, 101), (75, 236), (64, 200), (240, 31), (2, 640)]


def random_image(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def encode(image: Image.Image | np.ndarray, format: str, **options) -> bytes:
    stream = io.BytesIO()
    (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(stream, format, **options)
    return stream.getvalue()


def reference(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The definition, pixel by pixel in float64."""
    pixels = image.astype(np.float64)
    if pixels.ndim == 3 and pixels.shape[2] == 3:
        # OpenCV's 15-bit coefficients, rounded to the nearest integer.
        pixels = np.floor((pixels @ np.array([9798, 19235, 3735]) + 16384) / 32768)
    pixels = pixels.reshape(image.shape[:2])
    result = np.empty(size)
    for y in range(size[0]):
        for x in range(size[1]):
            sy = (y + 0.5) * image.shape[0] / size[0] - 0.5
            sx = (x + 0.5) * image.shape[1] / size[1] - 0.5
            y0, x0 = int(np.floor(sy)), int(np.floor(sx))
            value = 0.0
            for yy, wy in ((y0, 1 - (sy - y0)), (y0 + 1, sy - y0)):
                for xx, wx in ((x0, 1 - (sx - x0)), (x0 + 1, sx - x0)):
                    value += wy * wx * pixels[np.clip(yy, 0, image.shape[0] - 1), np.clip(xx, 0, image.shape[1] - 1)]
            result[y, x] = (value - 127.5) / 127.5
    return result[..., None]


def test_meets_the_goldens(shared):
    path = shared / "goldens" / "preprocessing.npz"
    if path.exists():
        cases = [
            (decode_image((shared / "data" / "real" / key.replace("__", "/")).read_bytes()), golden)
            for key, golden in np.load(path).items()
        ]
        assert len(cases) == 5
    else:
        # Worked by hand and rounded, as 8-bit OpenCV would give it.
        ramp = np.arange(0, 240, 10, dtype=np.uint8).reshape(4, 6)
        cases = [(ramp, (np.array([[33, 48, 63, 78], [153, 168, 183, 198]]) - 127.5) / 127.5)]
    for image, golden in cases:
        height, width = golden.shape
        np.testing.assert_allclose(preprocess(image, (height, width))[..., 0], golden, rtol=0, atol=2 * 2 / 255)


@pytest.mark.parametrize("shape", [(7, 13, 3), (33, 101), (2, 5, 1), (1, 1, 3)])
def test_is_bilinear_with_half_pixel_centres(shape):
    image = random_image(*shape)
    result = preprocess(image, (8, 20))
    assert result.dtype == np.float32 and result.shape == (8, 20, 1)
    assert result.min() >= -1 and result.max() <= 1
    np.testing.assert_allclose(result, reference(image, (8, 20)), rtol=0, atol=3e-5)


def test_grey_is_rounded_before_resizing_and_weighs_colours_as_opencv_does():
    colours = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [1, 1, 1], [255, 255, 255], [1, 0, 0]]], np.uint8)
    grey = preprocess(colours, (1, 6))[0, :, 0] * 127.5 + 127.5
    np.testing.assert_allclose(grey, [76, 150, 29, 1, 255, 0], atol=1e-4)


@pytest.mark.parametrize("shape", SIZES)
@pytest.mark.parametrize("channels", [None, 1, 3])
def test_tensorflow_twin_is_equal(shape, channels):
    image = random_image(*shape, *([channels] if channels else []))
    twin = prepare_tensor(image, FIRST)[0].numpy()
    assert twin.shape == (32, 100, 1)
    np.testing.assert_allclose(twin, preprocess(image), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("image", "format", "options"),
    [
        (random_image(20, 50, 3), "PNG", {}),
        (random_image(20, 50), "PNG", {}),
        (random_image(20, 50, 4), "PNG", {}),
        (random_image(20, 50, 2), "PNG", {}),
        (Image.fromarray(random_image(20, 50, 3)).convert("P"), "PNG", {}),
        (Image.fromarray(random_image(20, 50, 3)).convert("P"), "PNG", {"transparency": 7}),
        (Image.fromarray(random_image(20, 50)).convert("1"), "PNG", {}),
        (random_image(20, 50) // 16 * 17, "PNG", {"bits": 4}),
        (Image.fromarray(np.arange(1000, dtype=np.uint16).reshape(20, 50) * 65), "PNG", {}),
        (random_image(20, 50, 3), "JPEG", {"quality": 90, "subsampling": 0}),
        (random_image(20, 51, 3), "JPEG", {"quality": 75, "subsampling": 2}),
        (random_image(20, 50), "JPEG", {"quality": 60}),
        (random_image(20, 50, 3), "JPEG", {"progressive": True}),
        (random_image(20, 50, 3), "BMP", {}),
        (Image.fromarray(random_image(20, 50, 3)).convert("P"), "GIF", {}),
    ],
)
def test_tensorflow_twin_decodes_the_same_pixels(image, format, options):
    data = encode(image, format, **options)
    np.testing.assert_allclose(
        prepare_tensor(data, FIRST)[0].numpy(), preprocess(decode_image(data)), rtol=0, atol=1e-5
    )


def test_tensorflow_twin_runs_in_a_graph_on_unknown_sizes():
    import tensorflow as tf

    images = [encode(random_image(9, 30, 3), "PNG"), encode(random_image(50, 20, 3), "JPEG")]
    batches = tf.data.Dataset.from_tensor_slices(images).map(lambda data: prepare_tensor(data, FIRST)[0]).batch(2)
    assert batches.element_spec.shape.as_list() == [None, 32, 100, 1]
    expected = np.stack([preprocess(decode_image(data)) for data in images])
    np.testing.assert_allclose(next(iter(batches)).numpy(), expected, atol=1e-5)


@pytest.mark.parametrize("image", [np.zeros((4, 4)), np.zeros((4, 4, 4), np.uint8), np.zeros((0, 4), np.uint8)])
def test_other_arrays_are_refused(image):
    with pytest.raises(ValueError, match="Received: shape="):
        preprocess(image)
    if image.size:
        with pytest.raises(ValueError, match="Received: shape="):
            prepare_tensor(image, FIRST)


def test_transparency_lies_over_white_and_16_bits_keep_the_upper_byte():
    pixels = np.array([[[10, 20, 30, 0], [10, 20, 30, 255], [0, 0, 0, 128]]], np.uint8)
    assert decode_image(encode(pixels, "PNG")).tolist() == [[[255] * 3, [10, 20, 30], [127] * 3]]
    assert decode_image(encode(Image.fromarray(np.array([[0x12FF, 0xFE00]], np.uint16)), "PNG")).tolist() == [
        [0x12, 0xFE]
    ]
    palette = Image.new("P", (2, 1))
    palette.putpalette([1, 2, 3, 200, 100, 50])
    palette.putpixel((1, 0), 1)
    assert decode_image(encode(palette, "PNG", transparency=0)).tolist() == [[[255] * 3, [200, 100, 50]]]


def test_cmyk_webp_and_first_frames():
    cmyk = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    red = decode_image(encode(cmyk, "JPEG", quality=100))
    assert red.shape == (8, 8, 3) and (abs(red.astype(int) - [255, 0, 0]) < 4).all()
    assert decode_image(encode(random_image(5, 6, 3), "WEBP")).shape == (5, 6, 3)
    frames = [Image.new("L", (6, 5), shade) for shade in (40, 200)]
    for format in ("GIF", "TIFF"):
        data = encode(frames[0], format, save_all=True, append_images=frames[1:])
        assert np.unique(decode_image(data)).tolist() == [40]


def test_exif_rotation_is_applied():
    image = np.zeros((8, 16), np.uint8)
    image[:, :8] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = decode_image(encode(image, "PNG", exif=exif))
    assert turned.shape == (16, 8)
    assert turned[:8].min() == 255 and turned[8:].max() == 0
    for kind in ("PNG", "JPEG"):
        assert upright_size(encode(image, kind, exif=exif)) == (16, 8)
        assert upright_size(encode(image, kind)) == (8, 16)


def bomb(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty_file"),
        (b"not an image at all", "not_an_image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not_an_image"),
        (bomb(100_000, 100_000), "too_many_pixels"),
        (bomb(MAX_PIXELS // 8000 + 1, 8000), "too_many_pixels"),
        (encode(random_image(20, 50, 3), "PNG")[:-1500], "broken_image"),
        (encode(random_image(20, 50, 3), "JPEG")[:-600], "broken_image"),
        (b"\x89PNG\r\n", "not_an_image"),
        (encode(random_image(20, 50, 3), "JPEG")[:30], "broken_image"),
        (bomb(50, 50), "broken_image"),
    ],
)
def test_what_cannot_be_read_says_why(data, reason):
    with pytest.raises(ImageError) as caught:
        decode_image(data)
    assert caught.value.reason == reason
    assert "\n" not in str(caught.value)


def test_header_is_read_without_the_pixels():
    data = encode(random_image(20, 50, 3), "PNG")
    assert inspect_image(data[:60]) == ("png", 20, 50)
    assert inspect_image(encode(random_image(3, 4), "JPEG")) == ("jpeg", 3, 4)
    with pytest.raises(ImageError):
        inspect_image(bomb(100_000, 100_000))
    assert inspect_image(data, decode=True) == ("png", 20, 50)
    with pytest.raises(ImageError, match="truncated"):
        inspect_image(data[:-1500], decode=True)


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(
    ("format", "options"),
    [("PNG", {}), ("JPEG", {}), ("GIF", {}), ("BMP", {}), ("TIFF", {"compression": "raw"}), ("WEBP", {})],
)
def test_damaged_files_raise_nothing_else(format, options):
    whole = encode(random_image(12, 16, 3) // 64 * 60, format, **options)
    random = np.random.default_rng(1)
    failures = 0
    for _ in range(150):
        damaged = bytearray(whole)
        for place in random.integers(0, len(whole), 3):
            damaged[place] = random.integers(0, 256)
        try:
            decode_image(bytes(damaged[: random.integers(1, len(whole) + 1)]))
        except ImageError:
            failures += 1
    assert failures > 50
