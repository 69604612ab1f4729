"""spin_tf: scene-text recognition with SPIN (AAAI 2021) on Keras 3 and TensorFlow.

Importing this package imports neither TensorFlow nor Keras; the public names load on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_tf._version import __version__

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

if TYPE_CHECKING:
    # What type checkers and editors see: to them, a name that loads on first use would be anything.
    from spin_tf.charset import Charset, Tokenizer
    from spin_tf.photo.reader import PhotoReader, read_photo
    from spin_tf.photo.words import Photo, PhotoWord
    from spin_tf.recognizer import ReadError, Recognizer, Word
else:
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

    def __getattr__(name):
        import importlib

        if name not in _PUBLIC:
            raise AttributeError(f"module 'spin_tf' has no attribute {name!r}")
        return getattr(importlib.import_module(_PUBLIC[name]), name)

    def __dir__():
        return sorted(__all__)
