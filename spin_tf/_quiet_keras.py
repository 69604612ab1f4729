"""Imported before the modules that import Keras: it loads TensorFlow, which tells of itself."""

from spin_tf._noise import import_quietly

import_quietly("keras")
