"""The signatures of a LiteRT file apart from each other."""

from __future__ import annotations

import struct
from collections.abc import Iterator

# Places of fields in the tables of TensorFlow Lite's schema (tensorflow/compiler/mlir/lite/schema/schema.fbs).
_SUBGRAPHS, _SIGNATURES = 2, 7
_SIGNATURE_KEY, _SIGNATURE_SUBGRAPH = 2, 4
_OPERATORS = 3
_OPTIONS_TYPE, _OPTIONS = 3, 4
# Options of operators that run two subgraphs, which are their first two fields: WhileOptions and IfOptions.
_WITH_SUBGRAPHS = (93, 92)
# As many tables as LiteRT's own verifier looks at.
_MAX_TABLES = 1_000_000


class Signatures:
    """A LiteRT file that can be loaded one signature at a time.

    LiteRT hands all subgraphs of a file to XNNPACK as soon as one of them is to run, and each keeps its own packed copy
    of the weights: a reader of words of usual width would wait for, and keep, eight or ten of them. Its interface in
    Python has no way around that but a file whose other subgraphs have no operators.

    Args:
        content: of a `.tflite` file.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._alone: dict[str, bytes] = {}

    def alone(self, name: str) -> bytes:
        """The file with the operators of one signature only; as it is where it has no such one, or is damaged."""
        if name not in self._alone:
            self._alone[name] = _alone(self._content, name)
        return self._alone[name]


def _alone(content: bytes, name: str) -> bytes:
    try:
        model = _follow(content, 0)
        subgraphs = list(_tables(content, model, _SUBGRAPHS))
        kept = [
            _number(content, table, _SIGNATURE_SUBGRAPH)
            for table in _tables(content, model, _SIGNATURES)
            if _text(content, table, _SIGNATURE_KEY) == name.encode()
        ]
        if not kept:
            return content
        seen = 0
        # Grows while it is walked.
        for index in kept:
            for operator in _tables(content, subgraphs[index], _OPERATORS):
                seen += 1
                if seen > _MAX_TABLES:
                    return content
                place = _place(content, operator, _OPTIONS_TYPE)
                if place and content[place] in _WITH_SUBGRAPHS:
                    options = _follow(content, _place(content, operator, _OPTIONS))
                    kept += {_number(content, options, 0), _number(content, options, 1)} - {*kept}
        muted = bytearray(content)
        for index, table in enumerate(subgraphs):
            if index not in kept and (place := _place(content, table, _OPERATORS)):
                # LiteRT asks XNNPACK for nothing where the first subgraph is empty.
                struct.pack_into("<I", muted, _follow(content, place), 1 if index == 0 else 0)
        return bytes(muted)
    except (struct.error, LookupError, ValueError):
        # LiteRT says what is wrong with it.
        return content


def _follow(content: bytes, place: int) -> int:
    (offset,) = struct.unpack_from("<I", content, place)
    return place + int(offset)


def _place(content: bytes, table: int, field: int) -> int:
    """Where a field of a table lies; 0 where the table lacks it."""
    (back,) = struct.unpack_from("<i", content, table)
    fields = table - back
    if fields < 0:
        raise ValueError(f"no table. Received: offset={fields}")
    (size,) = struct.unpack_from("<H", content, fields)
    if 4 + 2 * field >= size:
        return 0
    (offset,) = struct.unpack_from("<H", content, fields + 4 + 2 * field)
    return table + int(offset) if offset else 0


def _number(content: bytes, table: int, field: int) -> int:
    place = _place(content, table, field)
    return int(struct.unpack_from("<I", content, place)[0]) if place else 0


def _text(content: bytes, table: int, field: int) -> bytes:
    start = _follow(content, _place(content, table, field))
    (length,) = struct.unpack_from("<I", content, start)
    return content[start + 4 : start + 4 + length]


def _tables(content: bytes, table: int, field: int) -> Iterator[int]:
    """Where the tables of a vector lie."""
    if place := _place(content, table, field):
        vector = _follow(content, place)
        (length,) = struct.unpack_from("<I", content, vector)
        for i in range(length):
            yield _follow(content, vector + 4 + 4 * i)
