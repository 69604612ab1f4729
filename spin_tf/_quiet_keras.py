"""Imported before the modules that import Keras: it loads TensorFlow, which tells of itself, or may be missing."""

from spin_tf._extras import require

require("keras", "What is trained", "train")
