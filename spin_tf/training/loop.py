"""The training loop: one code path over tf.distribute for one device, several, and several machines."""

from __future__ import annotations

import collections
import json
import os
import signal
import time
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from absl import logging

from spin_tf import config as config_module
from spin_tf.charset import Tokenizer
from spin_tf.config import Config
from spin_tf.data.pipeline import TrainingWords
from spin_tf.evaluation.metrics import Score
from spin_tf.models import SPINRecognizer, load_model
from spin_tf.training.checkpoints import list_checkpoints, restore_checkpoint, save_checkpoint, write_atomically
from spin_tf.training.initialize import transfer_weights
from spin_tf.training.losses import token_cross_entropy
from spin_tf.training.optimizer import AdamW
from spin_tf.training.validation import Validator
from spin_tf.training.watching import Progress, Watcher

SMALL_REPLICA_BATCH = 32
SHORT_ROWS = (13, 18)


class TrainingError(RuntimeError):
    """The run cannot go on; the message says at which step, on which words, and where the last good state is."""


class Trainer:
    """Trains a `SPINRecognizer`.

    Args:
        config: the whole configuration, validated.
        model_dir: where checkpoints, `best.keras`, `config.yaml` and logs go; a run that is there already goes on.
        strategy: a tf.distribute strategy; None is one device.

    Raises:
        ValueError: the folder holds a run of another configuration; no usable data; batch does not divide.
        OSError: the folder cannot be written.
    """

    def __init__(self, config: Config, model_dir: str, strategy: Any = None) -> None:
        self.config = config
        self.model_dir = model_dir
        self.strategy = strategy or tf.distribute.get_strategy()
        extended = self.strategy.extended
        resolver = self.strategy.cluster_resolver
        self.num_workers = getattr(extended, "_num_workers", 1) if resolver and resolver.task_type else 1
        self.worker = int(resolver.task_id) if self.num_workers > 1 else 0
        self.is_chief = self.worker == 0
        self.replicas = self.strategy.num_replicas_in_sync
        if self.is_chief:
            os.makedirs(model_dir, exist_ok=True)
        t = config.training
        keras.utils.set_random_seed(t.seed)
        keras.mixed_precision.set_dtype_policy(t.dtype)
        per_replica = t.batch_size // self.replicas
        with self.strategy.scope():
            self.model = SPINRecognizer(
                config.model, synchronized=self.replicas > 1 and per_replica <= SMALL_REPLICA_BATCH
            )
            if t.init_from:
                transfer_weights(load_model(t.init_from), self.model)
            self.optimizer = AdamW(t.optimizer, t.steps)
            self.optimizer.build(self.model.trainable_variables)
            self.average = (
                [
                    keras.Variable(np.asarray(v), trainable=False, dtype="float32", name=f"average_{i}")
                    for i, v in enumerate(self.model.trainable_variables)
                ]
                if t.optimizer.ema
                else []
            )
        keras.mixed_precision.set_dtype_policy("float32")
        self.tokenizer = Tokenizer(self.model.charset, config.model.max_length)
        self.words = TrainingWords(config.data, self.tokenizer, t.batch_size, t.steps, t.seed)
        self.validator = Validator(config.data.validation, self.tokenizer, self.model.image_size)
        self.step = 0
        self.best: float | None = None
        self._stop_signal: int | None = None
        self._restore()
        if self.is_chief:
            config_module.save(config, os.path.join(model_dir, "config.yaml"))

    @property
    def _state_variables(self) -> list[Any]:
        return [*self.model.variables, *self.optimizer.variables, *self.average]

    def _restore(self) -> None:
        for path in reversed(list_checkpoints(self.model_dir)):
            try:
                state = restore_checkpoint(path, self._state_variables)
            except ValueError as error:
                if "not a whole checkpoint" not in str(error):
                    raise
                logging.warning("%s", error)
                continue
            self.step, self.best = state["step"], state["best"]
            logging.info("going on at step %d from %s", self.step, path)
            return

    def _save(self) -> None:
        if self.is_chief:
            save_checkpoint(self.model_dir, self.step, self._state_variables, {"best": self.best})

    def _replica_step(self, images: Any, tokens: Any) -> tuple[Any, Any, Any]:
        """One replica's part of a step; returns loss sum, token count and gradient norm, over all replicas."""
        t = self.config.training
        context = tf.distribute.get_replica_context()
        previous, targets = tokens[:, :-1], tokens[:, 1:]
        variables = self.model.trainable_variables
        with tf.GradientTape() as tape:
            logits = self.model(images, previous, training=True)
            loss, count = token_cross_entropy(logits, targets, t.label_smoothing)
            total_count = context.all_reduce(tf.distribute.ReduceOp.SUM, count)
            share = loss / total_count
        gradients = context.all_reduce(tf.distribute.ReduceOp.SUM, tape.gradient(share, [v.value for v in variables]))
        norm = tf.linalg.global_norm(gradients)
        self.optimizer.apply(gradients, variables)
        if self.average:
            # Early on the average follows more closely, or it would remember the initial weights.
            done = tf.cast(self.optimizer.iterations.value, tf.float32)
            decay = tf.minimum(t.optimizer.ema, (1.0 + done) / (10.0 + done))
            for average, variable in zip(self.average, variables, strict=True):
                average.assign(average.value * decay + tf.cast(variable.value, tf.float32) * (1.0 - decay))
        return context.all_reduce(tf.distribute.ReduceOp.SUM, loss), total_count, norm

    def _make_step(self) -> Any:
        @tf.function
        def step(images: Any, tokens: Any) -> Any:
            loss, count, norm = self.strategy.run(self._replica_step, args=(images, tokens))
            local = self.strategy.experimental_local_results
            return local(loss)[0] / local(count)[0], local(norm)[0]

        return step

    def _make_reader(self) -> Any:
        model = self.model

        @tf.function
        def read(images: Any) -> Any:
            return tf.argmax(model.read(images, stop_at_end=True)["probabilities"], axis=-1, output_type=tf.int32)

        return lambda images: read(tf.constant(images)).numpy()

    def _trim(self, tokens: Any) -> Any:
        """Drops decoder steps that no word of the batch needs, down to one of few lengths, each of which is a graph."""
        if self.replicas > 1:
            return tokens
        longest = int(tf.math.count_nonzero(tf.reduce_any(tokens > 0, axis=0)))
        lengths = [length for length in SHORT_ROWS if longest < length < tokens.shape[1]]
        return tokens[:, : lengths[0]] if lengths else tokens

    def _dataset(self) -> Any:
        def make(context: Any) -> Any:
            return self.words.dataset(
                self.model.image_size,
                self.step,
                self.config.training.steps,
                worker=self.worker,
                num_workers=self.num_workers,
                replicas=self.replicas // self.num_workers,
            )

        if self.replicas == 1:
            return make(None)
        return self.strategy.distribute_datasets_from_function(make)

    def train(self) -> Score:
        """Runs to the last step, or to a SIGTERM, after which the state is saved.

        Returns:
            the last validation score.

        Raises:
            TrainingError: the loss is not finite, or it exploded.
        """
        t = self.config.training
        step_function = self._make_step()
        previous_handler = signal.signal(signal.SIGTERM, self._on_signal)
        recent: collections.deque[tuple[int, Any]] = collections.deque(maxlen=3)
        pending: tuple[Any, Any] | None = None
        mean_loss: float | None = None
        score = Score()
        watcher = Watcher(self.model_dir, self.step, enabled=self.is_chief)
        try:
            with Progress(t.steps, self.step, t.batch_size, enabled=self.is_chief) as progress:
                waited = time.perf_counter()
                for batch in self._dataset() if self.step < t.steps else ():
                    progress.waited(time.perf_counter() - waited)
                    recent.append((self.step, batch["ids"]))
                    current = step_function(batch["image"], self._trim(batch["tokens"]))
                    # The step before is looked at while this one runs.
                    if pending is not None:
                        mean_loss = self._check(pending, mean_loss, recent)
                    pending = current
                    self.step += 1
                    last = self.step == t.steps
                    if self.step % t.log_every == 0 or last:
                        mean_loss, pending = self._check(current, mean_loss, recent), None
                        rate = progress.update(self.step, mean_loss)
                        lr = float(self.optimizer.learning_rate)
                        watcher.log(
                            self.step, loss=float(current[0]), learning_rate=lr, gradient_norm=float(current[1]), **rate
                        )
                    if self.step % t.validate_every == 0 or last:
                        score = self._validate(watcher, progress)
                    if self.step % t.checkpoint_every == 0 or last or self._stop_signal is not None:
                        if pending is not None:
                            mean_loss, pending = self._check(pending, mean_loss, recent), None
                        self._save()
                    if self._stop_signal is not None:
                        logging.warning("stopped by signal %d at step %d; saved", self._stop_signal, self.step)
                        break
                    waited = time.perf_counter()
        finally:
            watcher.close()
            signal.signal(signal.SIGTERM, previous_handler)
        return score

    def _on_signal(self, number: int, frame: Any) -> None:
        self._stop_signal = number

    def _check(self, result: tuple[Any, Any], mean: float | None, recent: Any) -> float:
        loss = float(result[0])
        limit = self.config.training.explode
        exploded = mean is not None and limit and loss > limit * mean + 1.0
        if not np.isfinite(loss) or not np.isfinite(float(result[1])) or exploded:
            saved = list_checkpoints(self.model_dir)
            where = saved[-1] if saved else "none was written yet"
            words = [
                f"step {step}: "
                + ", ".join(
                    i.decode() for part in self.strategy.experimental_local_results(ids) for i in part.numpy()[:8]
                )
                for step, ids in recent
            ]
            raise TrainingError(
                f"loss {loss} at step {self.step}, running mean {mean}; last good checkpoint: {where}; "
                f"latest batches: {'; '.join(words)}"
            )
        return loss if mean is None else 0.98 * mean + 0.02 * loss

    def _validate(self, watcher: Any, progress: Any) -> Score:
        """Scores the averaged weights, and keeps them as best.keras where they are the best so far."""
        if not self.is_chief:
            return Score()
        if not hasattr(self, "_reader"):
            self._reader = self._make_reader()
        variables = self.model.trainable_variables
        raw = [np.asarray(v) for v in variables]
        for variable, average in zip(variables, self.average, strict=False):
            variable.assign(average.value)
        try:
            scores = self.validator.score(self._reader)
            total = scores["all"]
            values = {f"{name}_accuracy": score.word_accuracy for name, score in scores.items()}
            watcher.log(self.step, **values, one_minus_ned=total.one_minus_ned)
            progress.say(f"step {self.step}: " + ", ".join(f"{key} {value:.4f}" for key, value in values.items()))
            if self.best is None or total.word_accuracy >= self.best:
                self.best = total.word_accuracy
                write_atomically(os.path.join(self.model_dir, "best.keras"), self._save_model)
                record = json.dumps({"step": self.step, **values}, indent=1)
                write_atomically(os.path.join(self.model_dir, "best.json"), lambda path: _write_text(path, record))
        finally:
            for variable, value in zip(variables, raw, strict=True):
                variable.assign(value)
        return total

    def _save_model(self, path: str) -> None:
        """A float32 copy: a model trained with mixed precision is not read with it."""
        keras.mixed_precision.set_dtype_policy("float32")
        model = SPINRecognizer(self.config.model, charset=self.model.charset.to_dict())
        for target, source in zip(model.variables, self.model.variables, strict=True):
            target.assign(source.value)
        model.save(path)


def _write_text(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)
