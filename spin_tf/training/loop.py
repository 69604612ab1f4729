"""The training loop: one code path over tf.distribute for one device, several, and several machines."""

from __future__ import annotations

import dataclasses
import signal
import time
from collections.abc import Iterator
from typing import Any

import tensorflow as tf
from absl import logging

from spin_tf._processes import answered_by
from spin_tf.charset import Charset, Tokenizer
from spin_tf.config import Config
from spin_tf.data.feeding.pipeline import TrainingWords
from spin_tf.evaluation.metrics import Score
from spin_tf.training import folder
from spin_tf.training.best import BestModel
from spin_tf.training.building import build
from spin_tf.training.checkpoints import list_checkpoints, restore_latest, save_checkpoint
from spin_tf.training.clock import Clock
from spin_tf.training.guards import LossGuard, TrainingError
from spin_tf.training.optimizer import Schedule
from spin_tf.training.statistics import NUM_BATCHES
from spin_tf.training.step import TrainingStep, trim_tokens
from spin_tf.training.strategies import Place, require_same_step
from spin_tf.training.validation import Validator
from spin_tf.training.watching import Progress, Watcher


@dataclasses.dataclass
class _Pending:
    """A step whose numbers have not been looked at yet: they are, while the next one runs."""

    step: int
    numbers: tuple[Any, Any, Any]


