#!/usr/bin/env python3
"""How fast words become TFRecords and TFRecords become words again: python benchmarks/data.py [--num_words=20000]

Processor seconds (user and system, children included) are what a core costs whatever else runs on the machine; wall
seconds are those of this machine now. Pictures are those of ../shared/data/real/mjsynth, hard-linked under as many
names as words are asked for, or made ones of their size. `--memory_words=1000000` adds the memory of a large
conversion: the largest sum of the resident memory of all its processes, seen twice a second.
"""

from __future__ import annotations

import io
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator

import numpy as np
from absl import app, flags
from PIL import Image

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from spin_tf.contract.preprocessing import preprocess  # noqa: E402
from spin_tf.data.images import decode_image  # noqa: E402
from spin_tf.data.records.tfrecord import RecordIndex, parse_example  # noqa: E402

_NUM_WORDS = flags.DEFINE_integer("num_words", 20_000, "words of each measurement of speed", lower_bound=1000)
_MEMORY_WORDS = flags.DEFINE_integer("memory_words", 0, "words of the measurement of memory; 0 leaves it out")
_FOLDER = flags.DEFINE_string("folder", None, "where to work; a temporary folder by default")


def pictures(folder: pathlib.Path) -> list[pathlib.Path]:
    """MJSynth's own sample, or 500 noisy pictures of 31 x 100 pixels where it is not at hand."""
    real = sorted((REPOSITORY.parent / "shared" / "data" / "real" / "mjsynth").glob("*/*/*.jpg"))
    made = []
    random = np.random.default_rng(0)
    for i in range(len(real) or 500):
        path = folder / "pictures" / f"{i}.jpg"
        path.parent.mkdir(exist_ok=True)
        if real:
            path.write_bytes(real[i].read_bytes())
        else:
            noise = Image.fromarray(random.integers(0, 256, (8, 25, 3), dtype=np.uint8)).resize((100, 31))
            stream = io.BytesIO()
            noise.save(stream, "JPEG", quality=90)
            path.write_bytes(stream.getvalue())
        made.append(path)
    return made


def data_set(folder: pathlib.Path, sources: list[pathlib.Path], count: int) -> pathlib.Path:
    """A folder in MJSynth's layout, of hard links; returns its annotation file."""
    root = folder / f"words{count}"
    with open(folder / f"annotation_{count}.txt", "w") as annotation:
        for i in range(count):
            place = root / str(i // 1000)
            if i % 1000 == 0:
                place.mkdir(parents=True)
            os.link(sources[i % len(sources)], place / f"{i}_word_{i}.jpg")
            annotation.write(f"./{place.relative_to(folder)}/{i}_word_{i}.jpg {i}\n")
    return pathlib.Path(annotation.name)


def resident(process: int) -> int:
    """Resident bytes of a process and all that descend from it, memory they share counted once where Linux tells."""
    total, waiting = 0, [process]
    while waiting:
        pid = waiting.pop()
        try:
            rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
            total += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) * 1024
            waiting += map(int, pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        except (OSError, StopIteration):
            continue
    return total


def convert(annotation: pathlib.Path, output: pathlib.Path, *options: str) -> tuple[float, float, int, int]:
    """Runs bin/create_tfrecords.py; returns processor seconds, wall seconds, most resident bytes and words kept."""
    command = [sys.executable, str(REPOSITORY / "bin" / "create_tfrecords.py"), "--source=mjsynth"]
    command += [f"--input={annotation}", f"--output={output}", *options]
    before, start, most = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter(), 0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            most = max(most, resident(process.pid))
            time.sleep(0.5)
    if process.returncode:
        raise RuntimeError(f"The conversion failed. Received: command={command}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    kept = json.loads(pathlib.Path(f"{output}.report.json").read_text())["kept"]
    return seconds, time.perf_counter() - start, most, kept


def measure(work: Callable[[], object]) -> tuple[float, float]:
    """Processor and wall seconds of a call."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


def row(name: str, count: int, cpu: float, wall: float, most: int = 0) -> str:
    """One line of the table."""
    memory = f"{most / 2**20:.0f} MiB" if most else ""
    return f"| {name} | {count:,} | {count / cpu:,.0f} | {count / wall:,.0f} | {memory} |"


def measurements(folder: pathlib.Path) -> Iterator[str]:
    """The lines of the table."""
    sources = pictures(folder)
    annotation = data_set(folder, sources, _NUM_WORDS.value)
    for check in ("header", "decode"):
        for workers in (1, 2):
            output = folder / f"{check}{workers}"
            cpu, wall, most, kept = convert(annotation, output, f"--image_check={check}", f"--workers={workers}")
            yield row(
                f"create_tfrecords, {check} check, {workers} process{'es' * (workers > 1)}", kept, cpu, wall, most
            )
    pattern = f"{folder}/decode1-*.tfrecord"
    index = RecordIndex(pattern)
    yield row("index of the shards", len(index), *measure(lambda: RecordIndex(pattern)))
    order = np.random.default_rng(0).permutation(len(index)).tolist()
    yield row("random read and parse", len(index), *measure(lambda: [parse_example(index.read(i)) for i in order]))
    few = [parse_example(index.read(i)).encoded for i in order[:2000]]
    yield row("decode (Pillow)", len(few), *measure(lambda: [decode_image(data) for data in few]))
    arrays = [decode_image(data) for data in few]
    yield row("preprocess to 32 x 100", len(few), *measure(lambda: [preprocess(array) for array in arrays]))
    if _MEMORY_WORDS.value:
        annotation = data_set(folder, sources, _MEMORY_WORDS.value)
        cpu, wall, most, kept = convert(
            annotation, folder / "large", "--num_shards=64", "--workers=2", "--image_check=header"
        )
        yield row("create_tfrecords, header check, 2 processes", kept, cpu, wall, most)


def main(argv: list[str]) -> None:
    """Prints the table."""
    if len(argv) > 1:
        raise app.UsageError(f"All options are flags. Received: {argv[1:]}")
    with tempfile.TemporaryDirectory(dir=_FOLDER.value) as folder:
        print("| what | words | words a second of one core | words a second, wall | memory |")
        print("|---|---:|---:|---:|---:|")
        for line in measurements(pathlib.Path(folder)):
            print(line, flush=True)


if __name__ == "__main__":
    app.run(main)
