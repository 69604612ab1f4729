"""The page and the C++ program find and order words by the numbers of Python."""

from __future__ import annotations

import pathlib
import re

import pytest

from spin_tf.photo import order, reader

DEPLOY = pathlib.Path(__file__).resolve().parents[2] / "deploy"


@pytest.mark.parametrize(
    ("file", "name", "expected"),
    [
        ("web/src/app/finder.ts", "MIN_CONFIDENCE", reader.MIN_CONFIDENCE),
        ("web/src/recognizer/straighten.ts", "MARGIN", reader._MARGIN),
        ("web/src/recognizer/lines.ts", "MAX_BLANK", order._MAX_BLANK),
        ("web/src/recognizer/lines.ts", "MAX_OVERLAP", order._MAX_OVERLAP),
        ("web/src/recognizer/lines.ts", "MAX_SHIFT", order._MAX_SHIFT),
        ("cpp/include/spin/photo.h", "min_confidence", reader.MIN_CONFIDENCE),
        ("cpp/src/photo.cc", "kMargin", reader._MARGIN),
        ("cpp/src/lines.cc", "kMaxBlank", order._MAX_BLANK),
        ("cpp/src/lines.cc", "kMaxOverlap", order._MAX_OVERLAP),
        ("cpp/src/lines.cc", "kMaxShift", order._MAX_SHIFT),
    ],
)
def test_numbers_are_the_same(file: str, name: str, expected: float) -> None:
    found = re.findall(rf"\b{name} = ([0-9.]+)", (DEPLOY / file).read_text(encoding="utf-8"))
    assert [float(value) for value in found] == [expected]
