#!/usr/bin/env python3
"""What each transformation is worth: accuracy of the paper's six variants on real words, after the same training.

    benchmarks/variants_accuracy.py --train='data/tfrecords/synth-*.tfrecord' --validation=NAME=PATTERN... [--work=DIR]

A recogniser without transformation learns to read the training words (the base). From there each variant goes on for
the same steps on the same words in the same order, its transformation as it is before it has learnt; "none" goes on
likewise. Seeds differ in the order of the words and in the fresh weights. --base_steps=0 trains all from nothing.

What is finished is kept in --work and not done again; --report only prints the table. Differences from "none" are those
of the same words, averaged over seeds; the interval is the bootstrap's, over words and seeds.
"""

from __future__ import annotations

import json
import pathlib
import sys

import numpy as np
from absl import app, flags

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from benchmarks.trials import run_trial, side_by_side, train_command
from spin_tf import config as c
from spin_tf._cores import num_cores
from spin_tf.evaluation.metrics import normalize

_TRAIN = flags.DEFINE_multi_string("train", None, "TFRecords of training words.", required=True)
_VALIDATION = flags.DEFINE_multi_string("validation", None, "NAME=PATTERN: TFRecords of real words.", required=True)
_WORK = flags.DEFINE_string("work", "data/variants", "Where models and readings go.")
_WIDTH = flags.DEFINE_integer("width", 64, "Channels of the backbone's last stages.", 16)
_BLOCKS = flags.DEFINE_list("blocks", ["1", "1", "2", "1"], "Residual blocks of the four stages.")
_BASE_STEPS = flags.DEFINE_integer("base_steps", 3000, "Steps of the base; 0 trains from nothing.", 0)
_STEPS = flags.DEFINE_integer("steps", 600, "Steps of each variant.", 1)
_BATCH = flags.DEFINE_integer("batch", 64, "Words a step.", 1)
_SEEDS = flags.DEFINE_integer("seeds", 3, "Runs of each variant.", 1)
_RATE = flags.DEFINE_float("rate", 2e-3, "Highest learning rate of the base; variants take half of it.", 0.0)
_PROCESSES = flags.DEFINE_integer("processes", num_cores(), "Runs side by side, one thread each.", 1)
_REPORT = flags.DEFINE_bool("report", False, "Print the table of what is finished, and nothing else.")


def make_config(transformation: str, steps: int, rate: float, seed: int, start: str | None) -> c.Config:
    """One run's configuration."""
    model = c.ModelConfig(charset="36", transformation=c.TransformationConfig(transformation, localization_width=16))
    model.backbone = c.BackboneConfig(_WIDTH.value, [int(count) for count in _BLOCKS.value])
    model.encoder, model.decoder = c.EncoderConfig(64, [64, 64]), c.DecoderConfig(64)
    validation: dict[str, list[str]] = {}
    for spec in _VALIDATION.value:
        name, _, pattern = spec.partition("=")
        validation.setdefault(name, []).append(pattern)
    data = c.DataConfig(train={"words": c.SourceConfig(files=list(_TRAIN.value))}, validation=validation)
    training = c.TrainingConfig(
        steps=steps, batch_size=_BATCH.value, dtype="mixed_bfloat16", seed=seed, ctc_weight=0.3, init_from=start,
        init_partly=True, validate_every=steps, checkpoint_every=500, deterministic=False,
    )  # fmt: skip
    training.optimizer = c.OptimizerConfig(
        name="muon", learning_rate=rate, warmup_steps=min(100, steps // 5), weight_decay=0.01, ema=0.99
    )
    return c.validate(c.Config(model=model, data=data, training=training))


def run(name: str, config: c.Config) -> pathlib.Path:
    """Trains and reads the validation words, where that is not done; returns the file of the readings.

    Raises:
        subprocess.CalledProcessError: of a command that failed; its output is in NAME.log.
    """
    folder = pathlib.Path(_WORK.value) / name
    readings = folder / "evaluation" / "predictions.jsonl"
    data = [f"--data={spec}" for spec in _VALIDATION.value]
    commands = [
        train_command(folder),
        ["bin/evaluate.py", f"--model={folder}", *data, f"--output={folder}/evaluation"],
    ]
    run_trial(folder, config, commands, one_thread=_PROCESSES.value > 1)
    return readings


def read_right(path: pathlib.Path) -> np.ndarray:
    """Which words were read right, in their order."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return np.array([row["correct"] for row in rows if normalize(row["truth"])], float)


def interval(differences: np.ndarray) -> tuple[float, float]:
    """95 % interval of the mean of (seeds, words), both drawn with replacement 2,000 times."""
    rng = np.random.default_rng(0)
    seeds, words = differences.shape
    means = [
        differences[rng.integers(seeds, size=seeds)].mean(0)[rng.integers(words, size=words)].mean()
        for _ in range(2000)
    ]
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def table(right: dict[str, np.ndarray]) -> str:
    """A row for each variant; `right` holds (seeds, words) of what was read right."""
    lines = ["| variant | accuracy | of each seed | against none | 95 % interval |", "|---|---|---|---|---|"]
    for name, mine in right.items():
        seeds = ", ".join(f"{value:.1%}" for value in mine.mean(1))
        line = f"| {name} | {mine.mean():.1%} | {seeds} |"
        if name == "none" or "none" not in right or right["none"].shape != mine.shape:
            lines.append(f"{line} | |")
            continue
        difference = mine - right["none"]
        low, high = interval(difference)
        lines.append(f"{line} {100 * difference.mean():+.1f} | {100 * low:+.1f} to {100 * high:+.1f} |")
    return "\n".join(lines)


def main(_: list[str]) -> None:
    work = pathlib.Path(_WORK.value)
    start, rate = None, _RATE.value
    if _BASE_STEPS.value and not _REPORT.value:
        start = str(run("base", make_config("none", _BASE_STEPS.value, rate, 0, None)).parent.parent)
        rate /= 2
    if not _REPORT.value:
        trials = [
            (f"{name}_{seed}", make_config(name, _STEPS.value, rate, seed, start))
            for seed in range(1, _SEEDS.value + 1)
            for name in c.TRANSFORMATIONS
        ]
        side_by_side(_PROCESSES.value, run, trials)
    right = {}
    for name in c.TRANSFORMATIONS:
        files = sorted(work.glob(f"{name}_*/evaluation/predictions.jsonl"))
        if files:
            right[name] = np.stack([read_right(file) for file in files])
    print(table(right))


if __name__ == "__main__":
    app.run(main)
