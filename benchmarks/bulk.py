"""Words a processor second of bin/recognize_beam.py beside `Recognizer.read_many` on the same files.

python benchmarks/bulk.py --images=DIR [--words=2000,8000] [--workers=2] [--rounds=3]

Runs in the environment with Apache Beam. Each count of words is read by both, in turns, every process of each counted
with its start; the difference between the counts is what a further word costs. User and system time.
"""

from __future__ import annotations

import itertools
import json
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile

from absl import app, flags

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
_IMAGES = flags.DEFINE_string(
    "images", None, "folder of word images, searched through; they are linked as often as needed"
)
_WORDS = flags.DEFINE_list("words", ["2000", "8000"], "two counts of words")
_WORKERS = flags.DEFINE_integer("workers", 2, "processes of the Direct runner")
_ROUNDS = flags.DEFINE_integer("rounds", 3, "rounds in turns; medians are told")
_SUFFIXES = {".png", ".jpg", ".jpeg"}

ALONE = """
import pathlib, sys
from spin_tf import Recognizer
paths = sorted(pathlib.Path(sys.argv[1]).iterdir())
print(sum(1 for _ in Recognizer(num_threads=1).read_many(paths)))
"""


def fill(folder: pathlib.Path, count: int) -> None:
    """Links `count` images into a new folder."""
    sources = [path for path in sorted(pathlib.Path(_IMAGES.value).rglob("*")) if path.suffix.lower() in _SUFFIXES]
    folder.mkdir()
    for i, source in zip(range(count), itertools.cycle(sources)):
        (folder / f"{i:08d}{source.suffix}").symlink_to(source.resolve())


def seconds(*command: str) -> float:
    """Processor seconds of a command and all its processes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    result = subprocess.run([sys.executable, *command], env=environment, capture_output=True, text=True)
    if result.returncode:
        raise RuntimeError(result.stderr)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(argv: list[str]) -> None:
    few, many = (int(count) for count in _WORDS.value)
    times: dict[tuple[str, int], list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for count in (few, many):
            fill(folder / str(count), count)
        for _, count in itertools.product(range(_ROUNDS.value), (few, many)):
            images = folder / str(count)
            times.setdefault(("alone", count), []).append(seconds("-c", ALONE, str(images)))
            output = folder / "out" / "w"
            command = ["bin/recognize_beam.py", f"--input={images}/*", f"--output={output}", "--"]
            command += [f"--direct_num_workers={_WORKERS.value}", "--direct_running_mode=multi_processing"]
            command[0] = str(REPOSITORY / command[0])
            times.setdefault(("beam", count), []).append(seconds(*command))
            rows = [json.loads(line) for path in output.parent.iterdir() for line in path.open()]
            if len({row["path"] for row in rows}) != count:
                raise RuntimeError(f"{len(rows)} rows for {count} images")
            shutil.rmtree(output.parent)
    median = {key: statistics.median(values) for key, values in times.items()}
    print("| what | words a processor second, start included | for a further word |")
    print("|---|---:|---:|")
    further = {}
    for reader, label in (("alone", "`Recognizer.read_many`, one thread"), ("beam", "`recognize_beam`")):
        further[reader] = (many - few) / (median[reader, many] - median[reader, few])
        print(f"| {label} | {many / median[reader, many]:.0f} ({many:,} words) | {further[reader]:.0f} |")
    whole = median["alone", many] / median["beam", many]
    print(f"| ratio | {whole:.2f} | {further['beam'] / further['alone']:.2f} |")
    print(f"start of `recognize_beam`: {median['beam', few] - few / further['beam']:.1f} processor seconds")
    print(json.dumps({f"{reader} {count}": values for (reader, count), values in times.items()}))


if __name__ == "__main__":
    app.run(main)
