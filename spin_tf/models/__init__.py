"""The stages and their wiring; pure `keras.ops`, on TensorFlow or JAX."""

from spin_tf import _quiet_keras  # noqa: F401
from spin_tf.models.loading import load_model
from spin_tf.models.spin_recognizer import SPINRecognizer

__all__ = ["SPINRecognizer", "load_model"]
