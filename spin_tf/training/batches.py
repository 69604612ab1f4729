from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf
from absl import logging

from spin_tf.config import Config
from spin_tf.data.feeding.pipeline import TrainingWords
from spin_tf.training.checkpoints import last_good
from spin_tf.training.failures import is_of_data, short
from spin_tf.training.run_state import TrainingError
from spin_tf.training.strategies import Place


def until_finished(
    words: TrainingWords,
    strategy: Any,
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


def _distribute(words: TrainingWords, strategy: Any, place: Place, config: Config, first_step: int) -> Any:
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
