"""Writes what the tests of the page read, and what spin_tf answers: python prepare.py FOLDER [--shared=../shared]

FOLDER/float.tflite is there already: weights that ship, exported with --quantization=none.

FOLDER/words: word images, real ones where the research data lie beside the clone, drawn ones elsewhere;
FOLDER/files: one image file of each kind that preprocessing treats in a way of its own; FOLDER/expected.json;
FOLDER/photos: see prepare_photos.py.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import json
import pathlib
import shutil
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from prepare_photos import prepare as prepare_photos

from spin_tf.contract.errors import ImageError
from spin_tf.contract.preprocessing import Preprocessing
from spin_tf.contract.turning import is_tall, turned_views
from spin_tf.data.images import decode_image
from spin_tf.recognizer import Recognizer
from spin_tf.synthesis import WordSynthesizer

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
NUM_WORDS = 400
NUM_TALL = 15
ORIENTATION = 0x0112
FIRST, SECOND = Preprocessing((32, 128), number=1), Preprocessing((32, 128), (32, 256), number=2)


def find_real_words(folder: pathlib.Path) -> list[pathlib.Path]:
    """Photographed words that no model was trained on, the tall ones first."""
    names = (folder / "validation.txt").read_text(encoding="utf-8-sig").split()
    paths = [folder / name for name in names]
    tall, others = [], []
    for path in paths:
        with Image.open(path) as image:
            (tall if is_tall(image.height, image.width) else others).append(path)
    return tall + others[:: max(1, len(others) // (NUM_WORDS - len(tall)))][: NUM_WORDS - len(tall)]


def draw_words(folder: pathlib.Path) -> list[pathlib.Path]:
    """Words of the project's own synthesis, some of them turned."""
    synthesizer = WordSynthesizer()
    paths = []
    for i in range(NUM_WORDS):
        image, _ = synthesizer.word(i)
        path = folder / f"drawn_{i:03d}.png"
        Image.fromarray(np.rot90(image, 1 if i % 2 else -1) if i < NUM_TALL else image).save(path)
        paths.append(path)
    return paths


def as_json(image: bytes | pathlib.Path, recognizer: Recognizer) -> dict[str, Any]:
    word = recognizer.read(image)
    return {
        "text": word.text,
        "confidence": word.confidence,
        "turned": word.turned,
        "truncated": word.truncated,
        "characters": [[c.character, c.confidence, c.x] for c in word.characters],
    }


def inputs(pixels: np.ndarray, preprocessing: Preprocessing) -> dict[str, bytes]:
    """What a model is to read of a picture: by degrees, float32 by rows."""
    views = turned_views(pixels, preprocessing, "auto")
    return {str(degrees): view.astype("<f4").tobytes() for degrees, (view,) in views.items()}


def encoded_inputs(pixels: np.ndarray, preprocessing: Preprocessing) -> dict[str, Any]:
    return {
        "number": preprocessing.number,
        "size": preprocessing.image_size,
        "wideSize": preprocessing.wide_image_size,
        "views": {key: base64.b64encode(view).decode() for key, view in inputs(pixels, preprocessing).items()},
    }


def scene() -> Image.Image:
    """A picture with colours, edges and a word; no two of its eight orientations look the same."""
    rng = np.random.default_rng(1)
    rows, columns = np.mgrid[0:47, 0:131]
    colours = np.stack([columns * 0.9, rows * 1.6, 120 - columns * 0.7], axis=-1) + rng.normal(0, 6, (47, 131, 3))
    image = Image.fromarray(np.clip(colours, 0, 255).astype(np.uint8))
    ImageDraw.Draw(image).text((12, 4), "Market", fill=(255, 255, 240), font=ImageFont.load_default(34))
    return image


