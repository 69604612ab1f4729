"""What an exported model says about itself, checked before anything relies on it."""

from __future__ import annotations

import io
import json
import math
import os
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np

from spin_tf._input_files import check_regular
from spin_tf._types import JsonObject
from spin_tf.charset import Charset, Tokenizer
from spin_tf.contract.constants import (
    DETECTOR_KIND,
    FIRST_PREPROCESSING,
    MAX_LENGTH,
    MAX_SIDE,
    METADATA_FILE,
    METADATA_FORMAT,
    METADATA_KEYS,
    METADATA_MAX_BYTES,
    PREPROCESSING,
)

_CHUNK = 1 << 20


def read_metadata(path: str | os.PathLike[str], content: bytes | None = None) -> JsonObject:
    """Reads what an exported `.tflite` file says about itself, from the zip archive at its end.

    Args:
        path: of the file.
        content: its bytes, where it lies in no folder.

    Raises:
        OSError: there is no such file, or it is no regular file.
        ValueError: the file carries no metadata of spin_tf, of a newer format, or damaged ones; or the model itself is
            damaged, by its checksum.
    """
    missing = "so its charset is unknown; export it with bin/export_tflite.py"
    return parse_metadata(read_archived(path, missing, content), os.fspath(path))


def read_archived(path: str | os.PathLike[str], consequence: str, content: bytes | None = None) -> bytes:
    """Reads the `spin_tf.json` of the zip archive at the end of a file, once its checksum, if it has one, is right.

    Args:
        path: of the file.
        consequence: what follows where there is none, and what to do, for the message.
        content: the bytes of the file, where it lies in no folder.

    Raises:
        OSError: there is no such file, or it is no regular file.
        ValueError: the file carries none that can be read, or is damaged by its checksum.
    """
    name = os.fspath(path)
    if content is None:
        check_regular(path)
    try:
        with zipfile.ZipFile(path if content is None else io.BytesIO(content)) as archive:
            size = archive.getinfo(METADATA_FILE).file_size
            if size > METADATA_MAX_BYTES:
                raise ValueError(f"{METADATA_FILE} would unpack to {size} bytes")
            said = archive.read(METADATA_FILE)
            checksum = archive.getinfo(METADATA_FILE).comment
    except PermissionError:
        raise
    # zipfile raises nearly anything on damaged archives: struct.error, NotImplementedError, zlib.error among it.
    except Exception as error:
        raise ValueError(
            f"The model carries no {METADATA_FILE} that can be read ({one_line(error)}), {consequence}. "
            f"Received: model={name!r}"
        ) from error
    if checksum:
        with open(path, "rb") if content is None else io.BytesIO(content) as file:
            _check_whole(file, checksum, name)
    return said


def checksum_of(flatbuffer: bytes) -> bytes:
    """The size of a LiteRT flatbuffer and its CRC-32, which stand in the zip archive as the comment of `METADATA_FILE`.

    LiteRT crashes on some files that are damaged. Files of earlier versions have no comment.
    """
    return json.dumps({"bytes": len(flatbuffer), "crc32": zlib.crc32(flatbuffer)}).encode("ascii")


def _check_whole(file: BinaryIO, checksum: bytes, name: str) -> None:
    try:
        said = json.loads(checksum)
        size, expected = int(said["bytes"]), int(said["crc32"])
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise ValueError(f"The checksum of the model is damaged. Received: model={name!r}") from error
    found, left = 0, size
    while left > 0 and (chunk := file.read(min(left, _CHUNK))):
        found = zlib.crc32(chunk, found)
        left -= len(chunk)
    if left or found != expected:
        raise ValueError(
            f"The model is damaged: its first {size} bytes are not those that were written; copy or export it anew. "
            f"Received: model={name!r}"
        )


def parse_metadata(content: bytes, name: str) -> JsonObject:
    """Checks the `spin_tf.json` of a model; keys that are not known are left alone.

    Args:
        content: the file.
        name: of the model, for messages.

    Raises:
        ValueError: it is no JSON, of another format, or misses something, or holds something of a wrong type.
    """
    metadata = parse_table(content, name)
    if metadata.get("kind") == DETECTOR_KIND:
        raise ValueError(
            f"The file finds words in photographs and reads none: it is a detector for --detector, no model. "
            f"Received: model={name!r}"
        )
    number = metadata.get("preprocessing", FIRST_PREPROCESSING)
    if not is_count(number, PREPROCESSING):
        raise ValueError(
            f"The model was written for preprocessing {_short(number)}; this spin_tf knows "
            f"{' and '.join(map(str, range(FIRST_PREPROCESSING, PREPROCESSING + 1)))}: update spin_tf. "
            f"Received: model={name!r}"
        )
    missing = [key for key in METADATA_KEYS if key not in metadata]
    if missing:
        raise ValueError(
            f"The {METADATA_FILE} of the model misses {', '.join(missing)}. Received: {_short(sorted(metadata))}"
        )
    try:
        Charset.from_dict(metadata["charset"])
        _check_numbers(metadata)
    except ValueError as error:
        raise ValueError(f"The {METADATA_FILE} of the model is damaged: {error}; model={name!r}") from error
    return metadata


