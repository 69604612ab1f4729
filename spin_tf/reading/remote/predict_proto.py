"""The messages of TensorFlow Serving's Predict, without TensorFlow, whose import alone takes longer than many readings.

PredictRequest { ModelSpec model_spec = 1; map<string, TensorProto> inputs = 2 }, PredictResponse { map<string,
TensorProto> outputs = 1 }, ModelSpec { string name = 1; Int64Value version = 2 } (tensorflow_serving/apis/*.proto),
TensorProto (tensorflow/core/framework/tensor.proto); see https://protobuf.dev/programming-guides/encoding. The tests
hold these against the official stubs.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from spin_tf._protobuf import field, varint

_STRING = 7
# By number in types.proto: numpy's type, and the field of TensorProto that holds the values.
_NUMERIC: dict[int, tuple[Any, int]] = {
    1: (np.dtype("<f4"), 5),
    2: (np.dtype("<f8"), 6),
    3: (np.dtype("<i4"), 7),
    9: (np.dtype("<i8"), 10),
    10: (np.dtype(np.bool_), 11),
}
_CONTENT, _STRINGS = 4, 8


def encode_request(model: str, version: int | None, name: str, strings: Sequence[bytes]) -> bytes:
    """A PredictRequest for the default signature, with one input: a vector of strings."""
    spec = field(1, model.encode())
    if version is not None:
        spec += field(2, b"\x08" + varint(version))
    shape = field(2, b"\x08" + varint(len(strings)))
    tensor = b"\x08" + varint(_STRING) + field(2, shape) + b"".join(field(_STRINGS, item) for item in strings)
    return field(1, spec) + field(2, field(1, name.encode()) + field(2, tensor))


def decode_response(data: bytes) -> dict[str, list[Any]]:
    """The outputs of a PredictResponse by name, as nested lists; strings are bytes.

    Raises:
        ValueError: the bytes are no such message, or a tensor is of a type that no reading has.
    """
    outputs = {}
    for number, entry in _fields(data):
        if number == 1 and isinstance(entry, bytes):
            parts = dict(_fields(entry))
            name, tensor = parts.get(1, b""), parts.get(2, b"")
            if not isinstance(name, bytes) or not isinstance(tensor, bytes):
                raise ValueError("an output is no tensor")
            outputs[name.decode()] = _tensor(tensor).tolist()
    return outputs


def _read_varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while position < len(data) and shift < 70:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (2**64 - 1), position
        shift += 7
    raise ValueError(f"a number is cut off at byte {position}")


def _fields(data: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Number and value of each field of a message: bytes, or an int for those of wire type 0."""
    position = 0
    while position < len(data):
        tag, position = _read_varint(data, position)
        kind = tag & 7
        if kind == 0:
            value, position = _read_varint(data, position)
            yield tag >> 3, value
            continue
        if kind == 2:
            length, position = _read_varint(data, position)
        elif kind in (1, 5):
            length = 8 if kind == 1 else 4
        else:
            raise ValueError(f"wire type {kind} at byte {position}")
        if position + length > len(data):
            raise ValueError(f"field {tag >> 3} at byte {position} reaches over the end")
        yield tag >> 3, data[position : position + length]
        position += length


def _tensor(data: bytes) -> np.ndarray:
    kind, content = 0, b""
    shape: tuple[int, ...] = ()
    values: dict[int, list[bytes | int]] = {}
    for number, value in _fields(data):
        if number == 1 and isinstance(value, int):
            kind = value
        elif number == 2 and isinstance(value, bytes):
            dims = [dict(_fields(dim)) for n, dim in _fields(value) if n == 2 and isinstance(dim, bytes)]
            shape = tuple(int(dim.get(1, 0)) for dim in dims)
        elif number == _CONTENT and isinstance(value, bytes):
            content = value
        else:
            values.setdefault(number, []).append(value)
    size = 1
    for length in shape:
        size *= length
    if kind == _STRING:
        strings = _string_list(content, size) if content else values.get(_STRINGS, [])
        return _shaped(strings, size, shape, np.dtype(object), b"")
    if kind not in _NUMERIC:
        raise ValueError(f"a tensor of type {kind}")
    dtype, field = _NUMERIC[kind]
    if content:
        return np.frombuffer(content, dtype).reshape(shape)
    return _shaped(_numbers(values.get(field, []), dtype), size, shape, dtype, 0)


def _numbers(values: list[bytes | int], dtype: Any) -> list[Any]:
    """Numbers that come packed, one by one, or both."""
    numbers: list[Any] = []
    for value in values:
        if isinstance(value, int):
            numbers.append(value)
        elif dtype.kind == "f":
            numbers.extend(np.frombuffer(value, dtype).tolist())
        else:
            position = 0
            while position < len(value):
                number, position = _read_varint(value, position)
                numbers.append(number)
    # Negative numbers of every width travel as 64 bits.
    return [n - 2**64 if isinstance(n, int) and n >= 2**63 else n for n in numbers]


def _shaped(values: Sequence[Any], size: int, shape: tuple[int, ...], dtype: Any, zero: Any) -> np.ndarray:
    if len(values) > size or size > 10**7:
        raise ValueError(f"{len(values)} values in a tensor of shape {shape}")
    array = np.empty(size, dtype)
    array[: len(values)] = values
    # TensorFlow leaves out repetitions of the last value, and zeros where there is nothing else.
    array[len(values) :] = values[-1] if values else zero
    return array.reshape(shape)


def _string_list(content: bytes, size: int) -> list[bytes]:
    """What TensorFlow makes of strings when it is told to send contents: all lengths, then all strings."""
    lengths, position = [], 0
    for _ in range(size):
        length, position = _read_varint(content, position)
        lengths.append(length)
    ends = list(itertools.accumulate(lengths, initial=position))
    if ends[-1] != len(content):
        raise ValueError(f"{len(content)} bytes for strings that end at {ends[-1]}")
    return [content[start:end] for start, end in itertools.pairwise(ends)]
