"""Reading through a model server: what `Recognizer` does, with the model behind TensorFlow Serving or its like."""

from spin_tf.reading.remote.answers import ServerError
from spin_tf.reading.remote.remote_recognizer import RemoteRecognizer

__all__ = ["RemoteRecognizer", "ServerError"]
