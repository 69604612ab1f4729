"""Checkpoints: one .npz file with every number that decides how a run goes on, replaced in one step."""

from __future__ import annotations

import glob
import json
import math
import os
import re
import zipfile
import zlib

import numpy as np
from absl import logging

from spin_tf._files import write_atomically
from spin_tf._types import JsonObject, Variable

_PATTERN = re.compile(r"checkpoint-(\d{8})\.npz$")


class BrokenCheckpointError(ValueError):
    """A checkpoint file that is cut off or damaged."""


class OtherVariablesError(ValueError):
    """A checkpoint of a run that trains other variables."""


def save_checkpoint(folder: str, step: int, variables: list[Variable], state: JsonObject, keep: int = 2) -> str:
    """Writes checkpoint-STEP.npz and removes all but the newest `keep`.

    Args:
        folder: the model_dir.
        step: steps done.
        variables: Keras variables, in an order that the same configuration gives again.
        state: JSON-serialisable rest.
        keep: checkpoints to keep.

    Returns:
        the path.
    """
    arrays = {_key(i, variable): np.asarray(variable) for i, variable in enumerate(variables)}
    arrays["state"] = np.frombuffer(json.dumps({**state, "step": step}).encode(), np.uint8)
    path = os.path.join(folder, f"checkpoint-{step:08d}.npz")

    def write(temporary: str) -> None:
        np.savez(temporary, **arrays)  # type: ignore[arg-type]

    write_atomically(path, write)
    for old in list_checkpoints(folder)[:-keep]:
        os.remove(old)
    return path


def _key(i: int, variable: Variable) -> str:
    return f"{i:05d}:{variable.path}"


def list_checkpoints(folder: str) -> list[str]:
    """Checkpoints of a folder, oldest first."""
    paths = glob.glob(os.path.join(glob.escape(folder), "checkpoint-*.npz"))
    return sorted(path for path in paths if _PATTERN.search(path))


def checkpoint_bytes(variables: list[Variable]) -> int:
    """The size of a checkpoint of these Keras variables, but for a few names."""
    return sum(np.dtype(v.dtype).itemsize * math.prod(v.shape) for v in variables)


def last_good(folder: str) -> str:
    """What a message says of the checkpoints of a run that ends."""
    saved = list_checkpoints(folder)
    return f"last good checkpoint: {saved[-1] if saved else 'none yet'}"


def restore_checkpoint(path: str, variables: list[Variable]) -> JsonObject:
    """Sets the variables to a checkpoint's values, all or none.

    Returns:
        the state that was saved with them; `step` counts the steps done.

    Raises:
        BrokenCheckpointError: the file is cut off or damaged.
        OtherVariablesError: names what differs; the checkpoint belongs to another configuration.
    """
    try:
        with np.load(path, allow_pickle=False) as data:
            arrays = {key: data[key] for key in data.files}
        state = json.loads(arrays.pop("state").tobytes())
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise BrokenCheckpointError(f"{path} is not a whole checkpoint ({error}). Received: {path}") from error
    # A rate that is a variable is set before every step; a run that follows its schedule has none.
    wanted = [variable for variable in variables if not _is_rate(variable.path)]
    values = [array for key, array in arrays.items() if not _is_rate(key)]
    expected = {_key(i, variable): tuple(variable.shape) for i, variable in enumerate(wanted)}
    names = [key.partition(":")[2] for key in arrays if not _is_rate(key)]
    found = {f"{i:05d}:{name}": array.shape for i, (name, array) in enumerate(zip(names, values, strict=True))}
    if expected != found:
        differing = sorted(key for key in {*expected, *found} if expected.get(key) != found.get(key))
        first = differing[0]
        raise OtherVariablesError(
            f"{path} was written with another configuration: {len(differing)} variables differ, first {first}: "
            f"{expected.get(first)} here, {found.get(first)} there. Received: {path}"
        )
    for variable, value in zip(wanted, values, strict=True):
        variable.assign(value)
    return state


def _is_rate(path: str) -> bool:
    return path.endswith("/learning_rate")


def restore_latest(folder: str, variables: list[Variable]) -> tuple[str, JsonObject] | None:
    """Restores the newest checkpoint of a folder that is whole.

    Returns:
        its path and state; None where there is no checkpoint.

    Raises:
        ValueError: there are checkpoints, and each is broken, or the newest belongs to another configuration.
    """
    broken: BrokenCheckpointError | None = None
    for path in reversed(list_checkpoints(folder)):
        try:
            return path, restore_checkpoint(path, variables)
        except BrokenCheckpointError as error:
            logging.warning("%s", error)
            broken = error
    if broken:
        raise broken
    return None
