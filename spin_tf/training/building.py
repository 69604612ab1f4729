"""What a run trains: the model, the optimizer and the averages, made in one place for every backend and device."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
from typing import Any

import keras
from absl import logging

from spin_tf.config import Config
from spin_tf.models import SPINRecognizer
from spin_tf.training.averages import make_averages
from spin_tf.training.checkpoints import list_checkpoints
from spin_tf.training.ctc import CTCModel
from spin_tf.training.initialize import start_from
from spin_tf.training.optimizer import AdamW

SMALL_REPLICA_BATCH = 32


@dataclasses.dataclass
class Built:
    """What a run trains: `learner` is the model, or the model with the head that is dropped after training."""

    model: SPINRecognizer
    learner: Any
    optimizer: AdamW
    averages: list[Any]

    @property
    def variables(self) -> list[Any]:
        """All that a checkpoint holds, in an order that the same configuration gives again."""
        return [*self.learner.variables, *self.optimizer.variables, *self.averages]


def build(config: Config, model_dir: str, strategy: Any = None, replicas: int = 1) -> Built:
    """Makes model, optimizer and averages, the same on every machine, in every process and under either backend.

    Args:
        config: the whole configuration.
        model_dir: of the run; where it has checkpoints, `training.init_from` has done its work.
        strategy: of tf.distribute, or None.
        replicas: devices of all processes.

    Raises:
        ValueError: less than half of the weights of `training.init_from` fits, see `start_from`.
    """
    t = config.training
    uses_tensorflow = keras.backend.backend() == "tensorflow"
    keras.utils.set_random_seed(t.seed)
    if t.deterministic and replicas == 1 and uses_tensorflow:
        importlib.import_module("tensorflow").config.experimental.enable_op_determinism()
    keras.mixed_precision.set_dtype_policy(t.dtype)
    small = t.batch_size // replicas <= SMALL_REPLICA_BATCH
    try:
        with strategy.scope() if strategy else contextlib.nullcontext():
            # Names are part of a checkpoint's keys, and by default depend on what the process made before.
            model = SPINRecognizer(config.model, synchronized=replicas > 1 and small, name="spin_recognizer")
            if t.init_from and not list_checkpoints(model_dir):
                logging.info("%s", start_from(t.init_from, model, t.init_partly))
            for stage in t.freeze:
                if getattr(model, stage) is not None:
                    getattr(model, stage).trainable = False
            learner: Any = CTCModel(model, name="learner") if t.ctc_weight else model
            # Under JAX the loop sets every step's rate.
            optimizer = AdamW(t.optimizer, t.steps, follows_schedule=t.minutes is None and uses_tensorflow)
            optimizer.build(learner.trainable_variables)
            averages = make_averages(model.trainable_variables if t.optimizer.ema else [])
    finally:
        keras.mixed_precision.set_dtype_policy("float32")
    return Built(model, learner, optimizer, averages)
