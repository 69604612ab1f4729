"""What the layers share."""

from __future__ import annotations

import inspect
from typing import Any

import keras

# What layers compute with: an array of TensorFlow or JAX, or a symbolic one; none of the three ships types.
Tensor = Any
# Sizes of its axes, None where one is not known yet.
Shape = tuple[Any, ...]


class ConfiguredLayer(keras.layers.Layer):
    """A layer each argument of which is an attribute of the same name: together they are its configuration."""

    def get_config(self) -> dict[str, Any]:
        arguments = inspect.signature(type(self).__init__).parameters.values()
        names = [one.name for one in arguments if one.kind is one.POSITIONAL_OR_KEYWORD and one.name != "self"]
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
