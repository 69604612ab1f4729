#!/usr/bin/env python3
"""What is read of the kinds of crops that users of recognisers complain about, beside RapidOCR, in one run.

    benchmarks/kinds.py --fonts=../shared/data/fonts --output=FOLDER [--model=PATH]... [--kinds=iban,curved] [--num=40]

Draws --num crops of each kind from fonts that are held out of training (--held_out names their families), by --seed: a
crop depends on its kind and number, so other kinds or more crops change none. English and other words come from
wordfreq, `pip install "spin-tf[languages]"`, or English ones from --words. All readers read the same PNG files: every
--model (the bundled one by default) with the options of bin/recognize.py, and RapidOCR's bundled recogniser (the extra
photo; --nopeer leaves it out).

FOLDER gets kinds.md, kinds.json (with every reading) and contact.png; with --save_crops also crops/ with labels.tsv.
--update=docs/kinds.md puts the tables into that document and the contact sheet beside it.

Texts are compared exactly, case and accents included; only the wide forms of East Asian type count as the usual ones
(NFKC), every dash as a hyphen, quotation marks above the line as straight ones, a cedilla below s and t as the comma
there, and spaces do not count unless all models of the run can write one. RapidOCR reads crops whose text runs another
way as it reads those that it finds itself: turned by a quarter where they are tall, and asked for their direction.
"""

from __future__ import annotations

import datetime
import inspect
import io
import json
import pathlib
import platform
import shlex
import sys
import tempfile
import unicodedata
from collections.abc import Sequence
from typing import Any, NamedTuple

from absl import app, flags
from PIL import Image

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from benchmarks.kinds_fonts import FontShelf, read_families
from benchmarks.kinds_report import KindResult, contact_sheet, make_tables, mean_of_kinds
from benchmarks.kinds_table import KINDS, Kind
from benchmarks.kinds_texts import Words
from benchmarks.pages import split_page, write_measured
from benchmarks.peer import start_peer
from spin_tf import ReadError, Recognizer
from spin_tf._extras import MissingExtraError
from spin_tf._files import write_text
from spin_tf._version import __version__
from spin_tf.charset import Charset
from spin_tf.cli import _reading

_PEER_NAME = "RapidOCR"
_SOURCE = "benchmarks/kinds.py"
# Signs that are one for whoever reads a crop: dashes; the cedilla that old files have for Romania's comma; quotation
# marks above the line, straight in some fonts; the degree and what makes a number masculine.
_ALIKE = str.maketrans("\u2010\u2011\u2012\u2013\u2014\u2015\u2212ŞşŢţ“”\u2018\u2019º", "-------ȘșȚț\"\"''°")

_FONTS = flags.DEFINE_string("fonts", None, "folder of fonts, a folder a family", required=True)
_OUTPUT = flags.DEFINE_string("output", None, "folder of what is written", required=True)
_reading.define_turn()
# In the place of the one model of the commands, whose other flags are used as they are.
_MODELS = flags.DEFINE_multi_string("model", [], "model to read with, may be repeated", allow_override=True)
_HELD_OUT = flags.DEFINE_string(
    "held_out",
    str(pathlib.Path(__file__).with_name("held_out_fonts.txt")),
    "file of the font families that training leaves out",
)
_KINDS = flags.DEFINE_list("kinds", [], "kinds to draw; default: all")
_NUM = flags.DEFINE_integer("num", 40, "crops of each kind", 1)
_SEED = flags.DEFINE_integer("seed", 1, "of all that is drawn")
_WORDS = flags.DEFINE_string("words", None, "UTF-8 file of English words, one a line; default: wordfreq's")
_PEER = flags.DEFINE_bool("peer", True, "read with RapidOCR too")
_PEER_PYTHON = flags.DEFINE_string("peer_python", sys.executable, "interpreter that has rapidocr and onnxruntime")
_SAVE_CROPS = flags.DEFINE_bool("save_crops", False, "keep the crops")
_UPDATE = flags.DEFINE_string("update", None, "document whose tables and contact sheet are replaced")


class Crop(NamedTuple):
    """A drawn crop: its kind, label, font file and the bytes of a PNG file."""

    kind: Kind
    label: str
    font: str
    encoded: bytes


class Reading(NamedTuple):
    """A text and how sure the reader is."""

    text: str
    confidence: float


def compared(text: str, with_spaces: bool) -> str:
    """What of a text counts."""
    parts = unicodedata.normalize("NFKC", text.translate(_ALIKE)).split()
    return (" " if with_spaces else "").join(parts)


def chosen_kinds(names: Sequence[str]) -> list[Kind]:
    """The kinds of these names, in the order of the table; all for none.

    Raises:
        ValueError: there is no such kind.
    """
    if unknown := set(names) - {kind.name for kind in KINDS}:
        known = ", ".join(kind.name for kind in KINDS)
        raise ValueError(f"Kinds are {known}. Received: kinds={','.join(sorted(unknown))}")
    return [kind for kind in KINDS if kind.name in names or not names]


def draw(kinds: Sequence[Kind], shelf: FontShelf, words: Words) -> list[Crop]:
    crops = []
    for kind in kinds:
        for index in range(_NUM.value):
            label, image, font = kind.crop(_SEED.value, index, shelf, words)
            file = io.BytesIO()
            image.save(file, "PNG")
            crops.append(Crop(kind, label, font, file.getvalue()))
    return crops


