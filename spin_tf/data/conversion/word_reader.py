"""From an entry of a source to a word that can be written, or the reason why not."""

from __future__ import annotations

import dataclasses
from typing import Literal

import numpy as np

from spin_tf._types import JsonObject
from spin_tf.charset import Charset, LabelError, Tokenizer
from spin_tf.contract.errors import ImageError
from spin_tf.data.conversion.cropping import crop, encode_crop
from spin_tf.data.conversion.entry import Entry, EntryError, read_file
from spin_tf.data.conversion.sources import lmdb_folder, tfrecord_files
from spin_tf.data.conversion.statistics import Statistics
from spin_tf.data.images import ImageInfo, decode_image, inspect_image
from spin_tf.data.plain_images import as_both_read, decodes_alike
from spin_tf.data.records.word_example import WordExample

_LABEL_REASONS = {"empty": "empty_label", "too_long": "too_long", "character": "character_outside_charset"}
_MAX_DETAIL = 300
# Stands in where any character is allowed: empty and too long labels are found before characters are looked at.
_ANY = {"characters": "0"}


@dataclasses.dataclass(frozen=True)
class Checks:
    """What a word must meet to be kept.

    Args:
        charset: as `Charset.to_dict` gives it; labels are checked against it but written unchanged. None for any.
        max_length: the longest label.
        min_size: the smallest height and width of an image in pixels.
        image_check: `"decode"` decodes every picture, `"header"` reads format and size only.
    """

    charset: JsonObject | None
    max_length: int = 25
    min_size: int = 2
    image_check: Literal["decode", "header"] = "decode"


class WordReader:
    """Reads words; keeps the last full picture, since the words of one picture come one after the other."""

    def __init__(self, checks: Checks) -> None:
        self.checks = checks
        self._tokenizer = Tokenizer(Charset.from_dict(checks.charset or _ANY), checks.max_length)
        self._picture_path = ""
        self._picture: tuple[np.ndarray, str] | ImageError | EntryError | None = None

    def read(self, entry: Entry, statistics: Statistics, seen: set[str]) -> WordExample | None:
        """Reads and checks one word, and counts it.

        Args:
            entry: from a source.
            statistics: where the word is counted, as kept or rejected.
            seen: the ids of the entries before; this one's is added.

        Returns:
            The word, or None when it is rejected.
        """
        text = entry.text
        try:
            if entry.problem:
                raise EntryError(entry.detail, entry.problem)
            if entry.source_id in seen:
                raise EntryError(f"The id has occurred before. Received: source_id={entry.source_id!r}", "duplicate_id")
            seen.add(entry.source_id)
            if text is not None:
                self._check_label(text)
            word = self._load(entry)
            if text is None:
                text = word.text
                self._check_label(text)
            word, info = self._check_image(word, bool(entry.box))
        except LabelError as error:
            statistics.unknown_characters.update(error.characters)
            statistics.reject(_LABEL_REASONS[error.reason], _example(entry, text, error))
            return None
        except ImageError as error:
            statistics.reject("unreadable_image", _example(entry, text, error))
            return None
        except EntryError as error:
            statistics.reject(error.reason, _example(entry, text, error))
            return None
        statistics.keep(text, info.height, info.width, info.format, _example(entry, text))
        return word

    def _check_label(self, text: str) -> None:
        if any("\ud800" <= c <= "\udfff" for c in text):
            raise EntryError(f"No UTF-8 text can hold this label. Received: text={text!a}", "label_not_utf8")
        try:
            self._tokenizer.check(text)
        except LabelError as error:
            if error.reason != "character" or self.checks.charset is not None:
                raise

    def _load(self, entry: Entry) -> WordExample:
        if entry.box:
            picture, format = self._full_picture(entry.path)
            encoded, format = encode_crop(crop(picture, entry.box), format)
            return WordExample(encoded, entry.text or "", entry.source_id, format)
        if entry.text is None:
            word = tfrecord_files.read(entry.path, entry.key)
            return dataclasses.replace(word, source_id=word.source_id or entry.source_id)
        encoded = lmdb_folder.read(entry.path, entry.key) if entry.key else read_file(entry.path)
        return WordExample(encoded, entry.text, entry.source_id)

    def _full_picture(self, path: str) -> tuple[np.ndarray, str]:
        if path != self._picture_path:
            self._picture_path = path
            try:
                data = read_file(path)
                self._picture = decode_image(data), inspect_image(data).format
            except (ImageError, EntryError) as error:
                self._picture = error
        if isinstance(self._picture, Exception):
            raise self._picture
        assert self._picture is not None
        return self._picture

    def _check_image(self, word: WordExample, cut_out: bool) -> tuple[WordExample, ImageInfo]:
        """Returns the word as it is stored, and what its picture was."""
        # A word that has just been cut out and encoded here need not be decoded again.
        info = inspect_image(word.encoded, self.checks.image_check == "decode" and not cut_out)
        if min(info.height, info.width) < self.checks.min_size:
            raise EntryError(
                f"Images have at least {self.checks.min_size} pixels in height and width. "
                f"Received: {info.width} x {info.height}",
                "too_small",
            )
        if cut_out or decodes_alike(word.encoded):
            return dataclasses.replace(word, format=info.format), info
        # Training would read it otherwise, or not at all.
        return dataclasses.replace(word, encoded=as_both_read(word.encoded), format="png"), info


def _example(entry: Entry, text: str | None, error: Exception | None = None) -> JsonObject:
    return {
        "source_id": entry.source_id,
        "text": text,
        "detail": str(error)[:_MAX_DETAIL] if error else "",
        "path": entry.path,
        "box": list(entry.box),
        "key": entry.key,
    }
