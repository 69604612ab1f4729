"""What a person sees of a run: a progress bar, a CSV file, TensorBoard with pictures of words."""

from __future__ import annotations

import contextlib
import csv
import os
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging
from PIL import Image, ImageDraw

from spin_tf._files import write_atomically
from spin_tf._progress import ProgressBar
from spin_tf.charset import Tokenizer
from spin_tf.explanation.pictures import draw_control_points, enlarge


class Progress:
    """Progress with loss, words a second, the share of time spent waiting for data, and the time left."""

    def __init__(self, steps: int, first_step: int, batch_size: int, enabled: bool = True) -> None:
        self._bar = ProgressBar(steps, "steps", initial=first_step, enabled=enabled)
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
        speed = f"{rates['words_per_second']:.0f} words/s, {rates['waiting_share']:.0%} waiting"
        self._bar.move_to(step, f"loss {loss:.3f}, {speed}")
        self._step, self._time, self._waited = step, now, 0.0
        return rates

    def say(self, line: str) -> None:
        """Prints a line above the bar; validation time does not count as training time."""
        self._bar.say(line)
        self._time, self._waited = time.perf_counter(), 0.0


class Watcher:
    """Writes scalars to log.csv (step, name, value) and TensorBoard, and pictures to TensorBoard.

    A run that goes on from a checkpoint appends; what was written after that checkpoint is dropped from log.csv, since
    those steps are done again.
    """

    def __init__(self, model_dir: str, first_step: int, enabled: bool = True) -> None:
        self._enabled = enabled
        if not enabled:
            return
        self._failed = False
        path = os.path.join(model_dir, "log.csv")
        rows = [["step", "name", "value"], *_rows_until(path, first_step)]
        write_atomically(path, lambda temporary: _write_rows(temporary, rows))
        self._stream = open(path, "a", newline="", encoding="utf-8")  # noqa: SIM115
        self._csv = csv.writer(self._stream)
        self._summary = tf.summary.create_file_writer(os.path.join(model_dir, "tensorboard"))

    def __enter__(self) -> Watcher:
        return self

    def log(self, step: int, **values: float) -> None:
        """Writes scalars of one step."""
        if not self._enabled:
            return
        with self._that_may_fail(), self._summary.as_default(step=step):
            for name, value in values.items():
                self._csv.writerow([step, name, f"{value:.6g}"])
                tf.summary.scalar(name, value)
            self._stream.flush()

    def images(self, step: int, pictures: dict[str, list[np.ndarray]]) -> None:
        """Writes uint8 RGB pictures by name."""
        if not self._enabled:
            return
        with self._that_may_fail(), self._summary.as_default(step=step):
            for name, images in pictures.items():
                tf.summary.image(name, np.stack(images), max_outputs=len(images))

    @contextlib.contextmanager
    def _that_may_fail(self) -> Iterator[None]:
        """A full disk must not end a run because of its log; the checkpoints decide about that."""
        try:
            yield
        except (OSError, tf.errors.OpError) as error:
            if not self._failed:
                logging.warning("the log cannot be written: %s", error)
            self._failed = True

    def __exit__(self, *_: object) -> None:
        if self._enabled:
            with self._that_may_fail():
                self._stream.close()
            with self._that_may_fail():
                self._summary.close()


def _rows_until(path: str, step: int) -> list[list[str]]:
    if not os.path.exists(path):
        return []
    with open(path, newline="", encoding="utf-8", errors="replace") as stream:
        # A line that was being written when the process was killed has fewer fields.
        rows = [row for row in csv.reader(line.replace("\0", "") for line in stream) if len(row) == 3]
    return [row for row in rows if row[0].isdigit() and int(row[0]) <= step]


def _write_rows(path: str, rows: list[list[str]]) -> None:
    with open(path, "w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(rows)


_GAP = 6
# Pixels of a row of attention, and of its character beside it.
_ROW, _LABEL = 12, 24


def draw_words(model: Any, images: np.ndarray, tokenizer: Tokenizer) -> dict[str, list[np.ndarray]]:
    """Draws some words.

    Args:
        model: a `SPINRecognizer`.
        images: (n, height, width, 1) in [-1, 1].
        tokenizer: of the model.

    Returns:
        uint8 RGB pictures of one size by name: "rectification" (the crop with its control points above what the
        backbone gets) and "attention" (below the rectified crop a row for each step, that of the word's end included).
    """
    if not len(images):
        return {}
    rectified = {key: np.asarray(value) for key, value in model.rectify(images).items()}
    read = {key: np.asarray(value) for key, value in model.read(images).items()}
    labels = [_labels(probabilities.argmax(axis=-1), tokenizer) for probabilities in read["probabilities"]]
    # TensorBoard shows pictures of one size.
    rows = max(map(len, labels))
    result: dict[str, list[np.ndarray]] = {"rectification": [], "attention": []}
    for i, image in enumerate(images):
        points = rectified["control_points"][i] if "control_points" in rectified else np.zeros((0, 2))
        after = rectified["image"][i]
        result["rectification"].append(draw_rectification(image, after, points))
        result["attention"].append(draw_attention(after, read["attention"][i], labels[i], rows))
    return result


def draw_rectification(before: np.ndarray, after: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The crop, with control points (F, 2) in [-1, 1] as dots, above the rectified one."""
    top, bottom = draw_control_points(before, points), enlarge(after)
    canvas = Image.new("RGB", (top.width, top.height + bottom.height + 2 * _GAP), top.getpixel((0, 0)))
    canvas.paste(top, (0, 0))
    canvas.paste(bottom, ((top.width - bottom.width) // 2, top.height))
    return np.asarray(canvas)


def _labels(tokens: np.ndarray, tokenizer: Tokenizer) -> list[str]:
    """Of each step up to the end of the word what was chosen there: a character, "end", or "-" for padding.

    A model that has not learnt to read writes no character: its steps are shown all the same.
    """
    ends = np.flatnonzero(tokens == tokenizer.END_ID)
    steps = tokens[: int(ends[0]) + 1] if len(ends) else tokens
    names = {tokenizer.END_ID: "end"}
    return [names.get(int(token)) or tokenizer.decode([token]) or "-" for token in steps]


def draw_attention(image: np.ndarray, attention: np.ndarray, labels: list[str], rows: int) -> np.ndarray:
    """The crop, and below it attention (steps, time) as a row of light for each of the labels; room for `rows`."""
    crop = enlarge(image)
    canvas = Image.new("RGB", (_LABEL + crop.width, crop.height + _GAP + rows * _ROW), (40, 40, 40))
    canvas.paste(crop, (_LABEL, 0))
    pen = ImageDraw.Draw(canvas)
    for i, label in enumerate(labels):
        row = attention[i] / max(float(attention[i].max()), 1e-6)
        light = Image.fromarray((row * 255).astype(np.uint8)[None]).resize((crop.width, _ROW - 1))
        canvas.paste(light, (_LABEL, crop.height + _GAP + i * _ROW))
        pen.text((3, crop.height + _GAP + i * _ROW), label if label.isascii() else "?", fill=(255, 255, 255))
    return np.asarray(canvas)
