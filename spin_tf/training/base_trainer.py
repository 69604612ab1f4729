"""What either loop trains, made in one place for every backend and device, and how a run is saved and goes on."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import os
from typing import Any

import keras
from absl import logging

from spin_tf._locks import FileLock
from spin_tf._types import Strategy, Variable
from spin_tf.config import Config
from spin_tf.models import SPINRecognizer
from spin_tf.training import folder
from spin_tf.training.averaging import make_averages
from spin_tf.training.checkpoints import last_good, list_checkpoints, save_checkpoint
from spin_tf.training.initialize import start_from
from spin_tf.training.losses import CTCModel
from spin_tf.training.optimizer import AdamWOrMuon, Schedule
from spin_tf.training.run_state import Clock, LossGuard, RunState, TrainingError

SMALL_REPLICA_BATCH = 32


@dataclasses.dataclass
class Built:
    """What a run trains: `learner` is the model, or the model with the head that is dropped after training.

    `start` says what `training.init_from` has given it; empty where that is not asked.
    """

    model: SPINRecognizer
    learner: Any
    optimizer: AdamWOrMuon
    averages: list[Variable]
    start: str = ""

    @property
    def variables(self) -> list[Variable]:
        """All that a checkpoint holds, in an order that the same configuration gives again."""
        return [*self.learner.variables, *self.optimizer.variables, *self.averages]


def build(config: Config, model_dir: str, strategy: Strategy = None, replicas: int = 1) -> Built:
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
    start = ""
    try:
        with strategy.scope() if strategy else contextlib.nullcontext():
            # Names are part of a checkpoint's keys, and by default depend on what the process made before.
            model = SPINRecognizer(config.model, synchronized=replicas > 1 and small, name="spin_recognizer")
            if t.init_from and not list_checkpoints(model_dir):
                start = start_from(t.init_from, model, t.init_partly)
            for stage in t.freeze:
                if getattr(model, stage) is not None:
                    getattr(model, stage).trainable = False
            learner: Any = CTCModel(model, name="learner") if t.ctc_weight else model
            # Under JAX the loop sets every step's rate.
            optimizer = AdamWOrMuon(t.optimizer, t.steps, follows_schedule=t.minutes is None and uses_tensorflow)
            optimizer.build(learner.trainable_variables)
            averages = make_averages(model.trainable_variables if t.optimizer.ema else [])
    finally:
        keras.mixed_precision.set_dtype_policy("float32")
    return Built(model, learner, optimizer, averages, start)


class BaseTrainer:
    """A run in its folder, under either backend: what the other one has left goes on.

    Args:
        config: the whole configuration, validated.
        model_dir: where checkpoints and config.yaml go; a run that is there already goes on.

    Raises:
        ValueError: the folder holds a run of another model, or another run goes on in it now.
        OSError: the folder cannot be written.
    """

    # Of several processes one writes.
    _is_chief = True

    def __init__(self, config: Config, model_dir: str) -> None:
        self.config = config
        self.model_dir = model_dir
        self.state = RunState()
        self.schedule = Schedule(config.training.optimizer, config.training.steps)
        self._stop_signal: int | None = None
        self._lock: FileLock | None = None
        is_new = not os.path.isdir(model_dir)
        if self._is_chief:
            self._lock = folder.claim(model_dir, config)
        try:
            self._prepare()
            if self._is_chief:
                folder.settle(model_dir, config)
        except BaseException:
            if self._lock is not None:
                folder.leave(model_dir, self._lock, is_new)
            raise

    def _prepare(self) -> None:
        """Makes what is trained and takes over the latest checkpoint; `_build` and `_restore` are its parts."""
        self._build()
        self._restore()

    def _build(self, strategy: Strategy = None, replicas: int = 1) -> None:
        built = build(self.config, self.model_dir, strategy, replicas)
        if built.start:
            logging.info("%s", built.start)
        self.model, self.learner = built.model, built.learner
        self.optimizer, self.averages = built.optimizer, built.averages
        self._variables = built.variables

    def _restore(self) -> bool:
        """Whether there was a checkpoint, which the variables and the state now are."""
        restored = folder.restore(self.model_dir, self.config, self._variables)
        self.state = restored or RunState()
        self.guard = LossGuard(self.config.training.explode, self.state.mean_loss)
        self.clock = Clock(self.config.training.minutes, self.state.seconds)
        return restored is not None

    @property
    def step(self) -> int:
        """Steps done."""
        return self.state.step

    def _save(self) -> None:
        self.state.seconds, self.state.mean_loss = self.clock.seconds, self.guard.mean
        keep = self.config.training.keep_checkpoints
        try:
            save_checkpoint(self.model_dir, self.step, self._variables, self.state.to_dict(), keep)
        except OSError as error:
            raise TrainingError(f"step {self.step} cannot be saved: {error}; {last_good(self.model_dir)}") from error

    def _release(self) -> None:
        """Lets another run into the folder."""
        if self._lock is not None:
            self._lock.release()
