"""Trains a recogniser on TFRecords; started again with the same command, a run goes on where it was.

bin/train.py --config=quickstart --model_dir=runs/quickstart --dry_run
bin/train.py --config=quickstart --model_dir=runs/quickstart [--set training.steps=400]...
bin/train.py --config=finetune --model_dir=runs/mine --set "data.train.mine.files=[data/mine-*.tfrecord]"

A configuration is a YAML file, or the name of one that travels with the package; docs/training.md says what is in them.
The best weights so far are DIR/best.keras, which every other command takes as --model=DIR. --dry_run reads the data
once and says what would happen.
"""

from __future__ import annotations

import os
import sys

from absl import flags, logging

from spin_tf import config as config_module
from spin_tf._extras import require
from spin_tf.cli._run import flags_only, log_progress

_CONFIG = flags.DEFINE_string("config", None, "YAML file, or the name of a recipe such as quickstart", required=True)
_MODEL_DIR = flags.DEFINE_string(
    "model_dir",
    None,
    "Folder of checkpoints, best.keras, config.yaml and logs; an unfinished run in it goes on.",
    required=True,
)
_SET = flags.DEFINE_multi_string("set", [], "key=value, overrides the file; dotted keys, may be repeated.")
_STRATEGY = flags.DEFINE_enum(
    "strategy", "auto", ["auto", "one", "mirrored", "multi_worker"], "How the work is spread over devices."
)
_CPU_DEVICES = flags.DEFINE_integer(
    "cpu_devices", 1, "Logical processors of one thread each for --strategy=mirrored without GPUs.", 1
)
_CLUSTER_TIMEOUT = flags.DEFINE_float(
    "cluster_timeout", 1800.0, "Seconds that multi_worker waits for the other machines of TF_CONFIG.", 0.0
)
_DRY_RUN = flags.DEFINE_bool(
    "dry_run", False, "Check data, charset, shapes and memory, and say what would happen; nothing is written."
)


def main(argv: list[str]) -> int:
    flags_only(argv)
    config = config_module.load(_CONFIG.value, _SET.value)
    require("tensorflow", "Training", "train")
    if _STRATEGY.value == "multi_worker" and os.environ.get("TF_CPP_MIN_LOG_LEVEL") == "2":
        # A machine that is gone is told in one line; TensorFlow's libraries would write a page of it.
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    from spin_tf.training.run_state import TrainingError
    from spin_tf.training.strategies import make_strategy, split_processor

    if _CPU_DEVICES.value > 1 and _STRATEGY.value != "mirrored":
        raise ValueError(
            f"--cpu_devices is for --strategy=mirrored. Received: --cpu_devices={_CPU_DEVICES.value} "
            f"--strategy={_STRATEGY.value}"
        )
    # Before anything else of TensorFlow: a cluster is joined before the first operation.
    split_processor(_CPU_DEVICES.value)
    strategy = make_strategy(_STRATEGY.value, _CLUSTER_TIMEOUT.value)
    if _DRY_RUN.value:
        from spin_tf.training.dry_run import dry_run

        for line in dry_run(config, _MODEL_DIR.value, strategy):
            print(line, flush=True)
        return 0

    from spin_tf.training.loop import Trainer
    from spin_tf.training.strategies import keep_freed_memory

    keep_freed_memory()
    log_progress()
    try:
        trainer = Trainer(config, _MODEL_DIR.value, strategy)
        sizes = dict(zip(trainer.words.names, trainer.words.sizes, strict=True))
        logging.info("%s weights; words to train on: %s", f"{trainer.model.count_params():,}", sizes)
        score = trainer.train()
    except TrainingError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    if trainer.place.is_chief:
        best = trainer.best.accuracy
        validated = f"validation {score.correct}/{score.words} words; " if score.words else ""
        print(
            f"step {trainer.step} of {config.training.steps}: {validated}"
            f"best {best if best is None else round(best, 4)}; model in {_MODEL_DIR.value}"
        )
    return 128 + trainer.stopped_by if trainer.stopped_by else 0
