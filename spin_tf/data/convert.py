"""Data sets to TFRecord shards: planned once, then converted shard by shard in several processes.

The plan gives each shard the list of its entries, chosen by a hash of seed and picture, so the shards are the same
bytes whatever the number of workers, a finished shard need not be made again after an interruption, and all entries of
one picture (and with them all duplicates of an id) meet in one shard. Everything lies in the folder PREFIX.work until
all shards are complete; nothing grows in memory with the data set.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import hashlib
import json
import multiprocessing
import os
import pathlib
import shutil
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from absl import logging

from spin_tf._version import __version__
from spin_tf.data.entry import Entry, read_path_list, real_path
from spin_tf.data.record_file import RecordWriter
from spin_tf.data.sources import entries
from spin_tf.data.statistics import Statistics
from spin_tf.data.tfrecord import expand_patterns, find_shards, shard_path
from spin_tf.data.word_example import serialize_example
from spin_tf.data.word_reader import Checks, WordReader

_PLAN_BUFFER = 20_000
_PROGRESS_STEP = 50


@dataclasses.dataclass(frozen=True)
class Conversion:
    """Everything that decides the bytes of the result.

    Args:
        source: a key of `spin_tf.data.sources.SOURCES`.
        inputs: its label files or folders.
        output: prefix of the shards and the report.
        checks: what a word must meet.
        num_shards: how many files.
        seed: of the spread over the shards.
        image_roots: see `spin_tf.data.sources.entries`.
        only: text files of image paths that alone are converted; empty for all.
        exclude: text files of image paths that are not converted.
    """

    source: str
    inputs: Sequence[str]
    output: str
    checks: Checks
    num_shards: int = 8
    seed: int = 0
    image_roots: Sequence[str] = ()
    only: Sequence[str] = ()
    exclude: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.num_shards <= 99_999:
            raise ValueError(f"There are 1 to 99999 shards. Received: num_shards={self.num_shards}")
        if not self.output or self.output.endswith(os.sep) or os.path.isdir(self.output):
            raise ValueError(
                f"output is a path and the start of file names, no folder. Received: output={self.output!r}"
            )

    @property
    def work_folder(self) -> str:
        return f"{self.output}.work"

    def fingerprint(self) -> str:
        """Changes when the result would: with an option, or an input's size or time."""
        files = [*self.only, *self.exclude]
        files += expand_patterns(self.inputs) if self.source == "tfrecord" else self.inputs
        states = [(os.path.abspath(f), os.stat(f).st_size, os.stat(f).st_mtime_ns) for f in files]
        options = json.dumps([__version__, dataclasses.asdict(self), states], sort_keys=True)
        return hashlib.blake2b(options.encode(), digest_size=16).hexdigest()

    def shard_of(self, entry: Entry) -> int:
        """Returns which shard an entry belongs to."""
        digest = hashlib.blake2b(f"{self.seed} {entry.group}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
        return int.from_bytes(digest, "little") % self.num_shards


def convert(
    conversion: Conversion, workers: int = 1, progress: Callable[[str, int, int | None], None] = lambda *_: None
) -> Statistics:
    """Converts a data set; resumes where an interrupted run with the same conversion stopped.

    Args:
        conversion: what to convert.
        workers: how many processes; more than shards are of no use.
        progress: called now and then with `"plan"` or `"convert"`, the words done and the words in all (None when
            unknown).

    Returns:
        The counts. The shards lie in `conversion.work_folder` until `publish` is called.

    Raises:
        ValueError, OSError: for inputs that cannot be read at all.
    """
    if workers < 1:
        raise ValueError(f"There is at least one worker. Received: workers={workers}")
    work = pathlib.Path(conversion.work_folder)
    fingerprint = conversion.fingerprint()
    plan = _read_json(work / "plan.json")
    if plan is None or plan["fingerprint"] != fingerprint:
        if work.exists():
            logging.info("%s belongs to another conversion and is started afresh.", work)
            shutil.rmtree(work)
        plan = _make_plan(conversion, work, fingerprint, progress)
    total = plan["planned"]
    statistics = Statistics()
    statistics.read = statistics.excluded = plan["excluded"]
    todo = [shard for shard in range(conversion.num_shards) if not _is_done(conversion, shard)]
    if len(todo) < conversion.num_shards:
        logging.info("%d of %d shards are there already.", conversion.num_shards - len(todo), conversion.num_shards)
    resumed = total - sum(plan["shards"][shard] for shard in todo)
    if min(workers, len(todo)) <= 1:
        done = resumed
        for shard in todo:
            base = done

            def report(count: int, base: int = base) -> None:
                progress("convert", base + count, total)

            done += _convert_shard(conversion, shard, report)
    else:
        _convert_in_processes(conversion, todo, workers, lambda done: progress("convert", resumed + done, total))
    for shard in range(conversion.num_shards):
        state = _read_json(work / f"shard-{shard:05d}.json")
        assert state is not None
        statistics.add(Statistics.from_state(state["statistics"]))
    progress("convert", total, total)
    return statistics


def publish(conversion: Conversion) -> list[str]:
    """Moves the finished shards to their names, removes older ones of the same prefix, and the work folder."""
    paths = [shard_path(conversion.output, shard, conversion.num_shards) for shard in range(conversion.num_shards)]
    stale = set(find_shards(conversion.output)) - set(paths)
    for shard, path in enumerate(paths):
        made = _work_shard(conversion, shard)
        if os.path.exists(made):
            os.replace(made, path)
    for path in stale:
        logging.info("%s of an earlier conversion is removed.", path)
        os.remove(path)
    shutil.rmtree(conversion.work_folder)
    return paths


def _work_shard(conversion: Conversion, shard: int) -> str:
    return shard_path(os.path.join(conversion.work_folder, "words"), shard, conversion.num_shards)


def _read_json(path: pathlib.Path) -> dict[str, Any] | None:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None


def _write_json(path: pathlib.Path, content: dict[str, Any]) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(content), encoding="utf-8")
    os.replace(partial, path)


