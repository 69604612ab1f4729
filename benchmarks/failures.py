#!/usr/bin/env python3
"""What a model reads badly, by kind of picture: generated words on which one family of effects is forced.

    benchmarks/failures.py [--model=PATH] [--fonts=DIR] [--lexicon=FILE] [--backgrounds=DIR] [--output=failures.png]
        [--json=FILE]

The words are the same for every kind, plain but for the one family, so the column of differences says what that family
costs. The picture shows words that were read plain and failed with the family: label, reading and confidence.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
import sys

import numpy as np
from absl import app, flags
from PIL import Image, ImageDraw, ImageFont

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from spin_tf import Recognizer
from spin_tf._files import write_text
from spin_tf.charset import Charset
from spin_tf.evaluation.metrics import Score, normalize
from spin_tf.recognizer import Word
from spin_tf.synthesis import SynthesisConfig, WordSynthesizer
from spin_tf.synthesis.alphabet import DrawableWords
from spin_tf.synthesis.fonts import find_fonts
from spin_tf.synthesis.textures import find_photographs

_MODEL = flags.DEFINE_string("model", None, "What reads; default: the bundled model.")
_FONTS = flags.DEFINE_string("fonts", None, "Folder of fonts; default: those of the system, or Pillow's own.")
_LEXICON = flags.DEFINE_list("lexicon", None, "Word lists, comma separated; default: a small vocabulary.")
_BACKGROUNDS = flags.DEFINE_string("backgrounds", None, "Folder of photographs; default: textures.")
_WORDS = flags.DEFINE_integer("words", 400, "Words of each kind.", 10)
_SEED = flags.DEFINE_integer("seed", 1 << 50, "Of the first word; far from those that training draws.", 0)
_OUTPUT = flags.DEFINE_string("output", None, "PNG file of failures, a row a kind.")
_JSON = flags.DEFINE_string("json", None, "File for the same figures.")

KINDS = {
    "plain": (),
    "curved": ("curve",),
    "turned": ("rotation",),
    "running up or down": ("vertical",),
    "perspective": ("perspective",),
    "cut tightly": ("tight_crop",),
    "among other words": ("neighbours",),
    "low resolution": ("low_resolution",),
    "out of focus": ("blur",),
    "moved": ("motion_blur",),
    "faint": ("low_contrast",),
    "partly hidden": ("occlusion",),
    "over- or under-exposed": ("exposure",),
    "outlined, shadowed, embossed": ("outline", "shadow", "emboss"),
    "on a photograph": ("photograph",),
    "everything, as in training": None,
}
_SHOWN, _SCALE, _LABEL = 6, 2, 210


def configuration(families: tuple[str, ...] | None) -> SynthesisConfig:
    """Plain words with some families of effects on every word; None is what training uses."""
    if families is None:
        return SynthesisConfig()
    plain = dataclasses.replace(SynthesisConfig().scaled(0.0), clean=0.0)
    return dataclasses.replace(plain, **dict.fromkeys(families, 1.0))


def main(_: list[str]) -> None:
    lexicon = DrawableWords.read(_LEXICON.value, Charset.from_spec("94")).words if _LEXICON.value else None
    synthesizer = WordSynthesizer(
        find_fonts(_FONTS.value) if _FONTS.value else None,
        lexicon,
        find_photographs(_BACKGROUNDS.value) if _BACKGROUNDS.value else None,
    )
    recognizer = Recognizer(_MODEL.value)
    seeds = range(_SEED.value, _SEED.value + _WORDS.value)
    rows: list[tuple[str, list[tuple[np.ndarray, str, Word]]]] = []
    readable: set[int] = set()
    figures = {}
    print("| kind | words | word accuracy | 1 - NED |\n|---|---:|---:|---:|")
    for kind, families in KINDS.items():
        synthesizer.config = configuration(families)
        words = [synthesizer.word(seed) for seed in seeds]
        readings = recognizer.read([image for image, _ in words])
        score, failures = Score(), []
        for i, ((image, label), reading) in enumerate(zip(words, readings, strict=True)):
            right = score.add(label, reading.text)
            if kind == "plain" and right:
                readable.add(i)
            elif right is False and (i in readable or families is None):
                failures.append((image, label, reading))
        rows.append((kind, failures[:_SHOWN]))
        figures[kind] = {
            "words": score.words, "correct": score.correct, "one_minus_ned": score.one_minus_ned
        }  # fmt: skip
        print(f"| {kind} | {score.words} | {100 * score.word_accuracy:.1f} | {100 * score.one_minus_ned:.1f} |")
    if _JSON.value:
        write_text(_JSON.value, json.dumps(figures, indent=1) + "\n")
    if _OUTPUT.value:
        draw([row for row in rows if row[1]]).save(_OUTPUT.value, optimize=True)


def draw(rows: list[tuple[str, list[tuple[np.ndarray, str, Word]]]]) -> Image.Image:
    """A row a kind: its name, then the pictures with label, reading and confidence below."""
    font = ImageFont.load_default(13)
    height, width = rows[0][1][0][0].shape
    cell = width * _SCALE + 10, height * _SCALE + 26
    sheet = Image.new("L", (_LABEL + _SHOWN * cell[0], len(rows) * cell[1]), 255)
    pen = ImageDraw.Draw(sheet)
    for i, (kind, failures) in enumerate(rows):
        pen.text((6, i * cell[1] + 24), kind, fill=0, font=font)
        for j, (image, label, reading) in enumerate(failures):
            x, y = _LABEL + j * cell[0], i * cell[1] + 4
            sheet.paste(
                Image.fromarray(image).resize((width * _SCALE, height * _SCALE), Image.Resampling.BICUBIC), (x, y)
            )
            read = normalize(reading.text) or "nothing"
            text = f"{normalize(label)} > {read} {reading.confidence:.2f}"
            pen.text((x, y + height * _SCALE + 2), text[:28], fill=0, font=font)
    return sheet.quantize(32)


if __name__ == "__main__":
    app.run(main)
