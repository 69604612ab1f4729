"""Names for values whose libraries ship no types, so that a signature says what it takes: each is `Any`."""

from __future__ import annotations

from typing import Any

# What layers and graphs compute with: an array of TensorFlow or JAX, or a symbolic one.
Tensor = Any
# Sizes of its axes, None where one is not known yet.
Shape = tuple[Any, ...]
# A weight or another state of a Keras model: `keras.Variable`.
Variable = Any
# `tf.distribute.Strategy`.
Strategy = Any
# A message of a protobuf or flatbuffer schema.
Message = Any
# An object of a JSON or YAML file, or what becomes one: metadata, reports, states.
JsonObject = dict[str, Any]
