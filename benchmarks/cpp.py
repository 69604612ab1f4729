#!/usr/bin/env python3
"""Processor time, wall time and memory of the C++ reader beside bin/recognize.py, in turns, on the same images.

    benchmarks/cpp.py [--spin_read=PATH] [--benchmark_model=PATH] [--cores=1] [--rounds=5] FOLDER_OR_FILE...

Each round runs either program once on all images and once on the first one alone. What a word takes is the difference
of the two by the number of words more; the start is what one word takes from the shell and back. Medians of the rounds.
"""

from __future__ import annotations

import os
import pathlib
import statistics
import subprocess
import sys
import time
from typing import NamedTuple

from absl import app, flags

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from spin_tf.cli._images import find_images

_REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
_SPIN_READ = flags.DEFINE_string("spin_read", str(_REPOSITORY / "build" / "cpp" / "spin_read"), "The C++ program.")
_BENCHMARK_MODEL = flags.DEFINE_string("benchmark_model", None, "A .tflite file; default: the bundled one.")
_CORES = flags.DEFINE_integer("cores", 1, "Cores that either may use.", 1)
_ROUNDS = flags.DEFINE_integer("rounds", 5, "Rounds in turns.", 1)


class Run(NamedTuple):
    """Seconds of the processor (user and system), seconds of the clock, and the largest resident memory in MiB."""

    processor: float
    wall: float
    memory: float


def measure(command: list[str], paths: list[str], cores: set[int]) -> tuple[Run, bytes]:
    """Runs a command on images; returns what it took and what it wrote."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [*command, *paths], stdout=subprocess.PIPE, preexec_fn=lambda: os.sched_setaffinity(0, cores)
    )
    assert process.stdout is not None
    memory = 0.0
    chunks = []
    # ru_maxrss would count what this process held when it forked; VmHWM begins anew with the program.
    while chunk := os.read(process.stdout.fileno(), 1 << 12):
        chunks.append(chunk)
        memory = max(memory, _peak_memory(process.pid))
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[0]} failed. Received: exit code {process.returncode}")
    return Run(usage.ru_utime + usage.ru_stime, wall, memory), b"".join(chunks)


def _peak_memory(pid: int) -> float:
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    # It has just ended.
    return 0.0


def main(argv: list[str]) -> None:
    paths = [found.path for found in find_images(argv[1:])]
    if len(paths) < 100:
        raise SystemExit(f"name at least 100 images. Received: {len(paths)}")
    model = [f"--model={_BENCHMARK_MODEL.value}"] if _BENCHMARK_MODEL.value else []
    programs = {
        "C++ (spin_read)": [_SPIN_READ.value, *model],
        "Python (bin/recognize.py)": [sys.executable, str(_REPOSITORY / "bin" / "recognize.py"), *model],
    }
    cores = set(sorted(os.sched_getaffinity(0))[: _CORES.value])
    many: dict[str, list[Run]] = {name: [] for name in programs}
    one: dict[str, list[Run]] = {name: [] for name in programs}
    for _ in range(_ROUNDS.value):
        outputs = []
        for name, command in programs.items():
            run, output = measure(command, paths, cores)
            many[name].append(run)
            one[name].append(measure(command, paths[:1], cores)[0])
            outputs.append(output)
        if outputs[0] != outputs[1]:
            differ = sum(a != b for a, b in zip(*(output.splitlines() for output in outputs), strict=True))
            print(f"{differ} lines differ", file=sys.stderr)
    print(f"{len(paths)} images, {_ROUNDS.value} rounds in turns, {_CORES.value} core(s), medians\n")
    print(
        "| | processor ms a word | first word, processor s | first word, clock s | memory MiB |\n|---|---|---|---|---|"
    )
    for name in programs:
        word = statistics.median(
            (a.processor - b.processor) / (len(paths) - 1) for a, b in zip(many[name], one[name], strict=True)
        )
        cells = [
            f"{1e3 * word:.2f}",
            f"{statistics.median(run.processor for run in one[name]):.3f}",
            f"{statistics.median(run.wall for run in one[name]):.3f}",
            f"{statistics.median(run.memory for run in many[name]):.0f}",
        ]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    app.run(main)
