"""YAML files of configurations: read, overridden by `key=value`, and written so that they read back alike."""

from __future__ import annotations

import dataclasses
import os
import typing
from collections.abc import Iterable
from typing import Any

from spin_tf._extras import require
from spin_tf._files import write_text
from spin_tf._types import JsonObject
from spin_tf.config_schema import Config

MAX_BYTES = 64 * 2**10


def _omegaconf() -> Any:
    return require("omegaconf", "Training", "train").OmegaConf


def read_yaml(path: str) -> JsonObject:
    """Reads the mapping of a YAML file; interpolations stay as they are.

    Raises:
        ValueError: it is no YAML, no mapping, or too large.
        OSError: it cannot be read.
    """
    if not os.path.isfile(path):
        raise ValueError(f"the configuration is no file. Received: {path}")
    if os.path.getsize(path) > MAX_BYTES:
        raise ValueError(f"a configuration has up to {MAX_BYTES} bytes. Received: {path} of {os.path.getsize(path)}")
    try:
        values = _omegaconf().to_container(_omegaconf().load(path))
    except Exception as error:
        # YAML, its scanner and OmegaConf each have their own family of errors.
        raise ValueError(f"{path} is no YAML: {error or type(error).__name__}. Received: {path}") from error
    if not isinstance(values, dict):
        raise ValueError(f"{path} must hold a mapping with model, data, training. Received: {type(values).__name__}")
    return values


def apply_overrides(values: JsonObject, overrides: Iterable[str]) -> None:
    """Puts overrides into the values of a configuration file, in order; see `spin_tf.config.load`.

    Raises:
        ValueError: one is no key=value, its value is no YAML, or it leads into a value.
    """
    for override in overrides:
        key, separator, text = override.partition("=")
        if not separator or not all(key.split(".")):
            raise ValueError(f"an override has the form key=value. Received: {override!r}")
        if _is_text(key) and text != "null":
            if not text:
                raise ValueError(f"{key} is empty; {key}=null takes the default. Received: {override!r}")
            # YAML would drop spaces, comments and quotes; and what looks like an interpolation is none.
            value = escape(text)
        else:
            try:
                value = _omegaconf().to_container(_omegaconf().from_dotlist([f"value={text}"]))["value"]
            except Exception as error:
                raise ValueError(f"the value of {key} is no YAML. Received: {override!r}") from error
        *parents, last = key.split(".")
        inner = values
        for parent in parents:
            if inner.get(parent) is None:
                inner[parent] = {}
            inner = inner[parent]
            if not isinstance(inner, dict):
                raise ValueError(f"{parent} holds a value, not keys. Received: {override!r}")
        if value is None:
            inner.pop(last, None)
        else:
            inner[last] = value


def _is_text(key: str) -> bool:
    """Whether the value of a dotted key is a text."""
    hint: Any = Config
    for part in key.split("."):
        if dataclasses.is_dataclass(hint):
            hint = typing.get_type_hints(hint).get(part)
        elif typing.get_origin(hint) is dict:
            hint = typing.get_args(hint)[1]
        else:
            return False
    return hint is str or set(typing.get_args(hint)) == {str, type(None)}


def resolve(values: JsonObject) -> JsonObject:
    """Puts interpolations (`${training.steps}`, `${oc.env:HOME}`) into their places.

    Raises:
        ValueError: one leads nowhere.
    """
    try:
        return _omegaconf().to_container(_omegaconf().create(values), resolve=True)
    except Exception as error:
        first = " ".join(str(error).split())
        raise ValueError(f"an interpolation of the configuration cannot be resolved: {first}") from error


def write_yaml(values: JsonObject, path: str) -> None:
    """Writes values that `read_yaml` and `resolve` give back: what looks like an interpolation is none."""
    write_text(path, _omegaconf().to_yaml(_omegaconf().create(escape(values))))


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
