"""What the messages that are written here without protobuf share: https://protobuf.dev/programming-guides/encoding."""

from __future__ import annotations


def varint(value: int) -> bytes:
    """A non-negative integer, seven bits a byte, the least first."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number: int, body: bytes) -> bytes:
    """A length-delimited field of a message."""
    return varint(number << 3 | 2) + varint(len(body)) + body
