"""Data sets to TFRecord shards: planned once, then converted shard by shard in several processes.

The plan gives each shard the list of its entries, chosen by a hash of seed and picture, so the shards are the same
bytes whatever the number of workers, a finished shard need not be made again after an interruption, and all entries of
one picture (and with them all duplicates of an id) meet in one shard. Everything lies in the folder PREFIX.work until
all shards are complete; nothing grows in memory with the data set.
"""

from __future__ import annotations

import concurrent.futures
import concurrent.futures.process
import multiprocessing
import os
import pathlib
import shutil
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from absl import logging

from spin_tf._files import remove_others
from spin_tf._locks import FileLock, Locked
from spin_tf._processes import ignore_interrupts, without_interrupts
from spin_tf._types import JsonObject
from spin_tf.data.conversion.entry import Entry
from spin_tf.data.conversion.plan import LOCK, Conversion, make_plan, read_json, write_json
from spin_tf.data.conversion.statistics import Statistics
from spin_tf.data.conversion.word_reader import Checks, WordReader
from spin_tf.data.records.record_file import RecordWriter
from spin_tf.data.records.tfrecord import find_shards, shard_path
from spin_tf.data.records.word_example import serialize_example

_PROGRESS_STEP = 50


def convert(
    conversion: Conversion, workers: int = 1, progress: Callable[[str, int, int | None], None] = lambda *_: None
) -> Statistics:
    """Converts a data set; resumes where an interrupted run with the same conversion stopped.

    Args:
        conversion: what to convert.
        workers: how many processes; more than shards are of no use. With more than one, a program that calls this
            does so under `if __name__ == "__main__":`, as for any spawned process.
        progress: called now and then with `"plan"` or `"convert"`, the words done and the words in all (None when
            unknown).

    Returns:
        The counts. The shards lie in `conversion.work_folder` until `publish` is called.

    Raises:
        ValueError, OSError: for inputs that cannot be read at all.
    """
    if workers < 1:
        raise ValueError(f"There is at least one worker. Received: workers={workers}")
    conversion.check_inputs_stay()
    fingerprint = conversion.fingerprint()
    work = pathlib.Path(conversion.work_folder)
    with _lock(conversion):
        plan = read_json(work / "plan.json")
        if plan is None or plan["fingerprint"] != fingerprint:
            plan = make_plan(conversion, work, fingerprint, progress)
        _convert_planned(conversion, plan, workers, progress)
    statistics = Statistics()
    statistics.read = statistics.excluded = plan["excluded"]
    for shard in range(conversion.num_shards):
        statistics.add(Statistics.from_state(_state(conversion, shard)["statistics"]))
    return statistics


def _lock(conversion: Conversion) -> FileLock:
    work = pathlib.Path(conversion.work_folder)
    work.mkdir(parents=True, exist_ok=True)
    try:
        return FileLock(work / LOCK)
    except Locked as error:
        raise ValueError(
            f"Another process is converting there now: {error}. Received: output={conversion.output!r}"
        ) from error


def _convert_planned(
    conversion: Conversion, plan: JsonObject, workers: int, progress: Callable[[str, int, int | None], None]
) -> None:
    total = plan["planned"]
    todo = [shard for shard in range(conversion.num_shards) if not _is_done(conversion, shard)]
    if len(todo) < conversion.num_shards:
        logging.info("%d of %d shards are there already.", conversion.num_shards - len(todo), conversion.num_shards)
    done = total - sum(plan["shards"][shard] for shard in todo)
    progress("convert", done, total)
    if min(workers, len(todo)) > 1:
        _convert_in_processes(conversion, todo, workers, lambda more: progress("convert", done + more, total))
    else:
        for shard in todo:
            base = done

            def report(count: int, base: int = base) -> None:
                progress("convert", base + count, total)

            done += _convert_shard(conversion, shard, report)
    progress("convert", total, total)


def publish(conversion: Conversion) -> list[str]:
    """Moves the finished shards to their names, removes older ones of the same prefix, and the work folder.

    Raises:
        ValueError: nothing was kept, or the older shards are the conversion's own input; they stay as they are.
    """
    paths = [shard_path(conversion.output, shard, conversion.num_shards) for shard in range(conversion.num_shards)]
    with _lock(conversion):
        conversion.check_inputs_stay()
        if not sum(_state(conversion, shard).get("statistics", {}).get("kept", 0) for shard in range(len(paths))):
            raise ValueError(f"No word was kept, so nothing is published. Received: output={conversion.output!r}")
        for shard, path in enumerate(paths):
            made = _work_shard(conversion, shard)
            if os.path.exists(made):
                os.replace(made, path)
        for path in remove_others(find_shards(conversion.output), paths):
            logging.info("%s of an earlier conversion is removed.", path)
    discard(conversion)
    return paths


def discard(conversion: Conversion) -> None:
    """Removes the work folder with all that was converted and not published."""
    shutil.rmtree(conversion.work_folder)


def _work_shard(conversion: Conversion, shard: int) -> str:
    return shard_path(os.path.join(conversion.work_folder, "words"), shard, conversion.num_shards)


def _state(conversion: Conversion, shard: int) -> JsonObject:
    """Size and counts of a shard that has been made; empty for one that has not."""
    return read_json(pathlib.Path(conversion.work_folder) / f"shard-{shard:05d}.json") or {}


def _is_done(conversion: Conversion, shard: int) -> bool:
    state = _state(conversion, shard)
    places = (_work_shard(conversion, shard), shard_path(conversion.output, shard, conversion.num_shards))
    return bool(state) and any(os.path.exists(p) and os.path.getsize(p) == state["size"] for p in places)


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
    write_json(work / f"shard-{shard:05d}.json", {"size": os.path.getsize(path), "statistics": statistics.to_state()})
    return statistics.read


class _Stopped(Exception):
    """The parent asked its workers to stop."""


_counter: Any = None


def _start_worker(counter: Any) -> None:
    global _counter
    _counter = counter
    # Ctrl-C reaches all processes of a terminal; the parent alone answers it.
    ignore_interrupts()


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
        with without_interrupts():
            pending = {pool.submit(_run_shard, conversion, shard) for shard in shards}
        try:
            while pending:
                finished, pending = concurrent.futures.wait(pending, timeout=0.2)
                for future in finished:
                    future.result()
                progress(counter.value)
        except concurrent.futures.process.BrokenProcessPool as error:
            message = "A worker process was killed, perhaps for want of memory; the same command goes on from there."
            raise OSError(f"{message} Received: {error}") from error
        except BaseException:
            with counter.get_lock():
                counter.value = -1 << 62
            # Waited for: a worker that is still starting would look for locks that are gone.
            pool.shutdown(wait=True, cancel_futures=True)
            raise
