"""The command line: a checkpoint in, a proven .keras file out, one line for every mistake."""

from __future__ import annotations

import pathlib
import pickle
import subprocess
import sys

import numpy as np
import pytest

from spin_tf.importers.naming import DAVAR, PADDLE
from tests import forked
from tests.published_checkpoint import published_state_dict


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "bin/import_checkpoint.py", *map(str, arguments)]
    return subprocess.run(line, cwd=forked.REPOSITORY, capture_output=True, text=True)


@pytest.mark.parametrize("kind", ["pdparams", "npz", "charset"])
def test_a_checkpoint_becomes_a_keras_file(tmp_path: pathlib.Path, kind: str) -> None:
    from spin_tf.models import load_model

    source, output, extra = tmp_path / f"best.{kind}", tmp_path / "best.keras", []
    classes = 5 if kind == "charset" else 70
    arrays = published_state_dict(DAVAR if kind == "npz" else PADDLE, 32, classes)
    if kind == "npz":
        np.savez(source, **arrays)  # type: ignore[arg-type]
    else:
        source.write_bytes(pickle.dumps({**arrays, "StructuredToParameterName@@": {"a": "b"}}, 2))
    if kind == "charset":
        (tmp_path / "abc.txt").write_text("c\na\nb\n")
        extra = [f"--charset=file:{tmp_path / 'abc.txt'}"]
    result = forked.run(["bin/import_checkpoint.py", f"--input={source}", f"--output={output}", *extra])
    assert result.returncode == 0, result.stderr
    assert "token ids equal" in result.stdout
    assert f"align_corners={kind != 'npz'}" in result.stdout
    model = load_model(output)
    assert model.charset.fold_case
    if kind == "charset":
        assert model.charset.characters == "cab"


def test_mistakes_are_one_line(tmp_path: pathlib.Path) -> None:
    hostile, other, output = tmp_path / "hostile.pdparams", tmp_path / "other.pdparams", tmp_path / "out.keras"
    hostile.write_bytes(b"\x80\x02cposix\nsystem\nX\x0b\x00\x00\x00touch pwned\x85R.")
    other.write_bytes(pickle.dumps({"fc.weight": np.ones((2, 2), "f4")}))
    for arguments, message in (
        ([], "--input=FILE.pdparams"),
        ([f"--input={hostile}"], "--output=FILE.keras"),
        ([f"--input={hostile}", f"--output={output}"], "posix.system"),
        ([f"--input={other}", f"--output={output}"], "neither"),
        ([f"--input={tmp_path / 'inference.pdiparams'}", f"--output={output}"], "inference pair"),
        ([f"--input={tmp_path / 'none.pdparams'}", f"--output={output}"], "none.pdparams"),
        ([f"--input={other}", f"--output={tmp_path / 'out.h5'}"], "a .keras file"),
        ([f"--input={other}", f"--output={tmp_path / 'no' / 'out.keras'}"], "does not exist"),
    ):
        result = run(*arguments)
        assert result.returncode == 2
        assert message in result.stderr
        assert result.stderr.startswith("error: ") and result.stderr.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hostile.pdparams", "other.pdparams"]


def test_reading_needs_no_tensorflow(repository: pathlib.Path) -> None:
    code = (
        "import sys, spin_tf.importers.checkpoint_file; sys.exit('keras' in sys.modules or 'tensorflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=repository).returncode == 0
