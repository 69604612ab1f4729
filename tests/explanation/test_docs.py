"""docs/explain.md: its commands run, and it says what there is."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys

import pytest
from PIL import Image

from spin_tf.cli.recognize import MAX_EXPLAINED
from spin_tf.explanation.trace import trace
from tests.explanation.test_trace import draw

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
TEXT = (REPOSITORY / "docs" / "explain.md").read_text(encoding="utf-8")


@pytest.mark.integration
def test_commands_run(tmp_path: pathlib.Path) -> None:
    for name in ("bin", "exported", "spin_tf"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    (tmp_path / "photos").mkdir()
    Image.fromarray(draw("House")).save(tmp_path / "photos" / "house.png")
    (block,) = re.findall(r"```bash\n(.*?)```", TEXT, re.DOTALL)
    environment = {**os.environ, "PATH": f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"}
    for line in block.splitlines():
        result = subprocess.run(["bash", "-c", line], cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
        assert result.stdout.lower().startswith("photos/house.png\thouse\t")
    for folder in ("explained", "explained_weights"):
        page = (tmp_path / folder / "explain.html").read_text(encoding="utf-8")
        assert "Edges found (TPS)" in page and "cannot be shown" not in page


def test_what_it_says() -> None:
    assert f"the first {MAX_EXPLAINED} words" in TEXT
    assert f"{trace.__module__}.{trace.__name__}(" in TEXT
    picture = REPOSITORY / "docs" / "explain.png"
    assert picture.stat().st_size < 250_000
    assert Image.open(picture).width >= 1000
