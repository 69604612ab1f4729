"""docs/detector.md: its commands run, with a detector that needs no weights, and its numbers are those of the code."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from spin_tf.export import detector_file
from spin_tf.photo import text_map
from tests.photo import dark_detector
from tests.photo.drawn import LINES, drawn_photograph

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
TEXT = (REPOSITORY / "docs" / "detector.md").read_text(encoding="utf-8")


@pytest.mark.integration
def test_commands_find_words(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = dict(re.findall(r"<!-- not run: .*? -->\n```(\w+)\n(.*?)```", TEXT, re.DOTALL))
    assert set(blocks) == {"bash", "python"}
    (tmp_path / "bin").symlink_to(REPOSITORY / "bin")
    dark_detector.write_onnx(tmp_path / "Multilingual_PP-OCRv3_det.onnx")
    (tmp_path / "photos").mkdir()
    drawn_photograph().save(tmp_path / "photos" / "drawn.png")
    drawn_photograph().save(tmp_path / "photo.jpg", quality=95)
    environment = {**os.environ, "PATH": f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"}
    (command,) = blocks["bash"].splitlines()
    subprocess.run(["bash", "-c", command], cwd=tmp_path, env=environment, check=True, capture_output=True)
    # The benchmark of the page's numbers, without what needs RapidOCR.
    benchmark = [sys.executable, str(REPOSITORY / "benchmarks" / "detector.py"), "--tflite=detector.tflite", "photos"]
    benchmark.insert(2, "--detector=Multilingual_PP-OCRv3_det.onnx")
    done = subprocess.run(benchmark, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert "1 photographs, processor milliseconds" in done.stdout and "ONNX Runtime: " in done.stdout
    assert re.search(r"the same within 1.5: (\d+), \1, \1\n", done.stdout), done.stdout
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(blocks["python"], names)
    assert names["corners"].dtype == np.float32
    assert names["corners"].shape == (sum(map(len, LINES)) + 1, 4, 2)


def test_numbers_are_those_of_the_code() -> None:
    for key, (height, width) in detector_file.SIZES.items():
        assert re.search(rf"\| `{key}` \| .*\(1, {height}, {width}, 3\)", TEXT)
    (same, pixels, difference), (same16, pixels16, difference16) = (
        detector_file._REQUIRED[quantization] for quantization in ("none", "float16")
    )
    assert f"{same:.0%}".replace("%", " %") + " are found in the same place" in TEXT
    assert f"(float16: {same16:.0%}".replace("%", " %") in TEXT
    assert f"{100 * pixels:g} % of their pixels are the same ({100 * pixels16:g} %)" in TEXT
    assert f"farther off than {difference:g} ({difference16:g})" in TEXT
    assert f"threshold {text_map.THRESHOLD}" in TEXT and f"at least {text_map.BOX_THRESHOLD}" in TEXT
    assert f"outwards by {text_map.UNCLIP} times" in TEXT