def image_files() -> dict[str, bytes]:
    """One file of each kind."""
    picture = scene()
    alpha = Image.fromarray(np.random.default_rng(2).integers(0, 256, (47, 131), dtype=np.uint8).astype(np.uint8))
    deep = Image.fromarray((np.asarray(picture.convert("L")).astype(np.uint16) * 257 - 100).astype(np.uint16))
    palette = picture.quantize(64)

    def encode(image: Image.Image, file_format: str, **options: Any) -> bytes:
        buffer = io.BytesIO()
        image.save(buffer, file_format, **options)
        return buffer.getvalue()

    def with_alpha(mode: str) -> Image.Image:
        image = picture.convert(mode)
        image.putalpha(alpha)
        return image

    def ink(grey: int, alpha: int = 255) -> Image.Image:
        """A word on nothing: light ones lie over black, all others over white."""
        image = Image.new("RGBA", (131, 47), (0, 0, 0, 0))
        ImageDraw.Draw(image).text((12, 4), "Market", fill=(grey, grey, grey, alpha), font=ImageFont.load_default(34))
        return image

    files = {
        "rgb.png": encode(picture, "PNG"),
        "grey.png": encode(picture.convert("L"), "PNG"),
        "bilevel.png": encode(picture.convert("1"), "PNG"),
        "rgba.png": encode(with_alpha("RGBA"), "PNG"),
        "grey_alpha.png": encode(with_alpha("LA"), "PNG"),
        "light_ink.png": encode(ink(255), "PNG"),
        "dark_ink.png": encode(ink(30), "PNG"),
        "faint_ink.png": encode(ink(255, 120), "PNG"),
        "light_palette.png": encode(ink(240).quantize(32), "PNG"),
        "palette.png": encode(palette, "PNG"),
        "palette_alpha.png": encode(palette, "PNG", transparency=bytes(range(0, 256, 4))),
        "colour_key.png": encode(picture, "PNG", transparency=picture.getpixel((3, 3))),
        "deep_grey.png": encode(deep, "PNG"),
        "colour.jpg": encode(picture, "JPEG", quality=90, subsampling=0),
        "subsampled.jpg": encode(picture, "JPEG", quality=80, subsampling=2),
        "progressive.jpg": encode(picture, "JPEG", quality=80, progressive=True),
        "grey.jpg": encode(picture.convert("L"), "JPEG"),
        "first_frame.gif": encode(palette, "GIF", save_all=True, append_images=[palette.rotate(180)]),
        "transparent.gif": encode(palette, "GIF", transparency=7),
        "colour.bmp": encode(picture, "BMP"),
        "lossless.webp": encode(with_alpha("RGBA"), "WEBP", lossless=True, exact=True),
        "lossy.webp": encode(picture, "WEBP", quality=80),
        "tall.png": encode(picture.rotate(90, expand=True), "PNG"),
        "tall_other_way.png": encode(picture.rotate(-90, expand=True), "PNG"),
        "one_pixel.png": encode(picture.crop((60, 20, 61, 21)), "PNG"),
    }
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        files[f"orientation_{orientation}.jpg"] = encode(picture, "JPEG", quality=90, subsampling=0, exif=exif)
    return files


def broken_files() -> dict[str, bytes]:
    """Files that spin_tf refuses."""
    files = image_files()
    return {
        "empty.png": b"",
        "text.png": b"this is no image\n" * 40,
        "header_only.jpg": files["colour.jpg"][:160],
        "cut.jpg": files["colour.jpg"][: len(files["colour.jpg"]) // 2],
        "cut.png": files["rgb.png"][: len(files["rgb.png"]) // 2],
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--shared", type=pathlib.Path, default=REPOSITORY.parent / "shared")
    arguments = parser.parse_args()
    words, files, photos = (arguments.folder / name for name in ("words", "files", "photos"))
    for folder in (words, files, photos):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    prepare_photos(photos, arguments.shared)
    recognizer = Recognizer(num_threads=1)
    real = (arguments.shared / "data" / "real" / "validation.txt").is_file()
    expected: dict[str, Any] = {"real": real, "words": {}, "float": {}, "inputs": {}, "files": {}, "broken": []}
    float_recognizer = Recognizer(arguments.folder / "float.tflite", num_threads=1)
    for i, source in enumerate(find_real_words(arguments.shared / "data" / "real") if real else draw_words(words)):
        name = f"{i:03d}{source.suffix}"
        (shutil.copy if real else shutil.move)(source, words / name)
        expected["words"][f"words/{name}"] = as_json(words / name, recognizer)
        expected["float"][f"words/{name}"] = as_json(words / name, float_recognizer)
        views = inputs(decode_image((words / name).read_bytes()), SECOND)
        expected["inputs"][f"words/{name}"] = {key: hashlib.sha256(view).hexdigest() for key, view in views.items()}
    for name, content in image_files().items():
        (files / name).write_bytes(content)
        pixels = decode_image(content)
        expected["files"][f"files/{name}"] = {
            **as_json(content, recognizer),
            "size": [pixels.shape[1], pixels.shape[0]],
            "views": [encoded_inputs(pixels, preprocessing) for preprocessing in (FIRST, SECOND)],
        }
    for name, content in broken_files().items():
        (files / name).write_bytes(content)
        try:
            decode_image(content)
        except ImageError:
            expected["broken"].append(f"files/{name}")
    (arguments.folder / "expected.json").write_text(json.dumps(expected))


if __name__ == "__main__":
    main()
