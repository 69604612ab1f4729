"""The groups of benchmarks/ablation.py leave no family of effects untested, and none counts twice."""

from __future__ import annotations

import pathlib
import subprocess
import sys

from spin_tf.synthesis.probabilities import family_names

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "benchmarks"


def test_every_family_is_in_one_group() -> None:
    # A process of its own: absl's flags belong to the process, and other scripts have some of the same name.
    code = "import ablation; print(*ablation.SHARES, *ablation.GROUPS.values())"
    run = subprocess.run([sys.executable, "-c", code], cwd=FOLDER, capture_output=True, text=True, check=True)
    assert sorted(run.stdout.split()) == sorted(family_names())
