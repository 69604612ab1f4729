"""A tiny run in a process of its own, which may be told to die: python -m tests.training.run_tiny FOLDER NAME ...

FOLDER holds the words, NAME is the model_dir inside it. The process ends with SIGKILL after the step --kill_at, or in
the middle of writing the checkpoint of step --kill_in_write, or sends itself SIGTERM after the step --terminate_at.
"""

from __future__ import annotations

import argparse
import gc
import os
import pathlib
import signal
from collections.abc import Iterator
from typing import Any

import numpy as np

from tests.training import double


def main() -> None:
    # As in the commands: see spin_tf/cli/_run.py.
    gc.set_threshold(50_000, 20, 20)
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("name")
    parser.add_argument("--kill_at", type=int)
    parser.add_argument("--kill_in_write", type=int)
    parser.add_argument("--terminate_at", type=int)
    parser.add_argument("--strategy", default="one")
    parser.add_argument("--augmentation", type=float, default=0.5)
    parser.add_argument("--float64", action="store_true", help="see tests/training/double.py")
    parser.add_argument("--reverse", action="store_true", help="the words of each batch in reverse order")
    parser.add_argument("--set", action="append", default=[])
    arguments = parser.parse_args()
    if arguments.float64:
        double.use_float64()
        arguments.set.append("training.dtype=float64")

    import tensorflow as tf

    if arguments.strategy == "mirrored":
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)

    from spin_tf.training.strategies import make_strategy

    strategy = make_strategy(arguments.strategy)

    from spin_tf.training.loop import Trainer
    from tests.training import tiny

    class Dying(Trainer):
        def _check(self, pending: Any) -> bool:
            if self.step == arguments.kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            if self.step == arguments.terminate_at:
                os.kill(os.getpid(), signal.SIGTERM)
            return super()._check(pending)

        def _batches(self) -> Iterator[Any]:
            for batch in super()._batches():
                yield {key: values[::-1] for key, values in batch.items()} if arguments.reverse else batch

    write = np.savez

    def die_writing(path: str, **arrays: Any) -> None:
        write(path, **arrays)
        if f"{arguments.kill_in_write:08d}" in path:
            size = os.path.getsize(path)
            os.truncate(path, size // 2)
            os.kill(os.getpid(), signal.SIGKILL)

    if arguments.kill_in_write is not None:
        np.savez = die_writing  # type: ignore[assignment]
    trainer = Dying(
        tiny.config(arguments.folder, *arguments.set, augmentation=arguments.augmentation),
        str(arguments.folder / arguments.name),
        strategy,
    )
    trainer.train()
    raise SystemExit(128 + trainer.stopped_by if trainer.stopped_by else 0)


if __name__ == "__main__":
    main()
