#!/usr/bin/env python3
"""What each source of training words is worth: the same short run with all of them, and without each in turn.

    benchmarks/sources_accuracy.py --config=configs/spin_words.yaml --data=NAME=PATTERN[,PATTERN]... [--work=DIR]

All runs go on from `training.init_from` with the same rate and the same number of words; what a source leaves free is
shared among the others. With --leave_out=a+b,c the two sources a and b are left out together, then c. Runs that are
finished are kept in --work and not done again; --report only prints the table of those.

A row is how much the run without the source lacks: words right, and cross entropy a token of the same words with its
standard error, for each --data set.
"""

from __future__ import annotations

import dataclasses
import pathlib
import sys

from absl import app, flags

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from benchmarks.trials import as_markdown, compare, is_done, run_trial, side_by_side, train_command
from spin_tf import config as c
from spin_tf._cores import num_cores

_CONFIG = flags.DEFINE_string("config", None, "A configuration; its sources are those that are tried.", required=True)
_SET = flags.DEFINE_multi_string("set", [], "KEY=VALUE, as bin/train.py takes it.")
_MEASURED = flags.DEFINE_multi_string("data", None, "NAME=PATTERN[,PATTERN]: TFRecords to read.", required=True)
_LEAVE_OUT = flags.DEFINE_list("leave_out", [], "Sources, or groups joined by +; each source in turn by default.")
_WORK = flags.DEFINE_string("work", "data/sources", "Where models go.")
_STEPS = flags.DEFINE_integer("steps", 300, "Steps of each run.", 1)
_PROCESSES = flags.DEFINE_integer("processes", num_cores(), "Runs side by side, one thread each.", 1)
_REPORT = flags.DEFINE_bool("report", False, "Print the table of what is finished, and nothing else.")

ALL = "all"


def make_config(left_out: list[str]) -> c.Config:
    """The configuration without some sources, for a short run: its rate falls from a tenth on, nothing is validated.

    Raises:
        ValueError: it has no such source, or the values do not fit.
    """
    steps = _STEPS.value
    overrides = [f"training.steps={steps}", f"training.validate_every={steps}", f"training.checkpoint_every={steps}"]
    overrides += ["training.optimizer.schedule=cosine", f"training.optimizer.warmup_steps={max(steps // 10, 1)}"]
    # No averages: they would remember the start.
    config = c.load(_CONFIG.value, [*overrides, "training.optimizer.ema=0", "data.validation={}", *_SET.value])
    unknown = sorted(set(left_out) - config.data.train.keys())
    if unknown:
        raise ValueError(f"--leave_out: no such source: {', '.join(unknown)}. It has {', '.join(config.data.train)}")
    kept = {name: source for name, source in config.data.train.items() if name not in left_out}
    return c.validate(dataclasses.replace(config, data=dataclasses.replace(config.data, train=kept)))


def main(_: list[str]) -> None:
    groups = _LEAVE_OUT.value or list(make_config([]).data.train)
    work = pathlib.Path(_WORK.value)
    folders = {name: work / name for name in [ALL, *groups]}
    if not _REPORT.value:
        trials = []
        for name, folder in folders.items():
            config = make_config([] if name == ALL else name.split("+"))
            trials.append((folder, config, [train_command(folder)], _PROCESSES.value > 1))
        side_by_side(_PROCESSES.value, run_trial, trials)
    done = [folder for folder in folders.values() if is_done(folder)]
    print(as_markdown(compare("without", done, _MEASURED.value)))


if __name__ == "__main__":
    app.run(main)
