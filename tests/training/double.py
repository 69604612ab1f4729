"""The model and its training in float64: what `float32` says in their source is read as `float64`.

For comparisons of two ways to compute the same. In float32 they differ by rounding, which a network makes much of: a
unit next to the corner of its ReLU falls to the other side, and Adam's step is the sign of a gradient that is nothing
but rounding.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
import types
from collections.abc import Sequence
from typing import Any

PACKAGES = ("spin_tf.config", "spin_tf.config_schema", "spin_tf.layers", "spin_tf.models", "spin_tf.training")


class _Loader(importlib.machinery.SourceFileLoader):
    def get_code(self, fullname: str) -> types.CodeType:
        source = self.get_source(fullname) or ""
        return compile(source.replace("float32", "float64"), self.path, "exec", dont_inherit=True)


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(
        self, name: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if not any(name == package or name.startswith(package + ".") for package in PACKAGES):
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


def use_float64() -> None:
    """From now on in this process; nothing of `PACKAGES` may have been imported. Images stay float32."""
    early = [name for name in sys.modules if name.startswith(PACKAGES)]
    if early:
        raise ImportError(f"float64 must be chosen before the model is imported. Received: {early}")
    sys.meta_path.insert(0, _Finder())
    import keras

    keras.config.set_floatx("float64")
    keras.ops.image.resize = _resize


def _resize(images: Any, size: tuple[int, int], **_: Any) -> Any:
    """TensorFlow's bilinear resize has float32 results whatever comes in; as a product of matrices it has not."""
    import numpy as np
    import tensorflow as tf

    def matrix(of: int, to: int) -> Any:
        columns = tf.image.resize(np.eye(of, dtype="float32")[:, :, None, None], (to, 1))[:, :, 0, 0]
        return tf.cast(columns, images.dtype)

    return tf.einsum("bhwc,hi,wj->bijc", images, matrix(images.shape[1], size[0]), matrix(images.shape[2], size[1]))
