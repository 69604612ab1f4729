"""The messages of TensorFlow Serving's Predict: requests out, answers as lists.

tensorflow_serving/apis/*.proto, tensorflow/core/framework/tensor.proto; tests hold these against the official stubs.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError

from spin_tf._protobuf import messages

_MESSAGES = messages("""
    Numbers { repeated int64 value = 1 }
    Int64Value { int64 value = 1 }
    ModelSpec { string name = 1; Int64Value version = 2 }
    Dim { int64 size = 1 }
    TensorShape { repeated Dim dim = 2 }
    Tensor { int32 dtype = 1; TensorShape tensor_shape = 2; bytes tensor_content = 4; repeated float float_val = 5;
        repeated double double_val = 6; repeated int32 int_val = 7; repeated bytes string_val = 8;
        repeated int64 int64_val = 10; repeated bool bool_val = 11 }
    PredictRequest { ModelSpec model_spec = 1; map<string, Tensor> inputs = 2 }
    PredictResponse { map<string, Tensor> outputs = 1 }
""")
_STRING = 7
# By number in types.proto: numpy's type, and the field of the tensor that holds the values.
_NUMERIC = {1: ("<f4", "float_val"), 2: ("<f8", "double_val"), 3: ("<i4", "int_val"), 9: ("<i8", "int64_val")}
_TYPES: dict[int, tuple[Any, str]] = {**_NUMERIC, 10: ("?", "bool_val"), _STRING: (object, "string_val")}


def encode_request(model: str, version: int | None, name: str, strings: Sequence[bytes]) -> bytes:
    """A PredictRequest for the default signature, with one input: a vector of strings."""
    request = _MESSAGES["PredictRequest"]()
    request.model_spec.name = model
    if version is not None:
        request.model_spec.version.value = version
    tensor = request.inputs[name]
    tensor.dtype = _STRING
    tensor.tensor_shape.dim.add(size=len(strings))
    tensor.string_val.extend(strings)
    return request.SerializeToString()


def decode_response(data: bytes) -> dict[str, list[Any]]:
    """The outputs of a PredictResponse by name, as nested lists; strings are bytes.

    Raises:
        ValueError: the bytes are no such message, or a tensor is of a type that no reading has.
    """
    try:
        outputs = _MESSAGES["PredictResponse"].FromString(data).outputs
        return {name: _array(outputs[name]).tolist() for name in outputs}
    except DecodeError as error:
        raise ValueError(f"{len(data)} bytes are no answer: {error}") from error


def _array(tensor: Any) -> np.ndarray:
    if tensor.dtype not in _TYPES:
        raise ValueError(f"a tensor of type {tensor.dtype}")
    dtype, field = _TYPES[tensor.dtype]
    shape = tuple(dim.size for dim in tensor.tensor_shape.dim)
    size = math.prod(shape)
    content, values = tensor.tensor_content, getattr(tensor, field)
    if content and tensor.dtype != _STRING:
        return np.frombuffer(content, dtype).reshape(shape)
    if content:
        values = _string_list(content, size)
    if not len(values) <= size <= 10**7:
        raise ValueError(f"{len(values)} values in a tensor of shape {shape}")
    array = np.empty(size, dtype)
    array[: len(values)] = values
    # TensorFlow leaves out repetitions of the last value, and zeros where there is nothing else.
    array[len(values) :] = values[-1] if values else b"" if dtype is object else 0
    return array.reshape(shape)


def _string_list(content: bytes, size: int) -> list[bytes]:
    """What TensorFlow makes of strings when it is told to send contents: all lengths, then all strings."""
    ends = [0, *(np.flatnonzero(np.frombuffer(content, np.uint8) < 0x80)[:size] + 1).tolist()]
    numbers = b"".join(b"\x08" + content[start:end] for start, end in itertools.pairwise(ends))
    lengths = _MESSAGES["Numbers"].FromString(numbers).value
    places = list(itertools.accumulate(lengths, initial=ends[-1]))
    if len(lengths) != size or places[-1] != len(content):
        raise ValueError(f"{len(content)} bytes for {size} strings that end at {places[-1]}")
    return [content[start:end] for start, end in itertools.pairwise(places)]