class Trainer:
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

    def __init__(self, config: Config, model_dir: str, strategy: Any = None) -> None:
        self.config = config
        self.model_dir = model_dir
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
        if self.place.is_chief:
            self._lock = folder.claim(model_dir, config)
        try:
            self._prepare()
        except BaseException:
            self._release()
            raise

    def _prepare(self) -> None:
        config, model_dir = self.config, self.model_dir
        self.tokenizer = Tokenizer(Charset.from_spec(config.model.charset), config.model.max_length)
        t = config.training
        self.words = TrainingWords(config.data, self.tokenizer, t.batch_size, t.steps, t.seed)
        image_size = (config.model.image_size[0], config.model.image_size[1])
        self.validator = Validator.of(config.data, self.tokenizer, image_size)
        built = build(config, model_dir, self.strategy, self.place)
        self.model, self.learner = built.model, built.learner
        self.optimizer, self.averages = built.optimizer, built.averages
        self.step = 0
        self.best = BestModel(model_dir, self.model, self.averages, self.validator, self.tokenizer)
        self.guard = LossGuard(t.explode)
        self.clock = Clock(t.minutes)
        self._stop_signal: int | None = None
        self._restore()

    @property
    def _state_variables(self) -> list[Any]:
        return [*self.learner.variables, *self.optimizer.variables, *self.averages]

    @property
    def _num_words(self) -> dict[str, int]:
        return dict(zip(self.words.names, self.words.sizes, strict=True))

    def _restore(self) -> None:
        restored = restore_latest(self.model_dir, self._state_variables)
        if restored:
            path, state = restored
            self.step, self.best.accuracy = state["step"], state["best"]
            self.guard.mean = state.get("mean_loss")
            self.clock = Clock(self.config.training.minutes, state.get("seconds", 0.0))
            logging.info("going on at step %d from %s", self.step, path)
            folder.warn_of_other_words(state.get("words", {}), self._num_words)
        require_same_step(self.strategy, self.place, self.step, self.model_dir)
        if self.place.is_chief:
            folder.warn_of_little_space(self.model_dir, self._state_variables, self.config.training.keep_checkpoints)

    def _save(self) -> None:
        if not self.place.is_chief:
            return
        state = {
            "best": self.best.accuracy,
            "mean_loss": self.guard.mean,
            "seconds": self.clock.seconds,
            "words": self._num_words,
        }
        try:
            save_checkpoint(
                self.model_dir, self.step, self._state_variables, state, self.config.training.keep_checkpoints
            )
        except OSError as error:
            raise TrainingError(f"step {self.step} cannot be saved: {error}; {self._last_good()}") from error

    def _last_good(self) -> str:
        saved = list_checkpoints(self.model_dir)
        return f"last good checkpoint: {saved[-1] if saved else 'none yet'}"

    def _dataset(self) -> Any:
        p = self.place

        def make(_: Any) -> Any:
            dataset = self.words.dataset(
                self.model.image_size,
                self.step,
                self.config.training.steps,
                worker=p.worker,
                num_workers=p.num_workers,
                replicas=p.replicas // p.num_workers,
            )
            if p.replicas > 1:
                # Autotuning sleeps for up to a minute, and a distributed iterator that ends waits for it to wake.
                options = tf.data.Options()
                options.autotune.enabled = False
                dataset = dataset.with_options(options)
            return dataset

        return make(None) if p.replicas == 1 else self.strategy.distribute_datasets_from_function(make)

    def _batches(self) -> Iterator[Any]:
        """The batches from the present step on; what a broken record or image does is `data.on_corrupt`'s choice."""
        while not self._is_finished:
            try:
                yield from self._dataset()
                return
            except tf.errors.OpError as error:
                broken = self.words.find_broken(self.step)
                if not broken:
                    raise TrainingError(f"reading words failed near step {self.step}: {_line(error)}") from error
                if self.config.data.on_corrupt == "raise":
                    raise TrainingError(
                        f"near step {self.step} a word cannot be read (data.on_corrupt=skip goes on without): "
                        f"{broken[0]}; {self._last_good()}"
                    ) from error
                for word in broken:
                    logging.warning("left out: %s", word)
                self.words.skip(broken)

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

    def _release(self) -> None:
        """Lets another run into the folder."""
        if self.place.is_chief:
            self._lock.release()

    def _run(self, watcher: Watcher, progress: Progress) -> Score:
        t = self.config.training
        score = Score()
        take_step = TrainingStep(
            self.strategy, self.learner, self.optimizer, self.averages, t.optimizer.ema, t.label_smoothing, t.ctc_weight
        )
        schedule = Schedule(t.optimizer, t.steps)
        pending: _Pending | None = None
        waited = time.perf_counter()
        for batch in self._batches():
            progress.waited(time.perf_counter() - waited)
            if self.clock.limit is not None:
                self.optimizer.learning_rate = self.clock.rate(schedule, self.step)
            tokens = trim_tokens(batch["tokens"]) if self.place.replicas == 1 else batch["tokens"]
            numbers = take_step(batch["image"], tokens, self._stop_signal is not None)
            stop = self._check(pending)
            pending = _Pending(self.step, numbers)
            self.step += 1
            last = self._is_finished
            log, validate = (self.step % n == 0 or last for n in (t.log_every, t.validate_every))
            save = self.step % t.checkpoint_every == 0 or last
            # One process stops at once; several agree through the numbers of the step before.
            stop = stop if self.place.num_workers > 1 else self._stop_signal is not None
            if log or validate or save or stop:
                stop = self._check(pending) or stop
                pending = None
            if log:
                self._log(numbers, self.clock.rate(schedule, self.step), watcher, progress)
            if validate:
                score = self._validate(watcher, progress, last)
            if save or stop:
                self._save()
            if stop and not last:
                logging.warning("stopped by a signal at step %d; saved", self.step)
            if stop or last:
                break
            waited = time.perf_counter()
        return score

    @property
    def stopped_by(self) -> int | None:
        """The signal that ended the run before its last step."""
        return None if self._is_finished else self._stop_signal

    def _on_signal(self, number: int, frame: Any) -> None:
        # Who presses Ctrl-C twice does not want to wait for the step.
        if self._stop_signal == number == signal.SIGINT:
            raise KeyboardInterrupt
        self._stop_signal = number

    def _check(self, pending: _Pending | None) -> bool:
        """Looks at a step's numbers; returns whether any process was asked to stop before it."""
        if pending is None:
            return False
        loss, norm, stop = (float(number) for number in pending.numbers)
        problem = self.guard.problem(loss, norm)
        if problem:
            ids = self.words.source_ids(pending.step)
            shown = ", ".join(ids[:32]) + (f" and {len(ids) - 32} more" if len(ids) > 32 else "")
            raise TrainingError(f"step {pending.step + 1}: {problem}; {self._last_good()}; its words: {shown}")
        return stop > 0

    def _validate(self, watcher: Watcher, progress: Progress, last: bool) -> Score:
        if not self.place.is_chief:
            return Score()
        try:
            return self.best.validate(self.step, watcher, progress, self._latest_images(), last)
        except OSError as error:
            raise TrainingError(f"step {self.step}: best.keras: {error}; {self._last_good()}") from error

    def _latest_images(self) -> Iterator[Any]:
        """The images of the latest steps, as they were augmented."""
        first = max(self.step - NUM_BATCHES, 0)
        return (batch["image"] for batch in self.words.dataset(self.model.image_size, first, self.step))

    def _log(self, numbers: tuple[Any, Any, Any], rate: float, watcher: Watcher, progress: Progress) -> None:
        rates = progress.update(self.step, self.guard.mean or 0.0)
        watcher.log(
            self.step,
            loss=float(numbers[0]),
            learning_rate=rate,
            gradient_norm=float(numbers[1]),
            **rates,
        )


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
