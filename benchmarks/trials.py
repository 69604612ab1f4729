"""Short trainings side by side, and what each made of the same words."""

from __future__ import annotations

import concurrent.futures
import os
import pathlib
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from benchmarks.word_losses import CrossEntropy, Measured, load_words
from spin_tf import config as config_module
from spin_tf.config import Config
from spin_tf.models import load_model

_ROOT = pathlib.Path(__file__).resolve().parent.parent


def is_done(folder: pathlib.Path) -> bool:
    """Whether the commands of a trial have ended well."""
    return _record(folder).is_file()


def _record(folder: pathlib.Path) -> pathlib.Path:
    return folder / "trial.yaml"


def run_trial(folder: pathlib.Path, config: Config, commands: Iterable[list[str]], one_thread: bool) -> None:
    """Runs commands one after the other, unless that is done.

    Args:
        folder: of the trial; NAME.yaml beside it is the configuration, NAME.log what the commands print.
        config: written before the commands start.
        commands: a script under the project's root, and its arguments.
        one_thread: computes with one thread, for trials side by side.

    Raises:
        subprocess.CalledProcessError: a command failed.
        ValueError: the folder holds a finished trial of another configuration.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder.with_suffix(".yaml")
    config_module.save(config, str(path))
    if is_done(folder):
        if _record(folder).read_text(encoding="utf-8") == path.read_text(encoding="utf-8"):
            return
        raise ValueError(f"a trial of another configuration is there; remove it, or name another --work: {folder}")
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"}
    if one_thread:
        environment |= {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
    with open(folder.with_suffix(".log"), "a", encoding="utf-8") as log:
        for script, *arguments in commands:
            line = [sys.executable, str(_ROOT / script), *arguments]
            subprocess.run(line, stdout=log, stderr=log, env=environment, check=True)
    _record(folder).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    print(folder.name, "done", flush=True)


def train_command(folder: pathlib.Path) -> list[str]:
    """The training of a trial, for `run_trial`."""
    return ["bin/train.py", f"--config={folder.with_suffix('.yaml')}", f"--model_dir={folder}", "--strategy=one"]


def side_by_side(processes: int, run: Callable[..., Any], arguments: Iterable[tuple[Any, ...]]) -> None:
    """Calls `run` with each arguments, `processes` calls at a time; raises what a call raises."""
    with concurrent.futures.ThreadPoolExecutor(processes) as pool:
        for job in [pool.submit(run, *each) for each in arguments]:
            job.result()


def compare(title: str, folders: Sequence[pathlib.Path], data: Sequence[str]) -> list[list[str]]:
    """Rows of a table, heading first: words right and nats a token of each folder's model, against the first one's.

    Args:
        title: of the first column, which names the folder.
        folders: of trials.
        data: NAME=PATTERN[,PATTERN], TFRecords to read.
    """
    heading, cells = [title], [[folder.name] for folder in folders]
    models = [CrossEntropy(load_model(folder)) for folder in folders]
    for spec in data:
        name, _, patterns = spec.partition("=")
        heading += [f"{name}: right", "nats a token"]
        words = {model.preprocessing: load_words(patterns.split(","), model.preprocessing) for model in models}
        first: Measured | None = None
        for model, row in zip(models, cells, strict=True):
            measured = model.measure(*words[model.preprocessing])
            accuracy = 100 * measured.score.word_accuracy
            if first is None:
                first = measured
                row += [f"{accuracy:.1f} %", f"{measured.per_token:.4f}"]
            else:
                more = "{:+.4f} +- {:.4f}".format(*measured.beyond(first))
                row += [f"{accuracy - 100 * first.score.word_accuracy:+.1f}", more]
    return [heading, *cells]


def as_markdown(rows: list[list[str]]) -> str:
    """A table."""
    heading, *cells = rows
    return "\n".join(f"| {' | '.join(row)} |" for row in [heading, ["---"] * len(heading), *cells])
