"""`key=value` overrides of a configuration."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterable
from typing import Any

from spin_tf._extras import require
from spin_tf.config_schema import Config
from spin_tf.config_yaml import escape


def apply_overrides(values: dict[str, Any], overrides: Iterable[str]) -> None:
    """Puts overrides into the values of a configuration file, in order; see `spin_tf.config.load`.

    Raises:
        ValueError: one is no key=value, its value is no YAML, or it leads into a value.
    """
    omegaconf = require("omegaconf", "Training", "train")
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
                value = omegaconf.OmegaConf.to_container(omegaconf.OmegaConf.from_dotlist([f"value={text}"]))["value"]
            except Exception as error:
                raise ValueError(f"the value of {key} is no YAML. Received: {override!r}") from error
        _set(values, key, value)


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


def _set(values: dict[str, Any], key: str, value: Any) -> None:
    *parents, last = key.split(".")
    inner = values
    for parent in parents:
        if inner.get(parent) is None:
            inner[parent] = {}
        inner = inner[parent]
        if not isinstance(inner, dict):
            raise ValueError(f"{parent} holds a value, not keys. Received: {key}={value!r}")
    if value is None:
        inner.pop(last, None)
    else:
        inner[last] = value
