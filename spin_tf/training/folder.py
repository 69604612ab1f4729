"""The model_dir: what may go on in it, and that it can be written, before any work starts."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
from typing import Any

from absl import logging

from spin_tf import config as config_module
from spin_tf._files import remove_partial, write_atomically
from spin_tf._locks import FileLock, Locked
from spin_tf._types import JsonObject, Variable
from spin_tf.config import Config
from spin_tf.training.checkpoints import OtherVariablesError, checkpoint_bytes, list_checkpoints, restore_latest
from spin_tf.training.run_state import RunState

LOCK = "lock"


def claim(folder: str, config: Config) -> FileLock:
    """Makes a model_dir ready for a run: it exists, can be written, holds nothing of another model, and is no other
    run's at this time. `settle` follows once the run is known to start.

    Args:
        folder: the model_dir.
        config: of the run.

    Returns:
        the lock of the folder, which must be kept as long as the run writes there.

    Raises:
        OSError: it cannot be written.
        ValueError: it holds checkpoints of another model, and the key that differs is named; or another run goes on in
            it now.
    """
    path = os.path.join(folder, "config.yaml")
    try:
        os.makedirs(folder, exist_ok=True)
        lock = FileLock(os.path.join(folder, LOCK))
        try:
            if list_checkpoints(folder) and os.path.exists(path):
                _compare(config_module.load(path), config, folder)
            remove_partial(folder)
        except BaseException:
            lock.release()
            raise
    except Locked as error:
        raise ValueError(
            f"another training runs in this folder now: {error}. Received: --model_dir={folder}"
        ) from error
    except OSError as error:
        raise OSError(f"model_dir cannot be written: {error}. Received: --model_dir={folder}") from error
    return lock


def settle(folder: str, config: Config) -> None:
    """Writes the resolved configuration of a run that starts now."""
    path = os.path.join(folder, "config.yaml")
    write_atomically(path, lambda temporary: config_module.save(config, temporary))


def leave(folder: str, lock: FileLock, is_new: bool) -> None:
    """After a start that failed: the folder is as it was, and gone where there was none (`is_new`)."""
    if is_new:
        with contextlib.suppress(OSError):
            os.remove(lock.path)
            os.rmdir(folder)
    lock.release()


def restore(folder: str, config: Config, variables: list[Variable]) -> RunState | None:
    """Sets the variables to those of the newest checkpoint that is whole.

    Returns:
        what the run knew beside them; None for a new run.

    Raises:
        ValueError: every checkpoint is broken; or the configuration needs other variables than the run has had, which
            names the keys that have changed.
    """
    try:
        restored = restore_latest(folder, variables)
    except OtherVariablesError as error:
        path = os.path.join(folder, "config.yaml")
        old = config_module.load(path) if os.path.exists(path) else config
        changed = [
            f"{key} was {before!r}, is {after!r}"
            for key, before, after in differences(dataclasses.asdict(old), dataclasses.asdict(config))
            if _needs_variables(key, before, after)
        ]
        raise ValueError(
            f"{'; '.join(changed) or error}: the run in {folder} has other variables and cannot go on like that. Take "
            f"another --model_dir (training.init_from={folder} starts from its weights). Received: --model_dir={folder}"
        ) from error
    if not restored:
        return None
    path, values = restored
    state = RunState.from_dict(values)
    logging.info("going on at step %d from %s", state.step, path)
    return state


def _needs_variables(key: str, before: object, after: object) -> bool:
    """Whether a change of a key may change what is trained, or what is remembered of it."""
    if key in ("training.ctc_weight", "training.optimizer.ema"):
        return bool(before) != bool(after)
    return key == "training.freeze" or key.startswith(("model.", "training.optimizer.name"))


def _compare(old: Config, new: Config, folder: str) -> None:
    for key, before, after in differences(dataclasses.asdict(old), dataclasses.asdict(new)):
        # The name only labels exported files.
        if key.startswith("model.") and key != "model.name":
            raise ValueError(
                f"{folder} holds checkpoints of another model: {key} was {before!r}, is {after!r}. Take another "
                f"--model_dir (training.init_from={folder} starts from these weights). Received: --model_dir={folder}"
            )
        logging.warning("the run in %s goes on with a change: %s was %r, is %r", folder, key, before, after)


def differences(old: JsonObject, new: JsonObject, prefix: str = "") -> list[tuple[str, Any, Any]]:
    """Dotted keys whose values differ, with both values."""
    result: list[tuple[str, Any, Any]] = []
    for key in dict.fromkeys([*old, *new]):
        before, after = old.get(key), new.get(key)
        if isinstance(before, dict) and isinstance(after, dict):
            result += differences(before, after, f"{prefix}{key}.")
        elif before != after:
            result.append((f"{prefix}{key}", before, after))
    return result


def warn_of_other_words(before: dict[str, int], now: dict[str, int]) -> None:
    """Says so when a run goes on with files that hold other words than they did: their names tell nothing of that."""
    for name, old, new in differences(before, now) if before else []:
        logging.warning("data.train.%s had %s usable words when the run stopped, and has %s now", name, old, new)


def warn_of_little_space(folder: str, variables: list[Variable], keep: int) -> str | None:
    """Says so when the disk has no room for the checkpoints of a run; they are written beside the ones they replace."""
    size = checkpoint_bytes(variables)
    existing = sum(os.path.getsize(path) for path in list_checkpoints(folder))
    free = shutil.disk_usage(folder).free
    needed = (keep + 1) * size - existing
    if needed <= free:
        return None
    message = f"{keep + 1} checkpoints of {size / 2**20:.0f} MiB need more than the {free / 2**20:.0f} MiB free there"
    logging.warning("%s: %s", folder, message)
    return message
