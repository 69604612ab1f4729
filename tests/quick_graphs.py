"""Graphs in half the time: a test runs each once or twice, so that building them takes longer than what they compute.

Importing this module leaves out Grappler, which rewrites a graph before its first run and changes nothing that it
computes, and the wrappers around every operation that shorten tracebacks. Programs in a fresh Python, among them every
command of the pages, and servers run with TensorFlow's own settings.
"""

import keras
import tensorflow as tf

tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
tf.debugging.disable_traceback_filtering()
keras.config.disable_traceback_filtering()
