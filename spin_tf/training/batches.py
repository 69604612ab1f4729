"""The batches of a run, and what is told of errors of TensorFlow: of a word, of a machine that is gone, of memory."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf
from absl import logging

from spin_tf._types import Strategy
from spin_tf.config import Config
from spin_tf.data.feeding.pipeline import TrainingWords
from spin_tf.training.checkpoints import last_good
from spin_tf.training.run_state import TrainingError
from spin_tf.training.strategies import Place

# What the others see of a machine that was killed, cannot be reached, or has ended.
_OF_OTHERS = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.InternalError,
    tf.errors.FailedPreconditionError,
    tf.errors.UnknownError,
)
_TASK = re.compile(r"/job:(\w+)/(?:replica:\d+/)?task:(\d+)")
_WHOLE_TASK = re.compile(r"/job:(\w+)/replica:\d+/task:(\d+)")


def is_of_data(error: Exception, num_workers: int) -> bool:
    """Whether an error that an input pipeline raised may be one of a word."""
    return not isinstance(error, tf.errors.ResourceExhaustedError) and not (
        num_workers > 1 and isinstance(error, _OF_OTHERS)
    )


@contextlib.contextmanager
def told(where: Callable[[], str], model_dir: str, machines: dict[str, str], own: str) -> Iterator[None]:
    """Turns what TensorFlow raises meanwhile, and memory that ends, into a `TrainingError` of one line.

    Args:
        where: says what was being done.
        model_dir: of the run.
        machines: of a run on several, their addresses by name, such as "worker 0".
        own: this one's name.
    """
    try:
        yield
    except (tf.errors.OpError, MemoryError) as error:
        raise TrainingError(f"{where()}: {_explain(error, machines, own)}; {last_good(model_dir)}") from error


def _explain(error: Exception, machines: dict[str, str], own: str) -> str:
    text = str(error)
    line = short(text)
    if isinstance(error, MemoryError | tf.errors.ResourceExhaustedError):
        return (
            f"the memory of this machine or device has no room ({line or 'MemoryError'}); a smaller "
            "training.batch_size, or more devices, needs less"
        )
    if len(machines) > 1 and isinstance(error, _OF_OTHERS):
        found = [f"{job} {task}" for job, task in _WHOLE_TASK.findall(text) or _TASK.findall(text)]
        gone = [f"{name} at {machines[name]}" for name in dict.fromkeys(found) if name in machines and name != own]
        return (
            f"{' and '.join(gone) or 'another machine of the cluster'} cannot be reached any more: it has ended, was "
            "killed, or the network failed, and its own output says why; the same command on all machines goes on "
            "from the checkpoint"
        )
    return f"TensorFlow: {line}"


def short(text: object) -> str:
    """The last part of an error of TensorFlow in one line; before that stand the lines of the program."""
    lines = [line for line in str(text).splitlines() if line.strip() and not line.lstrip().startswith("File ")]
    lines = [line for line in lines if not line.startswith(("Graph execution error", "Detected at node"))]
    return " ".join(" ".join(lines).split())[:300]


def until_finished(
    words: TrainingWords,
    strategy: Strategy,
    place: Place,
    config: Config,
    model_dir: str,
    step: Callable[[], int | None],
) -> Iterator[Any]:
    """Batches up to the end of a run, this process's part of them; what a broken record or image does is
    `data.on_corrupt`'s choice.

    Args:
        words: of the run.
        strategy: of tf.distribute.
        place: of this process in it.
        config: of the run.
        model_dir: of the run.
        step: the present one; None once the run is finished.

    Raises:
        TrainingError: words cannot be read; names one.
    """
    while (present := step()) is not None:
        try:
            yield from _distribute(words, strategy, place, config, present)
            return
        except tf.errors.OpError as error:
            if not is_of_data(error, place.num_workers):
                raise
            present = step() or present
            broken = words.find_broken(present)
            if not broken:
                raise TrainingError(f"reading words failed near step {present}: {short(error)}") from error
            if config.data.on_corrupt == "raise":
                raise TrainingError(
                    f"near step {present} a word cannot be read (data.on_corrupt=skip goes on without): "
                    f"{broken[0]}; {last_good(model_dir)}"
                ) from error
            for word in broken:
                logging.warning("left out: %s", word)
            words.skip(broken)


def _distribute(words: TrainingWords, strategy: Strategy, place: Place, config: Config, first_step: int) -> Any:
    def make(_: Any) -> Any:
        dataset = words.dataset(
            config.model.preprocessing,
            first_step,
            config.training.steps,
            worker=place.worker,
            num_workers=place.num_workers,
            replicas=place.replicas // place.num_workers,
        )
        if place.replicas > 1:
            # Autotuning sleeps for up to a minute, and a distributed iterator that ends waits for it to wake.
            options = tf.data.Options()
            options.autotune.enabled = False
            dataset = dataset.with_options(options)
        return dataset

    return make(None) if place.replicas == 1 else strategy.distribute_datasets_from_function(make)
