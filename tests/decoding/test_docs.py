"""docs/decoding.md says what there is."""

from __future__ import annotations

import pathlib
import re

from spin_tf.charset import Charset
from spin_tf.cli import _reading
from spin_tf.contract.views import _VIEWS
from spin_tf.decoding.letters import Letters
from spin_tf.decoding.options import CONSTRAINED_FLOOR, EFFORTS, VIEWS, Options
from spin_tf.decoding.pattern import compile_pattern

TEXT = (pathlib.Path(__file__).resolve().parents[2] / "docs" / "decoding.md").read_text(encoding="utf-8")


def test_every_option_is_described_and_a_flag() -> None:
    options = set(Options.__dataclass_fields__)
    assert {name for name in options if f"| `{name}` |" in TEXT} == options
    assert {flag.name for flag in _reading.LOCAL} - {"model", "turn_tall"} == options


def test_numbers_are_those_of_the_code() -> None:
    assert f"Default {CONSTRAINED_FLOOR:g} under an allowlist" in TEXT
    assert f"1 (`normal`), 2, 3 or {EFFORTS['high']} (`high`)" in TEXT
    assert len(_VIEWS) == VIEWS[-1] - 1
    letters = Letters(Charset.from_spec("94"), ignore_case=False)
    (states,) = re.findall(r"`\[A-Z\]\{2\}\[0-9\]\{2,4\}` has (\d+)", TEXT)
    table = compile_pattern("[A-Z]{2}[0-9]{2,4}", letters, 25).table
    assert int(states) == len(table)


def test_the_tables_have_a_place() -> None:
    before, rest = TEXT.split("<!-- measured by benchmarks/decoding.py -->\n")
    assert rest.count("<!-- until here -->") == 1 and before
