"""The wire format of tf.train.Example for features of bytes, without TensorFlow or protobuf.

Example { Features features = 1 }, Features { map<string, Feature> feature = 1 }, Feature { BytesList bytes_list = 1;
FloatList float_list = 2; Int64List int64_list = 3 }, BytesList { repeated bytes value = 1 }
(tensorflow/core/example/*.proto); see https://protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from spin_tf._protobuf import varint

_LENGTH_DELIMITED_1 = b"\x0a"
_LENGTH_DELIMITED_2 = b"\x12"


def _field(tag: bytes, body: bytes) -> bytes:
    return tag + varint(len(body)) + body


def encode_bytes_features(features: dict[str, bytes]) -> bytes:
    """Serialises a tf.train.Example with one value a feature, keys sorted as in deterministic protobuf output."""
    entries = []
    for key in sorted(features):
        feature = _field(_LENGTH_DELIMITED_1, _field(_LENGTH_DELIMITED_1, features[key]))
        entry = _field(_LENGTH_DELIMITED_1, key.encode()) + _field(_LENGTH_DELIMITED_2, feature)
        entries.append(_field(_LENGTH_DELIMITED_1, entry))
    return _field(_LENGTH_DELIMITED_1, b"".join(entries))


def encode_features(features: Mapping[str, Sequence[bytes] | Sequence[float] | Sequence[int]]) -> bytes:
    """Serialises a tf.train.Example with lists of bytes, floats or integers, keys sorted; an empty list has no type."""
    entries = []
    for key in sorted(features):
        values = features[key]
        feature = b""
        if values and isinstance(values[0], bytes):
            feature = _field(b"\x0a", b"".join(_field(_LENGTH_DELIMITED_1, v) for v in cast(Sequence[bytes], values)))
        elif values and isinstance(values[0], float):
            feature = _field(b"\x12", _field(_LENGTH_DELIMITED_1, struct.pack(f"<{len(values)}f", *values)))
        elif values:
            packed = b"".join(varint(v & (2**64 - 1)) for v in cast(Sequence[int], values))
            feature = _field(b"\x1a", _field(_LENGTH_DELIMITED_1, packed))
        entry = _field(_LENGTH_DELIMITED_1, key.encode()) + _field(_LENGTH_DELIMITED_2, feature)
        entries.append(_field(_LENGTH_DELIMITED_1, entry))
    return _field(_LENGTH_DELIMITED_1, b"".join(entries))


def _read_varint(data: bytes, position: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while position < end and shift < 70:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    raise ValueError(f"a number is cut off at byte {position}")


def _fields(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Number, start and end of the length-delimited fields of a message; the others are stepped over."""
    position = start
    while position < end:
        tag, position = _read_varint(data, position, end)
        number, kind = tag >> 3, tag & 7
        if kind == 2:
            length, position = _read_varint(data, position, end)
            if position + length > end:
                raise ValueError(f"field {number} at byte {position} reaches over its end")
            yield number, position, position + length
            position += length
        elif kind == 0:
            _, position = _read_varint(data, position, end)
        elif kind in (1, 5):
            position += 8 if kind == 1 else 4
        else:
            raise ValueError(f"wire type {kind} at byte {position}")
        if number == 0:
            raise ValueError(f"field number 0 at byte {position}")
    if position != end:
        raise ValueError(f"a message ends at byte {end}, its last field at byte {position}")


def decode_bytes_features(data: bytes) -> dict[str, bytes | None]:
    """Reads the features of a serialised tf.train.Example.

    Returns:
        The first value of each feature of bytes; None for features of numbers and for features without a value.

    Raises:
        ValueError: when the bytes are no such message.
    """
    features: dict[str, bytes | None] = {}
    for number, start, end in _fields(data, 0, len(data)):
        if number != 1:
            continue
        for entry_number, entry_start, entry_end in _fields(data, start, end):
            if entry_number != 1:
                continue
            key, value = "", None
            for part, part_start, part_end in _fields(data, entry_start, entry_end):
                if part == 1:
                    key = data[part_start:part_end].decode()
                elif part == 2:
                    value = _first_bytes(data, part_start, part_end)
            features[key] = value
    return features


def _first_bytes(data: bytes, start: int, end: int) -> bytes | None:
    for number, list_start, list_end in _fields(data, start, end):
        if number == 1:
            for item, item_start, item_end in _fields(data, list_start, list_end):
                if item == 1:
                    return data[item_start:item_end]
    return None
