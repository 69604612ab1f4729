"""The plan of a conversion: which entries of a data set go to which shard, decided before any picture is read."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import pathlib
import shutil
from collections.abc import Callable, Iterator, Sequence

from spin_tf._files import place, write_text
from spin_tf._types import JsonObject
from spin_tf._version import __version__
from spin_tf.data.conversion.entry import Entry, read_path_list, real_path
from spin_tf.data.conversion.sources import entries, label_files
from spin_tf.data.conversion.word_reader import Checks
from spin_tf.data.records.tfrecord import expand_patterns, find_shards

LOCK = "lock"
_PLAN_BUFFER = 20_000


@dataclasses.dataclass(frozen=True)
class Conversion:
    """Everything that decides the bytes of the result.

    Args:
        source: a key of `spin_tf.data.conversion.sources.SOURCES`.
        inputs: its label files or folders.
        output: prefix of the shards and the report.
        checks: what a word must meet.
        num_shards: how many files.
        seed: of the spread over the shards.
        image_roots: see `spin_tf.data.conversion.sources.entries`.
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
        states = [
            (os.path.abspath(f), os.stat(f).st_size, os.stat(f).st_mtime_ns)
            for given in files
            for f in (given, *label_files(self.source, given))
        ]
        options = json.dumps([__version__, dataclasses.asdict(self), states], sort_keys=True)
        return hashlib.blake2b(options.encode(), digest_size=16).hexdigest()

    def check_inputs_stay(self) -> None:
        """Sees to it that the new shards do not take the place of what they are made from.

        Raises:
            ValueError: an input of TFRecords is a shard of the same prefix.
        """
        if self.source == "tfrecord":
            replaced = {place(path) for path in find_shards(self.output)}
            own = [path for path in expand_patterns(self.inputs) if place(path) in replaced]
            if own:
                raise ValueError(
                    "The output would replace its own input; take another prefix. "
                    f"Received: input={own[0]!r}, output={self.output!r}"
                )

    def shard_of(self, entry: Entry) -> int:
        """Returns which shard an entry belongs to."""
        digest = hashlib.blake2b(f"{self.seed} {entry.group}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
        return int.from_bytes(digest, "little") % self.num_shards


def read_json(path: pathlib.Path) -> JsonObject | None:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None


def write_json(path: pathlib.Path, content: JsonObject) -> None:
    write_text(str(path), json.dumps(content))


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


def make_plan(
    conversion: Conversion, work: pathlib.Path, fingerprint: str, progress: Callable[[str, int, int | None], None]
) -> JsonObject:
    """Writes the list of entries of each shard; returns the counts."""
    for stale in work.iterdir():
        if stale.name != LOCK:
            stale.unlink()
    counts = [0] * conversion.num_shards
    excluded = planned = 0
    buffers: list[list[str]] = [[] for _ in counts]

    def flush() -> None:
        for shard, lines in enumerate(buffers):
            if lines:
                with open(work / f"plan-{shard:05d}.jsonl", "a", encoding="ascii") as file:
                    file.write("".join(lines))
                lines.clear()

    try:
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
    except BaseException:
        # Half a plan is of no use, and a wrong input leaves nothing behind.
        shutil.rmtree(work, ignore_errors=True)
        raise
    plan = {"fingerprint": fingerprint, "planned": planned, "excluded": excluded, "shards": counts}
    write_json(work / "plan.json", plan)
    return plan
