"""bin/train.py: trains a recogniser on TFRecords."""

from __future__ import annotations

from absl import flags, logging

from spin_tf import config as config_module
from spin_tf._extras import require

_CONFIG = flags.DEFINE_string("config", None, "YAML file; see configs/.", required=True)
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


def main(argv: list[str]) -> int:
    if len(argv) > 1:
        raise ValueError(f"train.py takes flags only. Received: {' '.join(argv[1:])}")
    config = config_module.load(_CONFIG.value, _SET.value)
    require("tensorflow", "Training", "train")
    from spin_tf.training.loop import Trainer
    from spin_tf.training.memory import keep_freed_memory
    from spin_tf.training.strategies import make_strategy

    keep_freed_memory()
    logging.set_verbosity(logging.INFO)
    trainer = Trainer(config, _MODEL_DIR.value, make_strategy(_STRATEGY.value))
    sizes = dict(zip(trainer.words.names, trainer.words.sizes, strict=True))
    logging.info("%s weights; words to train on: %s", f"{trainer.model.count_params():,}", sizes)
    score = trainer.train()
    if trainer.is_chief:
        print(
            f"step {trainer.step} of {config.training.steps}: validation {score.correct}/{score.words} words; "
            f"best {trainer.best if trainer.best is None else round(trainer.best, 4)}; model in {_MODEL_DIR.value}"
        )
    return 0
