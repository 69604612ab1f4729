"""Signatures of a LiteRT file that are loaded one at a time."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from spin_tf.reading.subgraphs import Signatures
from tests import exports

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module", params=["tiny", "bundled"])
def content(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A small file of all signatures, and the one that ships."""
    if request.param == "bundled":
        return (REPOSITORY / "exported" / "spin.tflite").read_bytes()
    return exports.tiny_file(tmp_path_factory, "ga_spin", "lcnet").read_bytes()


def run(content: bytes, name: str) -> dict[str, np.ndarray]:
    """What a signature makes of the same inputs each time."""
    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    runner = interpreter.get_signature_runner(name)
    rng = np.random.default_rng(0)
    inputs: dict[str, Any] = {
        key: rng.uniform(0, 1, each["shape"]).astype(each["dtype"]) for key, each in runner.get_input_details().items()
    }
    return runner(**inputs)


def test_each_signature_computes_the_same_alone(content: bytes) -> None:
    names = list(Interpreter(model_content=content).get_signature_list())
    assert len(names) > 3
    parts = Signatures(content)
    for name in names:
        together, alone = run(content, name), run(parts.alone(name), name)
        assert together.keys() == alone.keys()
        for key in together:
            np.testing.assert_array_equal(alone[key], together[key], err_msg=f"{name}: {key}")


def test_the_others_have_no_operators(content: bytes) -> None:
    """But for one in the first subgraph; the loop of a signature keeps its condition and its body."""
    whole, alone = (
        [len(each.operators or []) for each in schema.ModelT.InitFromPackedBuf(part, 0).subgraphs]
        for part in (content, Signatures(content).alone("batch"))
    )
    kept = [now for before, now in zip(whole, alone, strict=True) if now == before]
    assert 2 < len(kept) < len(whole) / 2
    assert alone[0] == 1 < whole[0]
    assert {now for before, now in zip(whole[1:], alone[1:], strict=True) if now != before} == {0}


def test_a_damaged_file_and_another_name_are_left_to_the_interpreter(content: bytes) -> None:
    assert Signatures(content).alone("no such signature") == content
    rng = np.random.default_rng(1)
    for _ in range(200):
        damaged = bytearray(content[: rng.integers(0, len(content))] if rng.random() < 0.3 else content)
        for place in rng.integers(0, max(1, len(damaged)), 30 if len(damaged) else 0):
            damaged[place] = rng.integers(0, 256)
        assert len(Signatures(bytes(damaged)).alone("batch")) == len(damaged)