def parse_table(content: bytes, name: str) -> JsonObject:
    """The keys and values of a `spin_tf.json` of this format, whatever it is about.

    Raises:
        ValueError: it is no JSON, no table, or of another format.
    """
    try:
        metadata = json.loads(content)
    except (ValueError, RecursionError) as error:
        message = f"The {METADATA_FILE} of the model is no JSON: {one_line(error)}. Received: model={name!r}"
        raise ValueError(message) from error
    if not isinstance(metadata, dict):
        raise ValueError(
            f"The {METADATA_FILE} of the model is no table of keys but {_short(metadata)}. Received: model={name!r}"
        )
    if metadata.get("format") != METADATA_FORMAT:
        raise ValueError(
            f"The model was written by another version of spin_tf ({_short(metadata.get('spin_tf_version'))}). "
            f"Received: format={_short(metadata.get('format'))}, expected {METADATA_FORMAT}"
        )
    return metadata


def _check_numbers(metadata: Mapping[str, Any]) -> None:
    length = metadata["max_length"]
    if not is_count(length, MAX_LENGTH):
        raise ValueError(f"max_length is a number of characters. Received: max_length={_short(length)}")
    for key in ("image_size", "wide_image_size"):
        size = metadata.get(key)
        is_absent = size is None and key == "wide_image_size"
        if not is_absent and not is_size(size, MAX_SIDE):
            raise ValueError(f"{key} is height and width in pixels. Received: {key}={_short(size)}")


def is_count(value: object, limit: int) -> bool:
    """Whether a value is a whole number from 1 to a limit."""
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= limit


def is_size(value: object, limit: int) -> bool:
    """Whether a value is height and width, each from 1 to a limit."""
    return isinstance(value, list) and len(value) == 2 and all(is_count(side, limit) for side in value)


def check_tensors(
    inputs: Mapping[str, Mapping[str, Any]],
    outputs: Mapping[str, Mapping[str, Any]],
    metadata: Mapping[str, Any],
    name: str,
) -> None:
    """Compares the tensors of a LiteRT model, as its interpreter tells them, with the metadata.

    Raises:
        ValueError: a tensor is missing, or its shape is another one than the metadata say.
    """
    missing = sorted({"image"} - set(inputs)) + sorted({"probabilities", "positions"} - set(outputs))
    if missing:
        raise ValueError(f"The model has no {' and no '.join(missing)}. Received: model={name!r}")
    types = {key: str(np.dtype(detail["dtype"])) for key, detail in {**inputs, **outputs}.items()}
    if set(types.values()) != {"float32"}:
        raise ValueError(f"All tensors of a model are float32, and these are {types}. Received: model={name!r}")
    shapes = {key: [int(side) for side in detail["shape"]] for key, detail in {**inputs, **outputs}.items()}
    image, probabilities = shapes["image"], shapes["probabilities"]
    if image != [1, *metadata["image_size"], 1]:
        raise ValueError(
            f"The model takes images of shape {image} but its metadata say {metadata['image_size']}. "
            f"Received: model={name!r}"
        )
    num_characters = len(metadata["charset"]["characters"])
    classes = probabilities[-1] if probabilities else 0
    if classes != num_characters + Tokenizer.FIRST_CHARACTER_ID:
        raise ValueError(
            f"The model has {classes - Tokenizer.FIRST_CHARACTER_ID} characters but its charset holds "
            f"{num_characters}. Received: model={name!r}"
        )
    if len(probabilities) != 3 or probabilities[:2] != shapes["positions"] or math.prod(probabilities) < 1:
        raise ValueError(
            f"The model answers probabilities {probabilities} and positions {shapes['positions']}, not (1, steps, "
            f"classes) and (1, steps). Received: model={name!r}"
        )


def one_line(error: Exception) -> str:
    """What an exception says, or its name where it says nothing, in one line."""
    return " ".join(str(error).split()) or type(error).__name__


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:97]}..."
