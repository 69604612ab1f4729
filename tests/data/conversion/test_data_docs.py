"""Every command of docs/data.md, run on small data sets that lie where the downloads would."""

from __future__ import annotations

import ast
import os
import pathlib
import re
import subprocess
import sys

import pytest

from spin_tf.data.conversion.sources import SOURCES
from tests.data import samples

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
TEXT = (REPOSITORY / "docs" / "data.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"(?:<!-- not run: (.*?) -->\n)?```(\w+)\n(.*?)```", re.DOTALL)
NOT_RUN = {
    "needs a download of 10 GB",
    "needs a download of 41 GB",
    "needs the beam extra; tests/data/conversion/test_beam_conversion.py runs it",
    "needs a cluster",
    "needs the benchmarks; tests/data/conversion/test_benchmarks.py runs it",
}


@pytest.fixture
def folder(tmp_path):
    """A folder with the commands, MJSynth and SynthText as unpacked, and a few photographs."""
    for name in ("bin", "spin_tf", "configs"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    mjsynth = tmp_path / "downloads" / "mnt" / "ramdisk" / "max" / "90kDICT32px"
    for part in ("train", "val"):
        lines = []
        for i in range(40):
            name = f"{part}/1/{i}_Word{i}_{i}.jpg"
            samples.write(mjsynth / name, samples.picture(100, 31, seed=i, format="JPEG"))
            lines.append(f"./{name} {i}\n")
        samples.write(mjsynth / f"annotation_{part}.txt", "".join(lines))
    samples.make("synthtext", tmp_path / "downloads" / "SynthText")
    for i in range(16):
        samples.write(tmp_path / "photos" / f"{i}.png", samples.picture(seed=i))
    samples.write(tmp_path / "photos" / "labels.txt", "".join(f"{i}.png\tword{i}\n" for i in range(16)))
    samples.write(tmp_path / "photos" / "validation.txt", "3.png\n5.png\n")
    return tmp_path


def run_commands(folder: pathlib.Path, *, training: bool) -> dict[str, str]:
    """Runs the bash blocks line by line, in order; returns what each printed."""
    environment = {**os.environ, "PATH": f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"}
    outputs = {}
    for reason, language, text in BLOCK.findall(TEXT):
        for line in text.splitlines() if language == "bash" and not reason else []:
            command = line.replace("--num_shards=128", "--num_shards=8")
            if line.startswith("bin/train.py"):
                if not training:
                    continue
                command += " --set training.steps=2 --set training.batch_size=4 --set training.validate_every=2"
                command += " --set model.backbone.width=16"
            result = subprocess.run(
                ["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True
            )
            assert result.returncode == 0, f"{line}\n{result.stdout}\n{result.stderr}"
            outputs[line] = result.stdout
    return outputs


@pytest.mark.integration
def test_every_command_on_data_runs(folder):
    assert {reason for reason, _, _ in BLOCK.findall(TEXT) if reason} == NOT_RUN
    outputs = run_commands(folder, training=False)
    counts = [output.splitlines()[0] for line, output in outputs.items() if "create_tfrecords" in line]
    assert counts == [
        "read 40, kept 40, excluded 0, rejected 0",
        "read 40, kept 40, excluded 0, rejected 0",
        "read 5, kept 4, excluded 0, rejected 1 (box_outside_image 1)",
        "read 16, kept 14, excluded 2, rejected 0",
        "read 16, kept 2, excluded 14, rejected 0",
        "read 14, kept 14, excluded 0, rejected 0",
    ]
    assert (folder / "data" / "look.html").read_text().count("<img") == 44
    (program,) = [text for _, language, text in BLOCK.findall(TEXT) if language == "python"]
    result = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True)
    assert re.fullmatch(r"14 word\d+ png \d+\n", result.stdout), result.stderr


@pytest.mark.slow
def test_training_starts(folder):
    run_commands(folder, training=True)
    assert (folder / "runs" / "paper_spin" / "best.keras").exists()


def reasons_in_code() -> set[str]:
    """The second argument of every EntryError, and what the sources pass to bad_line."""
    found = set()
    for path in (REPOSITORY / "spin_tf" / "data").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                place = {"EntryError": 1, "bad_line": 3}.get(node.func.id)
                argument = node.args[place] if place is not None and len(node.args) > place else None
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    found.add(argument.value)
    return found


def test_every_source_and_reason_is_described():
    assert {source for source in SOURCES if f"| `{source}` |" in TEXT} == set(SOURCES)
    reasons = reasons_in_code() | {"bad_line"}
    assert {"bad_record", "corrupt_tfrecord", "duplicate_id", "path_outside_folder", "too_small"} <= reasons
    assert {reason for reason in reasons if f"`{reason}`" not in TEXT} == set()
