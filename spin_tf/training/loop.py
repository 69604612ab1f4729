"""The training loop: one code path over tf.distribute for one device, several, and several machines."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import tensorflow as tf
from absl import logging

from spin_tf._processes import answered_by
from spin_tf._types import Strategy
from spin_tf.charset import Charset, Tokenizer
from spin_tf.config import Config
from spin_tf.data.feeding.pipeline import TrainingWords
from spin_tf.evaluation.metrics import Score
from spin_tf.training import folder
from spin_tf.training.averaging import NUM_BATCHES
from spin_tf.training.base_trainer import BaseTrainer
from spin_tf.training.batches import told, until_finished
from spin_tf.training.best import BestModel
from spin_tf.training.checkpoints import last_good
from spin_tf.training.run_state import Interrupted, TrainingError
from spin_tf.training.step import TrainingStep, trim_tokens
from spin_tf.training.strategies import Place, exchange, require_same_settings, require_same_step
from spin_tf.training.validation import Validator
from spin_tf.training.watching import Progress, Watcher


class Trainer(BaseTrainer):
    """Trains a `SPINRecognizer`.

    Everything that decides how a run goes on is in its checkpoints: weights, optimizer, averages and the number of
    steps done, of which the words and their augmentation are functions. No other random state is used.

    Args:
        config: the whole configuration, validated.
        model_dir: where checkpoints, `best.keras`, `config.yaml` and logs go; a run that is there already goes on.
            Several machines must share it.
        strategy: a tf.distribute strategy; None is one device.

    Raises:
        ValueError: the folder holds a run of another model; no usable data; the batch does not divide.
        OSError: the folder cannot be written.
    """

    def __init__(self, config: Config, model_dir: str, strategy: Strategy = None) -> None:
        self.strategy = strategy or tf.distribute.get_strategy()
        self.place = Place.of(self.strategy)
        if config.training.batch_size % self.place.replicas:
            raise ValueError(
                f"training.batch_size must divide evenly among {self.place.replicas} replicas. "
                f"Received: training.batch_size={config.training.batch_size}"
            )
        if config.training.minutes is not None and self.place.num_workers > 1:
            raise ValueError(
                "training.minutes is for one machine: the clocks of several differ. "
                f"Received: training.minutes={config.training.minutes} on {self.place.num_workers} machines"
            )
        # The signal that ended the run before its end, whichever process of the run got it.
        self.stopped_by: int | None = None
        super().__init__(config, model_dir)

    @property
    def _is_chief(self) -> bool:  # type: ignore[override]
        return self.place.is_chief

    def _prepare(self) -> None:
        with self._told():
            self._prepare_words()
            self._build(self.strategy, self.place.replicas)
            self.best = BestModel(
                self.model_dir,
                self.model,
                self.averages,
                self.validator,
                self.tokenizer,
                lambda: self._stop_signal is not None,
            )
            self._restore()

    def _prepare_words(self) -> None:
        config = self.config
        self.tokenizer = Tokenizer(Charset.from_spec(config.model.charset), config.model.max_length)
        t = config.training
        by_width = config.model.wide_image_size is not None
        self.words = TrainingWords(config.data, self.tokenizer, t.batch_size, t.steps, t.seed, by_width)
        # Before anything is made of them that would have to be alike.
        require_same_settings(self.strategy, self.place, config, self.words)
        self.validator = Validator.of(config.data, self.tokenizer, config.model.preprocessing)

    def _told(self) -> AbstractContextManager[None]:
        return told(lambda: f"step {self.step}", self.model_dir, self.place.machines, self.place.name)

    @property
    def _num_words(self) -> dict[str, int]:
        return dict(zip(self.words.names, self.words.sizes, strict=True))

    def _restore(self) -> bool:
        restored = super()._restore()
        folder.warn_of_other_words(self.state.words, self._num_words)
        require_same_step(self.strategy, self.place, self.step, self.model_dir)
        if self.place.is_chief:
            self.best.take_over(restored)
            folder.warn_of_little_space(self.model_dir, self._variables, self.config.training.keep_checkpoints)
        return restored

    def _save(self) -> None:
        if not self.place.is_chief:
            return
        self.state.best, self.state.words = self.best.accuracy, self._num_words
        super()._save()

    def _batches(self) -> Iterator[Any]:
        """The batches from the present step on; what a broken record or image does is `data.on_corrupt`'s choice."""
        present = lambda: None if self._is_finished else self.step  # noqa: E731
        return until_finished(self.words, self.strategy, self.place, self.config, self.model_dir, present)

    @property
    def _is_finished(self) -> bool:
        return self.step >= self.config.training.steps or self.clock.is_over

    def train(self) -> Score:
        """Runs to the last step, or to a SIGTERM or SIGINT, after which the state is saved.

        Returns:
            the last validation score; an empty one where there was nothing left to do.

        Raises:
            TrainingError: the loss is not finite, or it exploded; a word or the checkpoint's disk fails.
        """
        try:
            with (
                self._told(),
                answered_by(self._on_signal),
                Watcher(self.model_dir, self.step, enabled=self.place.is_chief) as watcher,
                Progress(
                    self.config.training.steps,
                    self.step,
                    self.config.training.batch_size,
                    enabled=self.place.is_chief,
                ) as progress,
            ):
                return self._run(watcher, progress)
        finally:
            self._release()

    def _run(self, watcher: Watcher, progress: Progress) -> Score:
        t = self.config.training
        score = Score()
        take_step = TrainingStep(
            self.strategy, self.learner, self.optimizer, self.averages, t.optimizer.ema, t.label_smoothing, t.ctc_weight
        )
        if self._is_finished and self.state.validated is not None and self.state.validated < self.step:
            # Stopped while it validated its last step.
            score = self._validate(watcher, progress, last=True)
        # A step whose numbers have not been looked at yet: they are, while the next one runs.
        pending: tuple[int, Any] | None = None
        stop = self._stop_signal is not None
        waited = time.perf_counter()
        for batch in self._batches():
            progress.waited(time.perf_counter() - waited)
            if self.clock.limit is not None:
                self.optimizer.learning_rate = self.clock.rate(self.schedule, self.step)
            tokens = trim_tokens(batch["tokens"]) if self.place.replicas == 1 else batch["tokens"]
            numbers = take_step(batch["image"], tokens, self._stop_signal is not None)
            stop = self._check(pending)
            pending = self.step, numbers
            self.state.step += 1
            last = self._is_finished
            log, validate = (self.step % n == 0 or last for n in (t.log_every, t.validate_every))
            save = self.step % t.checkpoint_every == 0 or last
            # One process stops at once; several agree through the numbers of the step before.
            stop = stop if self.place.num_workers > 1 else self._stop_signal is not None
            if log or validate or save or stop:
                stop = self._check(pending) or stop
                pending = None
            if log:
                self._log(numbers, self.clock.rate(self.schedule, self.step), watcher, progress)
            # Before it is validated, which may take longer than a signal leaves time for.
            if save or stop or validate:
                self._save()
            if validate and not stop:
                score = self._validate(watcher, progress, last)
                stop = stop or (self.place.num_workers == 1 and self._stop_signal is not None)
            if stop or last:
                break
            waited = time.perf_counter()
        self._end(stop)
        return score

    def _end(self, stop: bool) -> None:
        """Says how the run has ended, the same in all processes: whoever looks at one of them must know.

        Raises:
            TrainingError: it has ended before its last step, and nobody asked for that.
        """
        done = self._is_finished and not (stop and self.state.validated != self.step)
        if self.place.is_chief:
            done = done and self.state.validated in (None, self.step)
        ended = 0 if done else self._stop_signal or (signal.SIGTERM if stop else 0)
        if self.place.num_workers > 1:
            # It waits for the validation of the last step, too.
            ended = max(map(int, exchange(self.strategy, self.place, str(int(ended)))))
        if ended:
            self.stopped_by = ended
            logging.warning("stopped by a signal at step %d; saved", self.step)
        elif not self._is_finished:
            raise TrainingError(f"step {self.step}: the words have ended before the run; {last_good(self.model_dir)}")

    def _on_signal(self, number: int, frame: Any) -> None:
        # Who presses Ctrl-C twice does not want to wait for the step.
        if self._stop_signal == number == signal.SIGINT:
            raise KeyboardInterrupt
        self._stop_signal = number

    def _check(self, pending: tuple[int, Any] | None) -> bool:
        """Looks at a step's numbers; returns whether any process was asked to stop before it."""
        if pending is None:
            return False
        step, numbers = pending
        loss, norm, stop = (float(number) for number in numbers)
        problem = self.guard.problem(loss, norm)
        if problem:
            ids = self.words.source_ids(step)
            shown = ", ".join(ids[:32]) + (f" and {len(ids) - 32} more" if len(ids) > 32 else "")
            raise TrainingError(f"step {step + 1}: {problem}; {last_good(self.model_dir)}; its words: {shown}")
        return stop > 0

    def _validate(self, watcher: Watcher, progress: Progress, last: bool) -> Score:
        if not self.place.is_chief:
            return Score()
        try:
            score = self.best.validate(self.step, watcher, progress, self._latest_images(), last)
        except Interrupted:
            return Score()
        except OSError as error:
            raise TrainingError(f"step {self.step}: best.keras: {error}; {last_good(self.model_dir)}") from error
        self.state.validated = self.step
        if last:
            self._save()
        return score

    def _latest_images(self) -> Iterator[Any]:
        """The images of the latest steps, as they were augmented."""
        first = max(self.step - NUM_BATCHES, 0)
        return (batch["image"] for batch in self.words.dataset(self.model.preprocessing, first, self.step))

    def _log(self, numbers: tuple[Any, Any, Any], rate: float, watcher: Watcher, progress: Progress) -> None:
        rates = progress.update(self.step, self.guard.mean or 0.0)
        watcher.log(
            self.step,
            loss=float(numbers[0]),
            learning_rate=rate,
            gradient_norm=float(numbers[1]),
            **rates,
        )
