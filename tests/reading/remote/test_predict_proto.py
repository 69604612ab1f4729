"""The messages of Predict, against the official stubs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2

from spin_tf.reading.remote.predict_proto import decode_response, encode_request

TENSORS: dict[str, np.ndarray] = {
    "words": np.array(["a", "", "\U0001f600" * 50], object),
    "floats": np.array([[0.5, -1, 1e30], [0, 0, 0], [7, 7, 7]], np.float32),
    "doubles": np.array([1.5, 2.5, 1e300]),
    "ints": np.array([-90, 0, 2**31 - 1], np.int32),
    "longs": np.array([-(2**63), 2**63 - 1, 300]),
    "flags": np.array([True, False, True]),
    "all_the_same": np.full((3, 4), 0.25, np.float32),
    "zeros": np.zeros((3, 2), np.int32),
    "no_rows": np.zeros((0, 5), np.float32),
}


def plain(array: np.ndarray) -> list[object]:
    values = array.tolist()
    return [value.encode() for value in values] if array.dtype == object else values


def response(tensors: dict[str, object]) -> bytes:
    message = predict_pb2.PredictResponse()
    message.model_spec.name = "spin"
    message.model_spec.version.value = 3
    for name, tensor in tensors.items():
        message.outputs[name].CopyFrom(tensor)
    return message.SerializeToString()


@pytest.mark.parametrize(("version", "images"), [(None, []), (1, [b""]), (2**40, [b"\0\xff", b"x" * 300, b""])])
def test_requests_are_those_of_the_stubs(version: int | None, images: list[bytes]) -> None:
    message = predict_pb2.PredictRequest()
    message.ParseFromString(encode_request("späne", version, "image_bytes", images))
    assert message.model_spec.name == "späne"
    assert message.model_spec.HasField("version") == (version is not None)
    assert message.model_spec.version.value == (version or 0)
    assert message.model_spec.signature_name == ""
    assert list(message.inputs) == ["image_bytes"]
    tensor = message.inputs["image_bytes"]
    assert tensor.dtype == tf.string.as_datatype_enum
    assert [dim.size for dim in tensor.tensor_shape.dim] == [len(images)]
    assert list(tensor.string_val) == images


def test_answers_of_every_type() -> None:
    """As contents (make_tensor_proto), and as repeated fields without repetitions (what TensorFlow Serving sends)."""
    contents = {name: tf.make_tensor_proto(array) for name, array in TENSORS.items()}
    assert decode_response(response(contents)) == {name: plain(array) for name, array in TENSORS.items()}
    fields: dict[str, tuple[str, list[Any], list[Any]]] = {
        "floats": ("float_val", [[0.5, 0.25], [0.25, 0.25]], [0.5, 0.25]),
        "doubles": ("double_val", [1.5, 2.5], [1.5, 2.5]),
        "ints": ("int_val", [-90, 90], [-90, 90]),
        "longs": ("int64_val", [-5, -5], [-5]),
        "flags": ("bool_val", [True, True], [True]),
        "zeros": ("float_val", [0.0, 0.0], []),
        "words": ("string_val", [b"a", b"bc"], [b"a", b"bc"]),
    }
    types = {"float_val": "float32", "double_val": "float64", "int_val": "int32", "int64_val": "int64"}
    types.update(bool_val="bool", string_val="string")
    tensors = {}
    for name, (field, expected, values) in fields.items():
        shape = tf.TensorShape([len(expected), 2] if name == "floats" else [len(expected)])
        tensor = tf.make_tensor_proto([], dtype=types[field], shape=[0])
        tensor.tensor_shape.CopyFrom(shape.as_proto())
        getattr(tensor, field).extend(values)
        tensors[name] = tensor
    assert decode_response(response(tensors)) == {name: expected for name, (_, expected, _) in fields.items()}
    strings = tf.make_tensor_proto(["a", ""])
    strings.ClearField("string_val")
    strings.tensor_content = b"\x01\x03abcd"
    assert decode_response(response({"words": strings})) == {"words": [b"a", b"bcd"]}


def test_whatever_is_cut_off_is_an_error_or_a_shorter_answer() -> None:
    data = response({name: tf.make_tensor_proto(array) for name, array in TENSORS.items()})
    refused = 0
    for end in range(len(data)):
        try:
            decode_response(data[:end])
        except ValueError:
            refused += 1
    assert refused > 0.9 * len(data)
    for broken in (b"\xff" * 20, b"\x0b", b"\x0a\x05ab"):
        with pytest.raises(ValueError, match="no answer"):
            decode_response(broken)
    with pytest.raises(ValueError, match="type 14"):
        decode_response(response({"x": tf.make_tensor_proto(tf.constant([1.0], tf.bfloat16))}))
    many = tf.make_tensor_proto([1.5, 2.5])
    many.ClearField("tensor_content")
    many.float_val.extend([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="3 values in a tensor of shape"):
        decode_response(response({"x": many}))
    vast = tf.make_tensor_proto([1.5])
    vast.tensor_shape.dim[0].size = 2**62
    with pytest.raises(ValueError, match="shape"):
        decode_response(response({"x": vast}))
