"""Pretraining under JAX: the model, losses, optimizer, schedule and configuration of the TensorFlow loop."""

from __future__ import annotations

import collections
import importlib
from typing import Any

import numpy as np
from absl import logging

from spin_tf._processes import answered_by
from spin_tf._types import Tensor
from spin_tf.config import Config
from spin_tf.models.loading import save_weights
from spin_tf.training.averaging import NUM_BATCHES, recalibrate
from spin_tf.training.base_trainer import BaseTrainer
from spin_tf.training.checkpoints import last_good
from spin_tf.training.jax_words import WordStream
from spin_tf.training.losses import training_loss
from spin_tf.training.run_state import TrainingError


class JaxTrainer(BaseTrainer):
    """Trains a `SPINRecognizer` on one device.

    Args:
        config: the whole configuration, validated.
        model_dir: where checkpoints, weights and config.yaml go; a run that is there already goes on.
        words: gives the batch of any step.

    Raises:
        ValueError: the folder holds a run of another model.
        OSError: the folder cannot be written.
    """

    def __init__(self, config: Config, model_dir: str, words: WordStream) -> None:
        super().__init__(config, model_dir)
        self._words = words

    @property
    def stopped_by(self) -> int | None:
        """The signal that ended the run before its end."""
        return None if self._is_finished else self._stop_signal

    def _make_step(self) -> Any:
        jax = importlib.import_module("jax")
        jnp = importlib.import_module("jax.numpy")
        model, optimizer, t = self.learner, self.optimizer, self.config.training
        has_averages = bool(self.averages)

        def loss_of(trainable: list[Tensor], rest: list[Tensor], images: Tensor, tokens: Tensor) -> Tensor:
            outputs, rest = model.stateless_call(trainable, rest, images, tokens[:, :-1], training=True)
            loss, count = training_loss(outputs, tokens[:, 1:], t.label_smoothing, t.ctc_weight)
            return loss / count, rest

        def step(state: Any, images: Tensor, tokens: Tensor, rate: Tensor) -> Tensor:
            trainable, rest, slots, averages = state
            (loss, rest), gradients = jax.value_and_grad(loss_of, has_aux=True)(trainable, rest, images, tokens)
            norm = jnp.sqrt(sum(jnp.sum(jnp.square(gradient)) for gradient in gradients))
            slots = [
                rate if v is optimizer.learning_rate else s for v, s in zip(optimizer.variables, slots, strict=True)
            ]
            trainable, slots = optimizer.stateless_apply(slots, gradients, trainable)
            if has_averages:
                done = slots[0].astype("float32")
                decay = jnp.minimum(t.optimizer.ema, (1.0 + done) / (10.0 + done))
                averages = [a * decay + v * (1.0 - decay) for a, v in zip(averages, trainable, strict=False)]
            return (trainable, rest, slots, averages), loss, norm

        return jax.jit(step, donate_argnums=0)

    def _state(self) -> Any:
        groups = self.learner.trainable_variables, self.learner.non_trainable_variables, self.optimizer.variables
        return tuple([v.value for v in group] for group in (*groups, self.averages))

    def _put_back(self, state: Any) -> None:
        groups = self.learner.trainable_variables, self.learner.non_trainable_variables, self.optimizer.variables
        for group, values in zip((*groups, self.averages), state, strict=True):
            for variable, value in zip(group, values, strict=True):
                variable.assign(value)

    @property
    def _is_finished(self) -> bool:
        if self.clock.limit is None:
            return self.step >= self.config.training.steps
        return self.clock.is_over

    def train(self) -> float:
        """Runs to the end, or to a SIGTERM or SIGINT, after which the state is saved; returns the mean loss.

        Raises:
            TrainingError: the loss is not finite, or it exploded; the checkpoint cannot be written.
        """
        try:
            with answered_by(self._on_signal):
                return self._run()
        except (MemoryError, RuntimeError) as error:
            # JAX tells of memory in an error of its own, which other versions call otherwise.
            if not isinstance(error, MemoryError) and "RESOURCE_EXHAUSTED" not in str(error):
                raise
            raise TrainingError(
                f"step {self.step}: the memory of this machine or device has no room "
                f"({' '.join(str(error).split())[:200] or 'MemoryError'}); a smaller training.batch_size needs less; "
                f"{last_good(self.model_dir)}"
            ) from error
        finally:
            self._release()

    def _on_signal(self, number: int, frame: Any) -> None:
        self._stop_signal = number

    def _run(self) -> float:
        t = self.config.training
        take_step = self._make_step()
        state = self._state()
        logged = self.step, self.clock.seconds
        # Kept, not made again: what stops this process may have stopped those that make words.
        latest: collections.deque[np.ndarray] = collections.deque(maxlen=NUM_BATCHES)
        while not self._is_finished and self._stop_signal is None:
            try:
                images, tokens = self._words.batch(self.step)
            except TrainingError:
                # Who stops a whole group of processes stops those that make words, too.
                if self._stop_signal is None:
                    raise
                break
            rate = np.float32(self.clock.rate(self.schedule, self.step))
            latest.append(images)
            state, loss, norm = take_step(state, images, tokens, rate)
            problem = self.guard.problem(float(loss), float(norm))
            if problem:
                raise TrainingError(f"step {self.step + 1}: {problem}; {last_good(self.model_dir)}")
            self.state.step += 1
            if self.step % t.log_every == 0:
                seconds = self.clock.seconds
                speed = (self.step - logged[0]) * t.batch_size / max(seconds - logged[1], 1e-9)
                logging.info("step %d: loss %.4f, %.0f words/s, rate %.2g", self.step, self.guard.mean, speed, rate)
                logged = self.step, seconds
            if self.step % t.checkpoint_every == 0:
                self._put_back(state)
                self._save()
        self._put_back(state)
        self._save()
        for variable, average in zip(self.model.trainable_variables, self.averages, strict=False):
            variable.assign(average.value)
        if self.averages:
            recalibrate(self.model, latest)
        save_weights(self.model_dir, self.model)
        return self.guard.mean or 0.0