def select(conversion: Conversion) -> Iterator[Entry | None]:
    """Yields the entries of a conversion; None for those that `only` and `exclude` leave out."""
    only: set[str] = set().union(*map(read_path_list, conversion.only))
    exclude: set[str] = set().union(*map(read_path_list, conversion.exclude))
    for entry in entries(conversion.source, conversion.inputs, conversion.image_roots):
        if (conversion.only or exclude) and not entry.problem:
            path = real_path(entry.path)
            if (conversion.only and path not in only) or path in exclude:
                yield None
                continue
        yield entry


def _make_plan(
    conversion: Conversion, work: pathlib.Path, fingerprint: str, progress: Callable[[str, int, int | None], None]
) -> dict[str, Any]:
    """Writes the list of entries of each shard; returns the counts."""
    work.mkdir(parents=True)
    counts = [0] * conversion.num_shards
    excluded = planned = 0
    buffers: list[list[str]] = [[] for _ in counts]

    def flush() -> None:
        for shard, lines in enumerate(buffers):
            if lines:
                with open(work / f"plan-{shard:05d}.jsonl", "a", encoding="ascii") as file:
                    file.write("".join(lines))
                lines.clear()

    for entry in select(conversion):
        if entry is None:
            excluded += 1
            continue
        shard = conversion.shard_of(entry)
        buffers[shard].append(entry.to_json() + "\n")
        counts[shard] += 1
        planned += 1
        if planned % _PLAN_BUFFER == 0:
            flush()
            progress("plan", planned, None)
    flush()
    plan = {"fingerprint": fingerprint, "planned": planned, "excluded": excluded, "shards": counts}
    _write_json(work / "plan.json", plan)
    return plan


def _is_done(conversion: Conversion, shard: int) -> bool:
    state = _read_json(pathlib.Path(conversion.work_folder) / f"shard-{shard:05d}.json")
    places = (_work_shard(conversion, shard), shard_path(conversion.output, shard, conversion.num_shards))
    return state is not None and any(os.path.exists(p) and os.path.getsize(p) == state["size"] for p in places)


def read_words(
    planned: Iterable[Entry], checks: Checks, statistics: Statistics, report: Callable[[int], None] = lambda done: None
) -> Iterator[bytes]:
    """Yields the records of one shard, in order, and counts its entries."""
    reader, seen = WordReader(checks), set[str]()
    for done, entry in enumerate(planned, start=1):
        word = reader.read(entry, statistics, seen)
        if word is not None:
            yield serialize_example(word)
        if done % _PROGRESS_STEP == 0:
            report(done)


def _convert_shard(conversion: Conversion, shard: int, report: Callable[[int], None]) -> int:
    """Writes one shard and its counts; returns how many entries it had."""
    work = pathlib.Path(conversion.work_folder)
    plan = work / f"plan-{shard:05d}.jsonl"
    # A shard without entries has no plan.
    plan.touch()
    statistics = Statistics()
    path = _work_shard(conversion, shard)
    with open(plan, encoding="ascii") as file, RecordWriter(path) as writer:
        for record in read_words(map(Entry.from_json, file), conversion.checks, statistics, report):
            writer.write(record)
    _write_json(work / f"shard-{shard:05d}.json", {"size": os.path.getsize(path), "statistics": statistics.to_state()})
    return statistics.read


class _Stopped(Exception):
    """The parent asked its workers to stop."""


_counter: Any = None


def _start_worker(counter: Any) -> None:
    global _counter
    _counter = counter
    # Ctrl-C reaches all processes of a terminal; the parent alone answers it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _run_shard(conversion: Conversion, shard: int) -> None:
    last = 0

    def report(done: int) -> None:
        nonlocal last
        with _counter.get_lock():
            if _counter.value < 0:
                raise _Stopped
            _counter.value += done - last
        last = done

    report(_convert_shard(conversion, shard, report))


def _convert_in_processes(
    conversion: Conversion, shards: list[int], workers: int, progress: Callable[[int], None]
) -> None:
    # Spawned, not forked: the caller may run threads, TensorFlow's for example.
    context = multiprocessing.get_context("spawn")
    counter = context.Value("q", 0)
    with concurrent.futures.ProcessPoolExecutor(
        min(workers, len(shards)), context, initializer=_start_worker, initargs=(counter,)
    ) as pool:
        pending = {pool.submit(_run_shard, conversion, shard) for shard in shards}
        try:
            while pending:
                finished, pending = concurrent.futures.wait(pending, timeout=0.2)
                for future in finished:
                    future.result()
                progress(counter.value)
        except BaseException:
            with counter.get_lock():
                counter.value = -1 << 62
            pool.shutdown(wait=False, cancel_futures=True)
            raise
