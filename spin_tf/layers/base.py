"""What the layers share."""

from __future__ import annotations

import inspect

import keras

from spin_tf._types import JsonObject


class ConfiguredLayer(keras.layers.Layer):
    """A layer each argument of which is an attribute of the same name: together they are its configuration."""

    def get_config(self) -> JsonObject:
        arguments = inspect.signature(type(self).__init__).parameters.values()
        names = [one.name for one in arguments if one.kind is one.POSITIONAL_OR_KEYWORD and one.name != "self"]
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
