"""Checkpoints: one .npz file with every number that decides how a run goes on, replaced in one step."""

from __future__ import annotations

import glob
import json
import os
import re
import zipfile
from typing import Any

import numpy as np

_PATTERN = re.compile(r"checkpoint-(\d{8})\.npz$")


def write_atomically(path: str, write: Any) -> None:
    """Calls `write(temporary_path)` and puts the result in place of `path`, or leaves `path` as it was.

    The temporary name keeps the extension, and nothing but a whole file ever has the name `path`, whenever the
    process or the machine stops.
    """
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, f".partial-{os.getpid()}-{name}")
    try:
        write(temporary)
        with open(temporary, "rb+") as stream:
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)


def save_checkpoint(folder: str, step: int, variables: list[Any], state: dict[str, Any], keep: int = 2) -> str:
    """Writes checkpoint-STEP.npz and removes all but the newest `keep`.

    Args:
        folder: the model_dir.
        step: steps done.
        variables: Keras variables, in an order that the same configuration gives again.
        state: JSON-serialisable rest.

    Returns:
        the path.
    """
    arrays = {_key(i, variable): np.asarray(variable) for i, variable in enumerate(variables)}
    arrays["state"] = np.frombuffer(json.dumps({**state, "step": step}).encode(), np.uint8)
    path = os.path.join(folder, f"checkpoint-{step:08d}.npz")

    def write(temporary: str) -> None:
        np.savez(temporary, **arrays)

    write_atomically(path, write)
    for old in list_checkpoints(folder)[:-keep]:
        os.remove(old)
    return path


def _key(i: int, variable: Any) -> str:
    return f"{i:05d}:{variable.path}"


def list_checkpoints(folder: str) -> list[str]:
    """Whole checkpoints of a folder, oldest first."""
    return sorted(path for path in glob.glob(os.path.join(folder, "checkpoint-*.npz")) if _PATTERN.search(path))


def restore_checkpoint(path: str, variables: list[Any]) -> dict[str, Any]:
    """Sets the variables to a checkpoint's values, all or none.

    Returns:
        the state that was saved with them; `step` counts the steps done.

    Raises:
        ValueError: names what differs; the checkpoint belongs to another configuration, or the file is broken.
    """
    try:
        with np.load(path, allow_pickle=False) as data:
            arrays = {key: data[key] for key in data.files}
    except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
        raise ValueError(f"{path} is not a whole checkpoint ({error}). Received: {path}") from error
    state = json.loads(arrays.pop("state").tobytes())
    expected = {_key(i, variable): tuple(variable.shape) for i, variable in enumerate(variables)}
    found = {key: array.shape for key, array in arrays.items()}
    if expected != found:
        differing = sorted(key for key in {*expected, *found} if expected.get(key) != found.get(key))
        first = differing[0]
        raise ValueError(
            f"{path} was written with another configuration: {len(differing)} variables differ, first {first}: "
            f"{expected.get(first)} here, {found.get(first)} there. Received: {path}"
        )
    for i, variable in enumerate(variables):
        variable.assign(arrays[_key(i, variable)])
    return state