def read_with_model(model: str | None, crops: Sequence[Crop]) -> tuple[Charset, list[Reading]]:
    """Reads all crops; kinds with options of their own get those that a `Recognizer` knows."""
    known = inspect.signature(Recognizer).parameters
    readings: dict[int, Reading] = {}
    charset = None
    asked = [{name: value for name, value in crop.kind.options.items() if name in known} for crop in crops]
    for options in [options for i, options in enumerate(asked) if options not in asked[:i]]:
        recognizer = _reading.open_other(model, **options)
        charset = recognizer.charset
        mine = [index for index, own in enumerate(asked) if own == options]
        for index, word in zip(mine, recognizer.read_many(crops[i].encoded for i in mine), strict=True):
            readings[index] = Reading("", 0.0) if isinstance(word, ReadError) else Reading(word.text, word.confidence)
    assert charset is not None
    return charset, [readings[index] for index in range(len(crops))]


def read_with_peer(crops: Sequence[Crop]) -> list[Reading]:
    with tempfile.TemporaryDirectory() as folder:
        directions = [crop.kind.has_direction for crop in crops]
        read = start_peer(_PEER_PYTHON.value, 1, [crop.encoded for crop in crops], folder, directions)
        answer = read()
    return list(map(Reading, answer["texts"], answer["confidences"]))


def count(
    crops: Sequence[Crop], readings: Sequence[Reading], charset: Charset | None, with_spaces: bool
) -> dict[str, KindResult]:
    """Counts by kind; what the charset folds is folded in the labels too."""
    results: dict[str, KindResult] = {}
    for crop, reading in zip(crops, readings, strict=True):
        result = results.setdefault(crop.kind.name, KindResult())
        label = charset.fold(crop.label) if charset else crop.label
        right = result.score.add(compared(label, with_spaces), compared(reading.text, with_spaces), "exact")
        result.spaced.add(compared(label, True), compared(reading.text, True), "exact")
        result.pairs.append((reading.confidence, bool(right)))
        if charset and charset.unknown(compared(label, False)):
            result.unwritable.append(reading.confidence)
    return results


def save_crops(folder: pathlib.Path, crops: Sequence[Crop]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for index, crop in enumerate(crops):
        name = f"{crop.kind.name}_{index % _NUM.value:03d}.png"
        (folder / name).write_bytes(crop.encoded)
        lines.append(f"{name}\t{crop.label}\n")
    write_text(str(folder / "labels.tsv"), "".join(lines))


def command_line() -> str:
    """The command of this run, without what says where its results go."""
    places = ("--output", "--update", "--save_crops", "--nosave_crops")
    return shlex.join([_SOURCE, *(part for part in sys.argv[1:] if part.split("=")[0] not in places)])


def main(_: list[str]) -> None:
    kinds = chosen_kinds(_KINDS.value)
    if _UPDATE.value:
        split_page(_UPDATE.value, _SOURCE)
    crops = draw(kinds, FontShelf(_FONTS.value, read_families(_HELD_OUT.value)), Words(_WORDS.value))
    output = pathlib.Path(_OUTPUT.value)
    output.mkdir(parents=True, exist_ok=True)
    pictures: dict[str, list[Image.Image]] = {}
    for crop in crops:
        pictures.setdefault(crop.kind.name, []).append(Image.open(io.BytesIO(crop.encoded)))
    sheet = contact_sheet(kinds, pictures)
    sheet.save(output / "contact.png", optimize=True)
    if _SAVE_CROPS.value:
        save_crops(output / "crops", crops)
    read: dict[str, tuple[Charset | None, list[Reading]]] = {}
    for model in _MODELS.value or [None]:
        read[f"spin_tf, {model or 'bundled model'}"] = read_with_model(model, crops)
    charsets = [charset for charset, _ in read.values() if charset]
    with_spaces = all(" " in charset.characters for charset in charsets)
    if _PEER.value:
        read[_PEER_NAME] = None, read_with_peer(crops)
    results = {name: count(crops, readings, charset, with_spaces) for name, (charset, readings) in read.items()}
    counted = [kind for kind in kinds if not kind.is_extra] or kinds
    about = (
        f"`{command_line()}`: {_NUM.value} crops a kind, seed {_SEED.value}; spaces are "
        f"{'' if with_spaces else 'not '}compared. spin_tf {__version__}, Python {platform.python_version()}, "
        f"{datetime.date.today()}."
    )
    text = "\n\n".join([about, make_tables(kinds, results, _PEER_NAME if _PEER.value else None, with_spaces)]) + "\n"
    print(text)
    write_text(str(output / "kinds.md"), text)
    summary: dict[str, Any] = {
        "command": command_line(),
        "seed": _SEED.value,
        "num": _NUM.value,
        "with_spaces": with_spaces,
        "readers": {
            name: {
                "mean_of_kinds": mean_of_kinds(each, counted),
                "kinds": {kind.name: each[kind.name].to_dict() for kind in kinds},
            }
            for name, each in results.items()
        },
        "crops": [
            {
                "kind": crop.kind.name,
                "label": crop.label,
                "font": pathlib.Path(crop.font).stem,
                "readings": {name: readings[index]._asdict() for name, (_, readings) in read.items()},
            }
            for index, crop in enumerate(crops)
        ],
    }
    write_text(str(output / "kinds.json"), json.dumps(summary, indent=1, ensure_ascii=False) + "\n")
    if _UPDATE.value:
        write_measured(_UPDATE.value, _SOURCE, text)
        sheet.save(pathlib.Path(_UPDATE.value).with_suffix(".png"), optimize=True)


if __name__ == "__main__":
    try:
        app.run(main)
    except (MissingExtraError, OSError, ValueError) as problem:
        sys.exit(f"error: {problem}")
