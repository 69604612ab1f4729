#!/usr/bin/env python3
"""What a configuration learns in a given time, or of as many words: trainings that differ in a few settings.

    benchmarks/equal_time.py --config=configs/spin_words.yaml --trial=NAME[:KEY=VALUE[;KEY=VALUE]] [--trial=...]
        --data=NAME=PATTERN[,PATTERN]... [--minutes=10 | --steps=N] [--work=DIR]

Each trial trains on one thread for the same time by the clock, starting up included, or for the same steps, through its
whole learning rate schedule; --processes of them run side by side, so let nothing else run where time counts. A row is
what a trial made of the words of each --data set: words right, and cross entropy a token, of all but the first as
differences from the first with their standard error. Trials that are finished are kept in --work and not done again;
--report only prints the table of those.
"""

from __future__ import annotations

import json
import pathlib
import sys

import numpy as np
from absl import app, flags

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from benchmarks.trials import as_markdown, compare, is_done, run_trial, side_by_side, train_command
from spin_tf import config as c
from spin_tf._cores import num_cores
from spin_tf.training.checkpoints import list_checkpoints

_CONFIG = flags.DEFINE_string("config", None, "The configuration that all trials share.", required=True)
_SET = flags.DEFINE_multi_string("set", [], "KEY=VALUE for all trials, as bin/train.py takes it.")
_TRIALS = flags.DEFINE_multi_string("trial", None, "NAME, or NAME:KEY=VALUE;KEY=VALUE.", required=True)
_MEASURED = flags.DEFINE_multi_string("data", None, "NAME=PATTERN[,PATTERN]: TFRecords to read.", required=True)
_MINUTES = flags.DEFINE_float("minutes", 10.0, "How long each trains.", 0.1)
_STEPS = flags.DEFINE_integer("steps", None, "How many steps each trains, in place of the minutes.", 1)
_WORK = flags.DEFINE_string("work", "data/equal_time", "Where models go.")
_PROCESSES = flags.DEFINE_integer("processes", num_cores(), "Trials side by side, one thread each.", 1)
_REPORT = flags.DEFINE_bool("report", False, "Print the table of what is finished, and nothing else.")


def make_config(settings: list[str]) -> c.Config:
    """The configuration of a trial: its rate falls to the end, nothing is validated on the way.

    Raises:
        ValueError: the values do not fit.
    """
    length = [f"training.minutes={_MINUTES.value}", "training.steps=1000000"]
    if _STEPS.value:
        length = [f"training.steps={_STEPS.value}"]
    always = [*length, "training.validate_every=1000000"]
    always += ["training.checkpoint_every=1000000", "training.optimizer.schedule=cosine"]
    # No averages: they would remember the start.
    always += ["training.optimizer.warmup_steps=20", "training.optimizer.ema=0", "data.validation={}"]
    return c.load(_CONFIG.value, [*always, *_SET.value, *settings])


def num_steps(folder: str) -> int:
    """Steps of a run, from its last checkpoint."""
    with np.load(list_checkpoints(folder)[-1], allow_pickle=False) as data:
        return int(json.loads(data["state"].tobytes())["step"])


def main(_: list[str]) -> None:
    work = pathlib.Path(_WORK.value)
    settings = {}
    for spec in _TRIALS.value:
        name, _, values = spec.partition(":")
        settings[work / name] = values.split(";") if values else []
    if not _REPORT.value:
        trials = [(f, make_config(values), [train_command(f)], True) for f, values in settings.items()]
        side_by_side(_PROCESSES.value, run_trial, trials)
    done = [folder for folder in settings if is_done(folder)]
    rows = compare("trial", done, _MEASURED.value)
    for row, folder in zip(rows[1:], done, strict=True):
        batch = c.load(str(folder / "config.yaml")).training.batch_size
        row.insert(1, f"{num_steps(str(folder)) * batch:,}")
    rows[0].insert(1, "words seen")
    print(as_markdown(rows))


if __name__ == "__main__":
    app.run(main)
