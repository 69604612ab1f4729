"""What a person sees of a run: a progress bar, a CSV file, TensorBoard."""

from __future__ import annotations

import csv
import os
import time
from typing import Any

import tensorflow as tf
from tqdm import tqdm


class Progress:
    """A progress bar with loss, words a second, the share of time spent waiting for data, and the time left."""

    def __init__(self, steps: int, first_step: int, batch_size: int, enabled: bool = True) -> None:
        self._bar = tqdm(
            total=steps, initial=first_step, unit="step", disable=not enabled, dynamic_ncols=True, mininterval=2
        )
        self._batch_size = batch_size
        self._step = first_step
        self._time = time.perf_counter()
        self._waited = 0.0

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def waited(self, seconds: float) -> None:
        """Adds time that the loop spent waiting for a batch."""
        self._waited += seconds

    def update(self, step: int, loss: float) -> dict[str, float]:
        """Moves the bar and returns the rates since the last call."""
        now = time.perf_counter()
        elapsed = max(now - self._time, 1e-9)
        rates = {
            "words_per_second": (step - self._step) * self._batch_size / elapsed,
            "waiting_share": min(self._waited / elapsed, 1.0),
        }
        self._bar.update(step - self._step)
        self._bar.set_postfix_str(
            f"loss {loss:.3f}, {rates['words_per_second']:.0f} words/s, {rates['waiting_share']:.0%} waiting"
        )
        self._step, self._time, self._waited = step, now, 0.0
        return rates

    def say(self, line: str) -> None:
        """Prints a line above the bar; validation time does not count as training time."""
        self._bar.write(line)
        self._time, self._waited = time.perf_counter(), 0.0


class Watcher:
    """Writes scalars to log.csv (step, name, value; a resumed run appends) and to TensorBoard."""

    def __init__(self, model_dir: str, first_step: int, enabled: bool = True) -> None:
        self._enabled = enabled
        if not enabled:
            return
        path = os.path.join(model_dir, "log.csv")
        is_new = not os.path.exists(path)
        self._stream = open(path, "a", newline="", encoding="utf-8")  # noqa: SIM115
        self._csv = csv.writer(self._stream)
        if is_new:
            self._csv.writerow(["step", "name", "value"])
        self._summary = tf.summary.create_file_writer(os.path.join(model_dir, "tensorboard"))

    def log(self, step: int, **values: Any) -> None:
        """Writes scalars of one step."""
        if not self._enabled:
            return
        with self._summary.as_default(step=step):
            for name, value in values.items():
                self._csv.writerow([step, name, f"{value:.6g}"])
                tf.summary.scalar(name, value)
        self._stream.flush()

    def close(self) -> None:
        """Closes the files."""
        if self._enabled:
            self._stream.close()
            self._summary.close()
