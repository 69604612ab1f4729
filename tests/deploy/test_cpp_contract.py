"""The reading contract in C++: every picture of tests/contract/cases becomes the values of Python, and its words."""

from __future__ import annotations

import json
import pathlib
import sys
from typing import Any

import pytest

from tests.contract.make_cases import CASES, EXPECTED, MODEL
from tests.deploy.cpp import BUILD, build_with_sanitizers, must_run

pytestmark = pytest.mark.deploy
# JPEG and PNG are read.
OTHER_FORMATS = (".bmp", ".gif", ".tif", ".webp")


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    must_run("cmake", "-S", "deploy/cpp", "-B", BUILD, f"-DSPIN_PYTHON={sys.executable}", "-DSPIN_TESTS=ON")
    must_run("cmake", "--build", BUILD, "--parallel", "2", "--target", "prepare", "spin_read")
    content: dict[str, Any] = json.loads(EXPECTED.read_text(encoding="utf-8"))
    return content


def is_read(name: str, case: dict[str, Any]) -> bool:
    return not case["error"] and not name.endswith(OTHER_FORMATS)


@pytest.mark.parametrize("sanitizers", ["", "address,undefined"])
def test_values_to_the_byte(sanitizers: str, expected: dict[str, Any]) -> None:
    program = build_with_sanitizers(sanitizers, "prepare") if sanitizers else BUILD / "prepare"
    sizes = [*expected["image_size"], *expected["wide_image_size"], expected["preprocessing"]]
    names = list(expected["files"])
    output = must_run(program, *sizes, input="".join(f"{CASES / name}\n" for name in names))
    records = dict(zip(names, map(json.loads, output.splitlines()), strict=True))
    num_views = 0
    for name, case in expected["files"].items():
        record = records[name]
        if not is_read(name, case):
            assert record == {"error": case["error"] or "not_an_image"}, name
            continue
        # Grey with transparency has three equal channels in Python, and one in C++.
        shape = case["shape"] if name != "grey_alpha.png" else [*case["shape"][:2], 1]
        assert (record["error"], record["shape"], record["box"]) == ("", shape, case["box"]), name
        for degrees, view in case["views"].items():
            assert record["views"][degrees] == {key: view[key] for key in ("size", "crc32")}, (name, degrees)
            num_views += 1
    assert num_views > 100


@pytest.mark.parametrize("turn", ["none", "tall", "auto"])
def test_words_of_both_sizes_and_all_turns(turn: str, expected: dict[str, Any]) -> None:
    """Wide pictures are read by the signature for them."""
    cases = {name: case for name, case in expected["files"].items() if is_read(name, case)}
    paths = [CASES / name for name in cases]
    output = must_run(BUILD / "spin_read", f"--model={MODEL}", f"--turn={turn}", "--format=jsonl", *paths)
    records = {pathlib.Path(record["path"]).name: record for record in map(json.loads, output.splitlines())}
    turned = set()
    for name, case in cases.items():
        word, record = case["words"][turn], records[name]
        assert (record["text"], record["turned"]) == (word["text"], word["turned"]), name
        assert record["confidence"] == pytest.approx(word["confidence"], abs=1e-4), name
        turned.add(record["turned"])
    assert turned >= {"none": {0}, "tall": {0, 90, -90}, "auto": {0, 90, -90, 180}}[turn]
