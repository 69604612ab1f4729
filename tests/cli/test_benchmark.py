from __future__ import annotations

import json
import pathlib
import subprocess
import sys

import pytest


def run(repository: pathlib.Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(repository / "bin" / "benchmark.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def test_table_and_json(repository: pathlib.Path, strip_model: pathlib.Path, tmp_path: pathlib.Path) -> None:
    output = tmp_path / "speed.json"
    sizes = ["--batch_sizes=1,8", "--num_words=16", "--rounds=1", "--threads=1", f"--output={output}"]
    bundled = repository / "exported" / "spin.tflite"
    result = run(repository, f"--model={strip_model}", f"--model={bundled}", *sizes)
    assert result.returncode == 0, result.stderr
    assert len(result.stdout.splitlines()) == 2 + 2 * 2
    report = json.loads(output.read_text())
    strip, spin = report["models"]
    assert (strip["model"], spin["model"]) == (str(strip_model), str(bundled))
    assert spin["file_mb"] == pytest.approx(bundled.stat().st_size / 1e6)
    for entry in (strip, spin):
        assert entry["words"] == 16
        assert 0 < entry["start_cpu_seconds"] < 60 and entry["start_seconds"] > 0
        # Each is a process of its own that holds Python, numpy and LiteRT, and no TensorFlow.
        assert 20 < entry["peak_mb"] < 400
        assert [batch["batch_size"] for batch in entry["batches"]] == [1, 8]
        for batch in entry["batches"]:
            assert 0 < batch["p50_ms"] <= batch["p95_ms"]
            assert batch["words_per_second"] > 0
    # Reading strips is a few sums; the real model cannot be as fast, whatever else the machine does.
    assert strip["batches"][0]["cpu_ms_per_word"] < spin["batches"][0]["cpu_ms_per_word"]
    assert strip["peak_mb"] < spin["peak_mb"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model=absent.tflite"], "no such model. Received: --model=absent.tflite"),
        (["--batch_sizes=0"], "Received: 0"),
        (["--num_words=4", "--batch_sizes=8"], "fewer words than a batch takes. Received: 4 words"),
        (["--model=README.md", "--num_words=2", "--batch_sizes=1"], "carries no spin_tf.json"),
        (["word.png"], "takes flags only"),
    ],
)
def test_mistakes_are_one_line(repository: pathlib.Path, arguments: list[str], message: str) -> None:
    arguments = [a.replace("README.md", str(repository / "README.md")) for a in arguments]
    result = run(repository, *arguments)
    assert result.returncode == 2
    assert message in result.stderr and result.stderr.count("\n") == 1, result.stderr
