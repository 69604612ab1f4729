"""What one TFRecord holds: a labelled word image as a tf.train.Example, ours or of other projects."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from google.protobuf.message import DecodeError

from spin_tf._protobuf import messages
from spin_tf.data.records.record_file import RecordError

# tensorflow/core/example/*.proto.
_Example = messages("""
    BytesList { repeated bytes value = 1 }
    FloatList { repeated float value = 1 }
    Int64List { repeated int64 value = 1 }
    Feature { BytesList bytes_list = 1; FloatList float_list = 2; Int64List int64_list = 3 }
    Features { map<string, Feature> feature = 1 }
    Example { Features features = 1 }
""")["Example"]
_LISTS = {bytes: "bytes_list", float: "float_list", int: "int64_list"}
# The names that other projects give to the same thing, ours first.
KEYS = {
    "encoded": ("image/encoded",),
    "text": ("image/text", "text/string", "image/class/text"),
    "format": ("image/format",),
    "source_id": ("image/source_id", "image/filename", "image/key/sha256"),
}


def encode_features(features: Mapping[str, bytes | Sequence[bytes] | Sequence[float] | Sequence[int]]) -> bytes:
    """Serialises a tf.train.Example of lists of bytes, floats or integers (an empty one has no type); keys sorted."""
    example = _Example()
    for key, values in features.items():
        feature = example.features.feature[key]
        values = [values] if isinstance(values, bytes) else values
        if values:
            getattr(feature, _LISTS[type(values[0])]).value.extend(values)
    return example.SerializeToString(deterministic=True)


def decode_bytes_features(data: bytes) -> dict[str, bytes | None]:
    """Reads the features of a serialised tf.train.Example.

    Returns:
        The first value of each feature of bytes; None for features of numbers and for features without a value.

    Raises:
        RecordError: when the bytes are no such message.
    """
    try:
        features = _Example.FromString(data).features.feature
    except DecodeError as error:
        raise RecordError(f"The record is no tf.train.Example: {error}") from error
    return {key: next(iter(features[key].bytes_list.value), None) for key in sorted(features)}


def value_of(features: Mapping[str, bytes | None], field: str) -> bytes | None:
    """What a record holds under the first of the names of `KEYS` that it knows."""
    return next((value for key in KEYS[field] if (value := features.get(key)) is not None), None)


@dataclasses.dataclass(frozen=True)
class WordExample:
    """One labelled word image as a TFRecord holds it.

    Args:
        encoded: the image file, byte for byte.
        text: the label; case, punctuation and spaces as in the source.
        source_id: where the word comes from, unique within its data set.
        format: `"jpeg"`, `"png"`, ... in lower case; empty when a foreign record does not say.
    """

    encoded: bytes
    text: str
    source_id: str = ""
    format: str = ""


def serialize_example(example: WordExample) -> bytes:
    """Returns the tf.train.Example of a word as bytes."""
    return encode_features(
        {
            "image/encoded": example.encoded,
            "image/format": example.format.encode(),
            "image/source_id": example.source_id.encode("utf-8", "backslashreplace"),
            "image/text": example.text.encode(),
        }
    )


def parse_example(data: bytes) -> WordExample:
    """Reads one serialised tf.train.Example, ours or a foreign one.

    Args:
        data: a record with `image/encoded` and one of `image/text`, `text/string`, `image/class/text`.

    Raises:
        RecordError: naming the missing keys and the keys found, or saying that this is no tf.train.Example.
    """
    features = decode_bytes_features(data)
    values = {field: value_of(features, field) for field in KEYS}
    missing = [" or ".join(KEYS[field]) for field in ("encoded", "text") if values[field] is None]
    if missing:
        found = ", ".join(key if value is not None else f"{key} (not bytes)" for key, value in features.items())
        raise RecordError(
            f"The record misses the key {' and the key '.join(missing)}. Received: keys={found or 'none'}"
        )
    try:
        text, source_id, kind = ((values[field] or b"").decode() for field in ("text", "source_id", "format"))
    except UnicodeDecodeError as error:
        raise RecordError(f"The label, format or source id of the record is not UTF-8: {error}") from error
    return WordExample(values["encoded"] or b"", text, source_id, kind)
