"""spin_tf: scene-text recognition with SPIN (AAAI 2021) on Keras 3 and TensorFlow.

Importing this package imports neither TensorFlow nor Keras; the public names load on first use.
"""

from __future__ import annotations

import importlib
from typing import Any

from spin_tf._version import __version__

_PUBLIC = {
    "Charset": "spin_tf.charset",
    "Photo": "spin_tf.photo.words",
    "PhotoReader": "spin_tf.photo.reader",
    "PhotoWord": "spin_tf.photo.words",
    "ReadError": "spin_tf.recognizer",
    "Recognizer": "spin_tf.recognizer",
    "Tokenizer": "spin_tf.charset",
    "Word": "spin_tf.recognizer",
    "read_photo": "spin_tf.photo.reader",
}

__all__ = [
    "Charset",
    "Photo",
    "PhotoReader",
    "PhotoWord",
    "ReadError",
    "Recognizer",
    "Tokenizer",
    "Word",
    "__version__",
    "read_photo",
]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'spin_tf' has no attribute {name!r}")
    return getattr(importlib.import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
