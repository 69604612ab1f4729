"""YAML files of configurations: read within bounds, whatever they hold, and written so that they read back alike."""

from __future__ import annotations

import importlib
import os
from typing import Any

from spin_tf._extras import require

MAX_BYTES = 64 * 2**10
# A few lines of aliases of aliases stand for millions of values.
MAX_VALUES = 100_000
MAX_DEPTH = 50
# The scanner takes time by the square of open brackets.
_MAX_BRACKETS = 1000


def read_yaml(path: str) -> dict[str, Any]:
    """Reads the mapping of a YAML file; interpolations stay as they are.

    Raises:
        ValueError: it is no YAML, no mapping, too large or too deep.
        OSError: it cannot be read.
    """
    omegaconf = require("omegaconf", "Training", "train")
    # What OmegaConf reads YAML with.
    yaml = importlib.import_module("yaml")
    if not os.path.isfile(path):
        raise ValueError(f"the configuration is no file. Received: {path}")
    if os.path.getsize(path) > MAX_BYTES:
        raise ValueError(f"a configuration has up to {MAX_BYTES} bytes. Received: {path} of {os.path.getsize(path)}")
    with open(path, "rb") as stream:
        data = stream.read(MAX_BYTES + 1)
    try:
        text = data.decode("utf-8-sig")
        if text.count("[") + text.count("{") > _MAX_BRACKETS:
            raise ValueError(f"there are more than {_MAX_BRACKETS} brackets")
        _check_size(yaml.compose(text, Loader=yaml.SafeLoader))
        values = omegaconf.OmegaConf.to_container(omegaconf.OmegaConf.create(text))
    except Exception as error:
        # YAML, its scanner and OmegaConf each have their own family of errors.
        raise ValueError(f"{path} is no YAML: {error or type(error).__name__}. Received: {path}") from error
    if not isinstance(values, dict):
        raise ValueError(f"{path} must hold a mapping with model, data, training. Received: {type(values).__name__}")
    return values


def _check_size(root: Any) -> None:
    sizes: dict[int, int] = {}

    def count(node: Any, depth: int) -> int:
        if depth > MAX_DEPTH:
            raise ValueError(f"values are nested more than {MAX_DEPTH} times, or in themselves")
        if id(node) not in sizes:
            inner = node.value if isinstance(getattr(node, "value", None), list) else []
            parts = [part for item in inner for part in (item if isinstance(item, tuple) else (item,))]
            sizes[id(node)] = 1 + sum(count(part, depth + 1) for part in parts)
        if sizes[id(node)] > MAX_VALUES:
            raise ValueError(f"aliases stand for more than {MAX_VALUES} values")
        return sizes[id(node)]

    count(root, 0)


def resolve(values: dict[str, Any]) -> dict[str, Any]:
    """Puts interpolations (`${training.steps}`, `${oc.env:HOME}`) into their places.

    Raises:
        ValueError: one leads nowhere.
    """
    omegaconf = require("omegaconf", "Training", "train")
    try:
        return omegaconf.OmegaConf.to_container(omegaconf.OmegaConf.create(values), resolve=True)
    except Exception as error:
        first = " ".join(str(error).split())
        raise ValueError(f"an interpolation of the configuration cannot be resolved: {first}") from error


def write_yaml(values: dict[str, Any], path: str) -> None:
    """Writes values that `read_yaml` and `resolve` give back: what looks like an interpolation is none."""
    omegaconf = require("omegaconf", "Training", "train")
    omegaconf.OmegaConf.save(omegaconf.OmegaConf.create(escape(values)), path)


def escape(value: Any) -> Any:
    """Values of which `resolve` makes these again: what looks like an interpolation is none."""
    if isinstance(value, dict):
        return {key: escape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [escape(item) for item in value]
    if not isinstance(value, str) or "${" not in value:
        return value
    # Backslashes count only where they stand before an interpolation, or, in a string with one, at its end.
    parts = value.split("${")
    escaped = []
    for i, part in enumerate(parts):
        bare = part.rstrip("\\")
        slashes = len(part) - len(bare)
        escaped.append(bare + "\\" * (2 * slashes if i < len(parts) - 1 else slashes))
    return "\\${".join(escaped)
