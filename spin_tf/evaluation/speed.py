"""How fast a model reads: measured in a process of its own, so that start-up and memory are those of one model.

python -m spin_tf.evaluation.speed    reads a request as JSON from stdin and prints the figures as JSON
"""

from __future__ import annotations

import base64
import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import time
from collections.abc import Sequence

import numpy as np

from spin_tf._resources import find_model
from spin_tf._types import JsonObject
from spin_tf.recognizer import Recognizer, bundled_model


@dataclasses.dataclass(frozen=True)
class BatchSpeed:
    """Reading lists of `batch_size` images, from file bytes to words.

    Args:
        batch_size: images of a call.
        p50_ms, p95_ms: of a call, wall clock.
        words_per_second: wall clock.
        cpu_ms_per_word: processor time of all threads, which other programs disturb least.
    """

    batch_size: int
    p50_ms: float
    p95_ms: float
    words_per_second: float
    cpu_ms_per_word: float


@dataclasses.dataclass(frozen=True)
class Speed:
    """What was measured of one model.

    Args:
        model: as it was named.
        file_mb: of the file, or of all files of a folder.
        start_seconds: from the start of Python to the first word, wall clock.
        start_cpu_seconds: the same in processor time.
        peak_mb: the largest resident memory of the process; None where the system does not tell (Windows).
        words: read at each batch size.
        batches: a `BatchSpeed` for each batch size.
    """

    model: str
    file_mb: float
    start_seconds: float
    start_cpu_seconds: float
    peak_mb: float | None
    words: int
    batches: list[BatchSpeed]


class SpeedError(RuntimeError):
    """A model could not be measured; says why in one line."""


def measure(
    model: str | None, files: Sequence[bytes], batch_sizes: Sequence[int], num_threads: int | None, rounds: int
) -> Speed:
    """Measures a model in a process of its own.

    Args:
        model: what `Recognizer` takes.
        files: image files, one word each.
        batch_sizes: images of a call, each at least 1.
        num_threads: what `Recognizer` takes.
        rounds: how often all files are read at each batch size.

    Raises:
        SpeedError: the process failed; with its last line.
    """
    path = find_model(model) if model else bundled_model()
    request = {
        "model": model,
        "files": [base64.b64encode(file).decode() for file in files],
        "batch_sizes": list(batch_sizes),
        "num_threads": num_threads,
        "rounds": rounds,
    }
    environment = dict(os.environ)
    package = str(pathlib.Path(__file__).resolve().parents[2])
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [package, environment.get("PYTHONPATH")]))
    started = time.time()
    result = subprocess.run(
        [sys.executable, "-m", "spin_tf.evaluation.speed", str(started)],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        env=environment,
    )
    if result.returncode != 0:
        last = (result.stderr.strip() or "no message").splitlines()[-1]
        raise SpeedError(f"{last} (process ended with {result.returncode}). Received: model={str(path)!r}")
    figures = json.loads(result.stdout.splitlines()[-1])
    batches = [BatchSpeed(**batch) for batch in figures.pop("batches")]
    return Speed(model=model or "bundled model", file_mb=_size(path) / 1e6, batches=batches, **figures)


def _size(path: pathlib.Path) -> int:
    if path.is_dir():
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    return path.stat().st_size


def _measure_here(request: JsonObject, started: float) -> JsonObject:
    files = [base64.b64decode(file) for file in request["files"]]
    # Reading the request is not part of a start.
    parsing = time.process_time()
    wall = time.time()
    recognizer = Recognizer(request["model"], num_threads=request["num_threads"])
    recognizer.read(files[0])
    start_cpu = _import_cpu + time.process_time() - parsing
    start = _imported - started + time.time() - wall
    batches = []
    for size in request["batch_sizes"]:
        groups = [files[i : i + size] for i in range(0, len(files) - size + 1, size)]
        # Once for what is made on first use: interpreters, and TensorFlow's graphs for a new size.
        for group in groups[:2]:
            recognizer.read(group)
        seconds, cpu = [], time.process_time()
        for _ in range(request["rounds"]):
            for group in groups:
                begun = time.perf_counter()
                recognizer.read(group if size > 1 else group[0])
                seconds.append(time.perf_counter() - begun)
        cpu = time.process_time() - cpu
        p50, p95 = np.percentile(seconds, (50, 95))
        words = len(seconds) * size
        batches.append(BatchSpeed(size, 1e3 * p50, 1e3 * p95, words / sum(seconds), 1e3 * cpu / words))
    return {
        "start_seconds": start,
        "start_cpu_seconds": start_cpu,
        "peak_mb": _peak_mb(),
        "words": len(files),
        "batches": [dataclasses.asdict(batch) for batch in batches],
    }


def _peak_mb() -> float | None:
    try:
        import resource
    except ImportError:
        return None
    # Linux counts kibibytes, macOS bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def table(speeds: Sequence[Speed]) -> str:
    """A Markdown table, one row for each model and batch size."""
    lines = [
        "| model | MB | start, s (processor) | peak memory, MB | images a call | p50, ms | p95, ms | words a second "
        "| processor ms a word |",
        f"|---|{'---:|' * 8}",
    ]
    for speed in speeds:
        memory = "-" if speed.peak_mb is None else f"{speed.peak_mb:.0f}"
        for batch in speed.batches:
            lines.append(
                f"| {speed.model} | {speed.file_mb:.2f} | {speed.start_seconds:.2f} ({speed.start_cpu_seconds:.2f}) "
                f"| {memory} | {batch.batch_size} | {batch.p50_ms:.2f} | {batch.p95_ms:.2f} "
                f"| {batch.words_per_second:.0f} | {batch.cpu_ms_per_word:.2f} |"
            )
    return "\n".join(lines)


def main(started: float) -> int:
    try:
        figures = _measure_here(json.loads(sys.stdin.read()), started)
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return 2
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    _imported, _import_cpu = time.time(), time.process_time()
    sys.exit(main(float(sys.argv[1])))
