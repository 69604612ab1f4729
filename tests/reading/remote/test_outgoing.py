"""What travels as it is, and what travels as PNG."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest

from spin_tf.contract.pixels import to_grey
from spin_tf.contract.tensorflow_pixels import decode_tensor
from spin_tf.data.images import decode_image
from spin_tf.reading.remote.outgoing import as_png, decodes_alike, outgoing
from tests.reading.remote import files

ENCODED = files.encoded()
AS_THEY_ARE = {
    "jpeg_exif_1",
    "jpeg_grey",
    "jpeg_grey_progressive",
    "jpeg_colour",
    "jpeg_colour_progressive",
    "jpeg_subsampling_0",
    "jpeg_subsampling_1",
    "jpeg_tall",
    "png_grey",
    "png_colour",
    "png_alpha",
    "png_interlaced_text",
    "png_one_pixel",
}


@pytest.mark.parametrize("name", ENCODED)
def test_tensorflow_decodes_what_travels_to_the_same_pixels(name: str) -> None:
    data = ENCODED[name]
    item = outgoing(data)
    assert item.original == decodes_alike(data) == (name in AS_THEY_ARE)
    for sent in (item.data, as_png(data)):
        np.testing.assert_array_equal(to_grey(decode_tensor(sent).numpy()), to_grey(decode_image(data)))


def test_real_words_travel_alike(shared: pathlib.Path) -> None:
    """Real files where there are some: every word that travels as it is decodes alike."""
    folder = shared / "data" / "real"
    paths = [path for name in ("icdar2015", "iiit5k", "svt", "mjsynth") for path in sorted((folder / name).rglob("*g"))]
    originals = 0
    for path in paths[::40]:
        item = outgoing(path)
        originals += item.original
        np.testing.assert_array_equal(
            to_grey(decode_tensor(item.data).numpy()), to_grey(decode_image(path.read_bytes()))
        )
    assert originals >= 0.9 * len(paths[::40])
