"""Measures finding and reading words in photographs with labels: ICDAR 2015, Total-Text, COCO-Text, JSON lines.

bin/evaluate_photos.py [--detector=FILE] [--model=PATH] --data=NAME=LABELS[,IMAGES]... [--output=DIR]
bin/evaluate_photos.py --readings=words.jsonl --data=NAME=LABELS[,IMAGES]... [--output=DIR]

LABELS is a folder of gt_*.txt (ICDAR 2015) or poly_gt_*.mat or .txt (Total-Text), a .json of COCO-Text, or a .jsonl
with a line a photograph: image, words of text and polygon, "###" for what nobody can read. IMAGES is the folder of the
pictures; without it they are looked for beside the labels. --readings compares what bin/read_photo.py --format=jsonl
wrote, here or elsewhere, by the names of the files.

The table has a line a set: precision, recall and their harmonic mean of finding (ICDAR 2015, task 4.1: one to one,
intersection over union above 0.5, illegible words count for nothing) and end to end (task 4.4: the text is right as
well; words of fewer than three letters count for nothing). With --output, DIR gets results.json, results.md,
readings.jsonl and photos.html, a page of the photographs with what was missed, invented and misread.
"""

from __future__ import annotations

import json
import math
import os

from absl import flags

from spin_tf._files import check_output_folder, write_text
from spin_tf._progress import ProgressBar
from spin_tf.cli import _photos
from spin_tf.cli._run import UserError, flags_only, without_native_chatter
from spin_tf.cli._streams import say
from spin_tf.evaluation import photo_report
from spin_tf.evaluation.photo_labels import LabelledPhoto, read_labels
from spin_tf.evaluation.photo_protocol import COMPARISONS, MIN_LETTERS, PlacedWord
from spin_tf.photo.words import Photo
from spin_tf.recognizer import ReadError

flags.adopt_module_key_flags(_photos)

_DATA = flags.DEFINE_multi_string("data", [], "NAME=LABELS[,IMAGES]: a set of labelled photographs; may be repeated")
_READINGS = flags.DEFINE_string("readings", None, "JSON lines of bin/read_photo.py in place of reading anew")
_OUTPUT = flags.DEFINE_string("output", None, "folder for results.json, results.md, readings.jsonl and photos.html")
_COMPARISON = flags.DEFINE_enum(
    "comparison",
    COMPARISONS[0],
    COMPARISONS,
    "alphanumeric: lower case, 0-9a-z only; icdar: either case, one mark at the ends of a label may be missing",
)
_MIN_LETTERS = flags.DEFINE_integer(
    "min_letters", MIN_LETTERS, "end to end, shorter labels count for nothing", lower_bound=0
)
_PAGE_SIZE = flags.DEFINE_integer("page_size", 100, "photographs of photos.html, most mistakes first", lower_bound=0)


def named_photos() -> list[LabelledPhoto]:
    """The photographs of all --data.

    Raises:
        UserError: no --data, or one that is not NAME=LABELS.
    """
    if not _DATA.value:
        raise UserError("name at least one set of labelled photographs: --data=NAME=LABELS[,IMAGES]")
    photos = []
    for value in _DATA.value:
        name, separator, places = value.partition("=")
        labels, _, images = places.partition(",")
        if not (name and separator and labels):
            raise UserError(f"a set is given as NAME=LABELS or NAME=LABELS,IMAGES. Received: --data={value}")
        photos += read_labels(labels, images or None, name)
    return photos


def _words_of(photo: Photo) -> list[PlacedWord]:
    return [PlacedWord(word.text, word.polygon, confidence=word.confidence) for word in photo]


def read_all(photos: list[LabelledPhoto]) -> list[list[PlacedWord] | None]:
    """Reads every photograph; None for one that cannot be read, with a line on stderr."""
    reader = _photos.open_reader()
    readings: list[list[PlacedWord] | None] = []
    with without_native_chatter(), ProgressBar(len(photos), "photographs") as bar:
        for photo, answer in zip(photos, reader.read_many([photo.path for photo in photos]), strict=True):
            if isinstance(answer, ReadError):
                say(f"{photo.path}: {answer.reason}; all of its words count as missed")
            readings.append(None if isinstance(answer, ReadError) else _words_of(answer))
            bar.move_to(len(readings))
    return readings


def find_readings(path: str, photos: list[LabelledPhoto]) -> list[list[PlacedWord] | None]:
    """Takes the readings of a file of JSON lines, by the path of the photograph or else by its name.

    Raises:
        UserError: a line of something else.
    """
    by_name: dict[str, list[PlacedWord]] = {}
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            try:
                record = json.loads(line)
                words = [
                    PlacedWord(
                        str(word["text"]),
                        [[float(x), float(y)] for x, y in word["polygon"]],
                        confidence=float(word.get("confidence", 1.0)),
                    )
                    for word in record["words"]
                ]
                by_name.setdefault(record["path"], words)
                by_name.setdefault(os.path.basename(record["path"]), words)
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
                raise UserError(
                    f"readings are lines of bin/read_photo.py --format=jsonl. Received: line {number} of {path}"
                ) from error
    readings = [by_name.get(photo.path, by_name.get(os.path.basename(photo.path))) for photo in photos]
    for photo, answer in zip(photos, readings, strict=True):
        if answer is None:
            say(f"{photo.path}: not among the readings; all of its words count as missed")
    return readings


def main(argv: list[str]) -> int:
    flags_only(argv)
    photos = named_photos()
    if _OUTPUT.value:
        check_output_folder(_OUTPUT.value)
    readings = find_readings(_READINGS.value, photos) if _READINGS.value else read_all(photos)
    results = [
        photo_report.compare(photo, words, _COMPARISON.value, _MIN_LETTERS.value)
        for photo, words in zip(photos, readings, strict=True)
    ]
    table = photo_report.make_table(results)
    print(table)
    if math.isnan(photo_report.sums(results)["all"].found.hmean):
        raise UserError("photographs without a legible word measure nothing. Received: " + ", ".join(_DATA.value))
    if _OUTPUT.value:
        settings = {"readings": _READINGS.value} if _READINGS.value else _photos.settings()
        settings |= {"comparison": _COMPARISON.value, "min_letters": _MIN_LETTERS.value}
        photo_report.write(_OUTPUT.value, results, table, settings)
        page = photo_report.make_page(results, _PAGE_SIZE.value)
        write_text(os.path.join(_OUTPUT.value, "photos.html"), page, errors="backslashreplace")
    return 0 if all(words is not None for words in readings) else 1
