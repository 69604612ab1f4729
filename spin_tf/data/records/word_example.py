"""What one TFRecord holds: a labelled word image as a tf.train.Example, ours or of other projects."""

from __future__ import annotations

import dataclasses

from spin_tf.data.records import example_proto
from spin_tf.data.records.record_file import RecordError


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
    return example_proto.encode_bytes_features(
        {
            "image/encoded": example.encoded,
            "image/format": example.format.encode(),
            "image/source_id": example.source_id.encode("utf-8", "backslashreplace"),
            "image/text": example.text.encode(),
        }
    )


# The names that other projects give to the same thing, ours first.
_KEYS = {
    "encoded": ("image/encoded",),
    "text": ("image/text", "text/string", "image/class/text"),
    "format": ("image/format",),
    "source_id": ("image/source_id", "image/filename", "image/key/sha256"),
}


def parse_example(data: bytes) -> WordExample:
    """Reads one serialised tf.train.Example, ours or a foreign one.

    Args:
        data: a record with `image/encoded` and one of `image/text`, `text/string`, `image/class/text`.

    Raises:
        RecordError: naming the missing keys and the keys found, or saying that this is no tf.train.Example.
    """
    try:
        features = example_proto.decode_bytes_features(data)
    except ValueError as error:
        raise RecordError(f"The record is no tf.train.Example: {error}") from error
    values = {
        field: next((features[key] for key in keys if features.get(key) is not None), None)
        for field, keys in _KEYS.items()
    }
    missing = [" or ".join(_KEYS[field]) for field in ("encoded", "text") if values[field] is None]
    if missing:
        found = ", ".join(key if value is not None else f"{key} (not bytes)" for key, value in sorted(features.items()))
        raise RecordError(
            f"The record misses the key {' and the key '.join(missing)}. Received: keys={found or 'none'}"
        )
    try:
        text, source_id, kind = ((values[field] or b"").decode() for field in ("text", "source_id", "format"))
    except UnicodeDecodeError as error:
        raise RecordError(f"The label, format or source id of the record is not UTF-8: {error}") from error
    return WordExample(values["encoded"] or b"", text, source_id, kind)
