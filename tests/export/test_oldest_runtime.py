"""Which runtime a LiteRT file needs: the file says it, the export prints it, docs/formats.md lists it."""

from __future__ import annotations

import pathlib
import re

from spin_tf.export.tflite import oldest_runtime
from spin_tf.recognizer import bundled_model
from tests import strip_model as strips


def test_the_bundled_model_and_the_table(repository: pathlib.Path) -> None:
    text = (repository / "docs" / "formats.md").read_text(encoding="utf-8")
    table = dict(re.findall(r"^\| `(none|float16|int8)` \| ([\d.]+) \|", text, re.MULTILINE))
    assert set(table) == {"none", "float16", "int8"}
    # It is int8.
    assert oldest_runtime(bundled_model().read_bytes()) == table["int8"]


def test_a_file_of_a_few_operators_runs_on_older_ones(tmp_path: pathlib.Path, repository: pathlib.Path) -> None:
    strips.write(tmp_path / "strips.tflite")
    found = oldest_runtime((tmp_path / "strips.tflite").read_bytes())
    assert re.fullmatch(r"[12]\.\d+\.\d+", found)
    assert [int(part) for part in found.split(".")] < [2, 17, 0]


def test_a_file_that_does_not_say(tmp_path: pathlib.Path) -> None:
    from ai_edge_litert import schema_py_generated as schema

    from spin_tf.export.flatbuffer import _pack

    model = schema.ModelT.InitFromPackedBuf(bundled_model().read_bytes(), 0)
    model.metadata = []
    assert oldest_runtime(_pack(model)) == ""
