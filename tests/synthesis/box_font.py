"""A TrueType font of the test's own: every letter is a pattern of boxes that no other letter has."""

from __future__ import annotations

import pathlib
import struct
import zlib
from collections.abc import Iterable

UNIT = 1000
_CELL = 200


def _boxes(character: str) -> list[tuple[int, int]]:
    """Cells of a grid, 3 wide and 5 high: the whole left column, and others by the character."""
    bits = zlib.crc32(character.encode())
    return [(0, row) for row in range(5)] + [(1 + n % 2, n // 2) for n in range(10) if bits >> n & 1]


def _glyph(cells: list[tuple[int, int]]) -> bytes:
    points, ends = [], []
    for column, row in cells:
        left, bottom = column * _CELL, row * _CELL
        points += [(left, bottom), (left, bottom + _CELL), (left + _CELL, bottom + _CELL), (left + _CELL, bottom)]
        ends.append(len(points) - 1)
    xs, ys = [x for x, _ in points], [y for _, y in points]
    data = struct.pack(">5h", len(cells), min(xs), min(ys), max(xs), max(ys))
    data += struct.pack(f">{len(ends)}H", *ends) + struct.pack(">H", 0) + b"\x01" * len(points)
    for values in (xs, ys):
        data += struct.pack(f">{len(values)}h", *(b - a for a, b in zip([0, *values], values, strict=False)))
    return data + bytes(-len(data) % 4)


def _character_map(codes: list[int]) -> bytes:
    """Format 4: a segment a character, glyph 1 the first."""
    segments = [(code, code, (i + 1 - code) & 0xFFFF) for i, code in enumerate(codes)] + [(0xFFFF, 0xFFFF, 1)]
    count = len(segments)
    power = 1 << (count.bit_length() - 1)
    body = struct.pack(">4H", 2 * count, 2 * power, power.bit_length() - 1, 2 * (count - power))
    body += b"".join(struct.pack(">H", end) for _, end, _ in segments) + bytes(2)
    body += b"".join(struct.pack(">H", start) for start, _, _ in segments)
    body += b"".join(struct.pack(">H", delta) for _, _, delta in segments) + bytes(2 * count)
    table = struct.pack(">3H", 4, 6 + len(body), 0) + body
    return struct.pack(">2H2HI", 0, 1, 3, 1, 12) + table


def write(path: pathlib.Path, characters: Iterable[str]) -> pathlib.Path:
    """Writes a font that has these characters of the basic plane, and an H for its height."""
    codes = sorted({ord(c) for c in characters} | {ord("H")})
    glyphs = [_glyph([(0, 0), (2, 2)])] + [_glyph(_boxes(chr(code))) for code in codes]
    offsets = [sum(map(len, glyphs[:i])) for i in range(len(glyphs) + 1)]
    count, points = len(glyphs), 4 * 15
    tables = {
        b"cmap": _character_map(codes),
        b"glyf": b"".join(glyphs),
        b"head": struct.pack(
            ">4I2H2Q4h2H3h", 0x10000, 0x10000, 0, 0x5F0F3CF5, 0, UNIT, 0, 0, 0, 0, 600, 1000, 0, 8, 2, 1, 0
        ),
        b"hhea": struct.pack(">I3hH11hH", 0x10000, 1000, 0, 0, 700, *[0] * 11, count),
        b"hmtx": struct.pack(">Hh", 700, 0) * count,
        b"loca": struct.pack(f">{len(offsets)}I", *offsets),
        b"maxp": struct.pack(">I14H", 0x10000, count, points, 15, 0, 0, 2, *[0] * 8),
    }
    start = 12 + 16 * len(tables)
    directory, body = b"", b""
    for tag, data in sorted(tables.items()):
        directory += tag + struct.pack(">3I", 0, start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack(">I4H", 0x10000, len(tables), 64, 2, 48) + directory + body)
    return path
