"""The benchmark of the server in its short form: every request answered once and rightly, memory within bounds."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

import pytest

pytestmark = pytest.mark.deploy


def test_every_request_is_answered_once_and_rightly(
    models: pathlib.Path, place: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    output = tmp_path / "results.json"
    command = [sys.executable, "benchmarks/serving.py", f"--model={models}", f"--output={output}"]
    command += ["--num_words=100", "--rounds=3", "--seconds=4", "--concurrency=1,8"]
    result = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=600)
    assert result.returncode == 0, f"{result.stdout}\n{result.stderr}"
    results = json.loads(output.read_text())
    assert results["problems"] == []
    assert [row["concurrency"] for row in results["load"]] == [1, 8]
    for row in results["load"]:
        assert row["requests"] == row["answers"] >= row["concurrency"]
        assert 0 < row["p50"] <= row["p95"] and row["words_a_second"] > 0
    assert sum(row["corrupt"] for row in results["load"]) > 0
    assert results["load"][-1]["memory_after"] < 1.5 * results["load"][0]["memory_after"] + 100
    assert [row["batch"] for row in results["cost"]] == [1, 8, 32]
    assert all(row["images"] > 0 and row["bytes"] > 0 for row in results["cost"])
