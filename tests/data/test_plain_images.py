"""One contract for two decoders: what is converted, trained on and read is the same picture, whatever the file."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from spin_tf.charset import Charset, Tokenizer
from spin_tf.config import DataConfig, SourceConfig
from spin_tf.contract.pixels import to_grey
from spin_tf.contract.preprocessing import Preprocessing, preprocess
from spin_tf.contract.tensorflow_pixels import decode_tensor
from spin_tf.data.feeding.pipeline import TrainingWords
from spin_tf.data.images import decode_image
from spin_tf.data.plain_images import as_both_read, decodes_alike
from spin_tf.data.records.tfrecord import ShardWriter, WordExample
from tests.data.samples import run, words_of, write
from tests.fuzz.images import image_seeds, word_picture


def encode(image, file_format, **options):
    stream = io.BytesIO()
    image.save(stream, file_format, **options)
    return stream.getvalue()


def files():
    """Every seed of the fuzz tests, and what decoders are known to differ on."""
    rgb = word_picture()
    grey = rgb.convert("L")
    exif = {turn: Image.Exif() for turn in range(1, 9)}
    for turn, value in exif.items():
        value[0x0112] = turn
    ink = Image.new("RGBA", rgb.size, (0, 0, 0, 0))
    ink.putalpha(grey.point(lambda value: 255 - value))
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf tiff:Orientation="6"/></x:xmpmeta>'
    plain = encode(rgb, "JPEG", quality=90)
    return {
        **image_seeds(),
        **{f"jpeg_turned_{turn}": encode(rgb, "JPEG", exif=value) for turn, value in exif.items()},
        "png_turned": encode(rgb, "PNG", exif=exif[6]),
        "jpeg_turned_by_xmp": plain[:2] + b"\xff\xe1" + _segment(b"http://ns.adobe.com/xap/1.0/\0" + xmp) + plain[2:],
        "jpeg_of_broken_exif": plain[:2] + b"\xff\xe1" + _segment(b"Exif\0\0II*\0\xff\xff\xff\xff") + plain[2:],
        "png_grey_transparent_white": encode(grey, "PNG", transparency=255),
        "png_ink_on_transparency": encode(ink, "PNG"),
        "png_palette_ink_on_transparency": encode(ink.quantize(8), "PNG"),
        "gif_ink_on_transparency": encode(ink.quantize(8), "GIF"),
        "bmp_32": encode(rgb.convert("RGBA"), "BMP"),
        "png_4_bits": encode(grey.quantize(16), "PNG", bits=4),
        "jpeg_422": encode(rgb, "JPEG", subsampling=1),
        "jpeg_restart": encode(rgb, "JPEG", restart_marker_blocks=2),
    }


def _segment(body):
    return struct.pack(">H", len(body) + 2) + body


FILES = files()


@pytest.mark.parametrize("name", FILES)
def test_both_decoders_read_what_is_stored_alike(name):
    data = FILES[name]
    stored = as_both_read(data)
    np.testing.assert_array_equal(to_grey(decode_tensor(tf.constant(stored)).numpy()), to_grey(decode_image(data)))
    assert (stored == data) == decodes_alike(data)


def test_common_files_are_stored_as_they_are():
    alike = {name for name, data in FILES.items() if decodes_alike(data)}
    assert {"png_rgb", "png_grey", "jpeg_rgb", "jpeg_grey", "jpeg_progressive", "jpeg_turned_1", "jpeg_422"} <= alike
    assert not alike & {"jpeg_cmyk", "jpeg_turned_6", "png_turned", "tiff_raw", "bmp_1", "webp_lossy", "pnm_ppm"}
    # Cut off inside its header.
    assert not any(decodes_alike(FILES["jpeg_rgb"][:size]) for size in range(100))


def test_every_format_converts_trains_and_reads_as_one_picture(tmp_path):
    """From a label file to the batch of a training step: the pixels are those that reading makes of the file."""
    for name, data in FILES.items():
        write(tmp_path / "in" / name, data)
    labels = "".join(f"{name}\tw{i}\n" for i, name in enumerate(FILES))
    report = run("tsv", [str(write(tmp_path / "in" / "l.txt", labels))], tmp_path / "out")
    assert report["kept"] == len(FILES), report["rejected"]
    stored = {word.source_id: word for word in words_of(tmp_path / "out")}
    assert {word.format for word in stored.values()} == {"png", "jpeg"}
    assert stored["jpeg_rgb"].encoded == FILES["jpeg_rgb"]
    _check_training(tmp_path / "out", len(FILES))


def test_records_of_others_train_as_they_read(tmp_path):
    with ShardWriter(str(tmp_path / "w"), 1) as writer:
        for i, (name, data) in enumerate(FILES.items()):
            writer.write(WordExample(data, f"w{i}", name, ""))
    _check_training(tmp_path / "w", len(FILES))


def _check_training(prefix, count):
    config = DataConfig(train={"a": SourceConfig(files=[f"{prefix}-*"], augmentation=0.0)})
    words = TrainingWords(config, Tokenizer(Charset.from_spec("36")), count, 1, 0)
    batch = next(iter(words.dataset(Preprocessing((32, 100)), 0, 1)))
    examples, _ = words.read(words.make_sampler(), 0)
    for image, example in zip(batch["image"].numpy(), examples, strict=True):
        np.testing.assert_allclose(image, preprocess(decode_image(FILES[example.source_id])), atol=1e-5)
    assert {example.source_id for example in examples} == set(FILES)
