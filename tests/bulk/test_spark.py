"""deploy/spark/recognize_words.py, where PySpark and Java are: SPIN_TF_SPARK_PYTHON names a Python that has both."""

from __future__ import annotations

import importlib.util
import json
import os
import pathlib
import subprocess
import sys

from spin_tf import Recognizer
from spin_tf.bulk.rows import row
from tests.reading.remote import files

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = REPOSITORY / "deploy" / "spark" / "recognize_words.py"
PYTHON = os.environ.get("SPIN_TF_SPARK_PYTHON", sys.executable)


def test_partitions_read_what_read_many_reads(tmp_path: pathlib.Path) -> None:
    """Without PySpark: what a partition does, with rows as Spark has them."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name, data in {**files.encoded(), **files.broken()}.items():
        (folder / f"{name}.png").write_bytes(data)
    # Spark leaves out files of no bytes.
    paths = sorted(path for path in folder.iterdir() if path.stat().st_size)
    results = Recognizer(num_threads=1).read_many(map(str, paths))
    expected = [row({"path": f"file:{path}"}, result) for path, result in zip(paths, results, strict=True)]
    if sys.executable == PYTHON and importlib.util.find_spec("pyspark") is None:
        code = (
            "import collections, sys, types\n"
            "for name in ('pyspark', 'pyspark.sql'): sys.modules[name] = types.ModuleType(name)\n"
            "sys.modules['pyspark.sql'].SparkSession = None\n"
            f"sys.path.insert(0, {str(PROGRAM.parent)!r})\n"
            "import recognize_words, pathlib\n"
            "File = collections.namedtuple('File', 'path content')\n"
            "rows = (File(f'file:{p}', bytearray(pathlib.Path(p).read_bytes())) for p in sys.argv[1:])\n"
            "print(*recognize_words.read_partition(rows), sep='\\n')"
        )
        command = [sys.executable, "-c", code, *map(str, paths)]
        result = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
        lines = result.stdout.splitlines()
    else:
        submit = pathlib.Path(PYTHON).parent / "spark-submit"
        command = [str(submit), "--master", "local[2]", str(PROGRAM), str(folder), str(tmp_path / "out")]
        environment = {**os.environ, "PYSPARK_PYTHON": PYTHON, "PYTHONPATH": str(REPOSITORY)}
        result = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
        lines = [line for path in (tmp_path / "out").glob("part-*") for line in path.read_text().splitlines()]
    assert sorted(map(json.loads, lines), key=lambda r: r["path"]) == sorted(expected, key=lambda r: r["path"])
