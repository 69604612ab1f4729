"""benchmarks/learning_curve.py on the logs of two runs that follow each other."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import xml.etree.ElementTree as ET

from spin_tf import config as config_module
from spin_tf.config import Config

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "benchmarks" / "learning_curve.py"


def write_run(folder: pathlib.Path, rows: list[tuple[int, str, float]]) -> None:
    folder.mkdir()
    config_module.save(config_module.from_dict(Config, {"training": {"batch_size": 10}}), str(folder / "config.yaml"))
    lines = ["step,name,value", *(f"{step},{name},{value}" for step, name, value in rows)]
    (folder / "log.csv").write_text("\n".join(lines) + "\n")


def draw(output: pathlib.Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), f"--output={output}", *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def test_laps_make_one_curve(tmp_path: pathlib.Path) -> None:
    write_run(tmp_path / "a", [(50, "loss", 2.0), (100, "all_accuracy", 0.5), (100, "svt_accuracy", 0.4)])
    write_run(tmp_path / "b", [(100, "all_accuracy", 0.75), (100, "svt_accuracy", 0.75), (200, "loss", 1.0)])
    result = draw(tmp_path / "curve.svg", str(tmp_path / "a"), str(tmp_path / "b"))
    assert result.returncode == 0, result.stderr
    root = ET.parse(tmp_path / "curve.svg").getroot()
    texts = [element.text or "" for element in root.iter() if element.tag.endswith("text")]
    assert {"all 75.0", "svt 75.0", "0.00", "40 %", "100 %"} <= set(texts)
    paths = [e.get("d", "") for e in root.iter() if e.get("fill") == "none"]
    # 1,000 words after the first run, 2,000 after the second: half way along, and at the end.
    starts = [[float(point.split()[0]) for point in path[1:].split("L")] for path in paths]
    assert len(starts) == 2
    for xs in starts:
        assert (xs[1] - 56) == 2 * (xs[0] - 56)


def test_runs_that_were_never_validated_are_named(tmp_path: pathlib.Path) -> None:
    write_run(tmp_path / "a", [(50, "loss", 2.0)])
    result = draw(tmp_path / "curve.svg", str(tmp_path / "a"))
    assert result.returncode != 0 and "never validated" in result.stderr
    assert not (tmp_path / "curve.svg").exists()
