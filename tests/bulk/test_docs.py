"""docs/bulk.md and docs/server.md: the commands that a machine alone can run, and names that exist."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess

from spin_tf.bulk import record_ranges
from spin_tf.data.records.tfrecord import ShardWriter, WordExample
from spin_tf.reading.remote import rest
from tests.bulk.test_beam import PYTHON, REPOSITORY, WITHOUT_BEAM
from tests.reading.remote import files

BULK = (REPOSITORY / "docs" / "bulk.md").read_text(encoding="utf-8")
SERVER = (REPOSITORY / "docs" / "server.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"<!-- not run: (.*?) -->\n *```(\w+)\n(.*?)```", re.DOTALL)


def test_commands_of_the_bulk_page(tmp_path: pathlib.Path) -> None:
    blocks = {reason: text for reason, _, text in BLOCK.findall(BULK)}
    assert set(blocks) == {
        "needs the beam extra; tests/bulk/test_docs.py runs it",
        "needs a cluster",
        "starts a server",
        "needs pyspark and Java; tests/bulk/test_spark.py runs it",
    }
    for name in ("bin", "spin_tf", "exported"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    (tmp_path / "crops").mkdir()
    with ShardWriter(str(tmp_path / "data" / "crops"), num_shards=2) as writer:
        for name, data in files.encoded().items():
            (tmp_path / "crops" / f"{name}.png").write_bytes(data)
            writer.write(WordExample(data, "word", name))
    environment = {**os.environ, "PATH": f"{pathlib.Path(PYTHON).parent}:{os.environ['PATH']}"}
    for line in blocks["needs the beam extra; tests/bulk/test_docs.py runs it"].splitlines():
        command = shutil.which("python", path=environment["PATH"])
        result = subprocess.run(
            f"{command} {line}", shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        if WITHOUT_BEAM:
            assert 'pip install "spin-tf[beam]"' in result.stderr
            continue
        assert result.returncode == 0, result.stderr
        assert f"read {len(files.encoded())}, " in result.stdout
    if not WITHOUT_BEAM:
        assert list((tmp_path / "words").glob("crops-*.jsonl"))
        assert list((tmp_path / "words").glob("records-*.tfrecord"))


def test_every_kind_and_flag_is_described() -> None:
    import inspect

    from spin_tf.data import images

    kinds = set(re.findall(r'"([a-z_]+)"\) from error', inspect.getsource(images)))
    kinds |= set(re.findall(r'"(bad_record|corrupt_tfrecord)"', inspect.getsource(record_ranges)))
    assert {"broken_image", "bad_record", "corrupt_tfrecord"} <= kinds
    assert {kind for kind in kinds if f"`{kind}`" not in BULK} == set()
    flags = re.findall(r'"(server_\w+)"', (REPOSITORY / "spin_tf" / "cli" / "_server.py").read_text())
    assert len(flags) == 5
    assert all(f"`--{flag}`" in SERVER for flag in flags)
    assert all(str(status) in SERVER for status in (*rest._TRY_AGAIN, rest._TOO_LARGE))
    for page in (BULK, SERVER):
        for target in re.findall(r"\]\(([^)#]+)\)", page):
            assert "://" in target or (REPOSITORY / "docs" / target).exists(), target
