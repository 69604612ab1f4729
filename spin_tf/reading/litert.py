"""The LiteRT model behind the default `Recognizer`: the flatbuffer, what it says about itself, and its interpreters."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from spin_tf.reading.metadata import METADATA_FILE, METADATA_FORMAT, check_tensors, read_metadata
from spin_tf.reading.pool import Pool

__all__ = ["METADATA_FILE", "METADATA_FORMAT", "SIGNATURE", "LiteRTModel", "read_metadata", "run_flatbuffer"]

SIGNATURE = "serving_default"


def run_flatbuffer(content: bytes, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Runs a model that is not in a file yet on (n, height, width, 1) images; see `LiteRTModel.predict_words`."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=content, num_threads=1)
    runner = interpreter.get_signature_runner(SIGNATURE)
    outputs = [runner(image=image[None]) for image in images]
    return (
        np.concatenate([output["probabilities"] for output in outputs]),
        np.concatenate([output["positions"] for output in outputs]),
    )


class LiteRTModel:
    """An exported model: one interpreter for each image that is read at the same time, each on one thread.

    Two interpreters on a thread each read a folder about a third faster than one on two threads, and a single image no
    slower: the many small operators of a decoder step do not split well. Interpreters are made when they are needed.

    Args:
        path: a `.tflite` file written by spin_tf.
        num_threads: images read at the same time.

    Attributes:
        metadata: dict, the `spin_tf.json` of the file.
        batch_size: images a call that keep the threads evenly busy.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is not a model of spin_tf, or a damaged one.
    """

    # `Pool` makes new interpreters in a forked process.
    survives_fork = True
    # Decoding files in between would drive the weights out of the cache: single images cost a fifth more.
    batch_size = 16

    def __init__(self, path: str | os.PathLike[str], num_threads: int) -> None:
        self.path = os.fspath(path)
        self.metadata = read_metadata(path)
        self._runners = Pool(self._make_runner, num_threads)
        with self._runners.take() as runner:
            try:
                inputs, outputs = runner.get_input_details(), runner.get_output_details()
            # Damaged names are no UTF-8, and damaged tables name tensors that are not there.
            except (ValueError, LookupError, RuntimeError) as error:
                raise ValueError(f"LiteRT cannot describe the model: {error}. Received: model={self.path!r}") from error
            check_tensors(inputs, outputs, self.metadata, self.path)

    def _make_runner(self) -> Any:
        from ai_edge_litert.interpreter import Interpreter

        try:
            interpreter = Interpreter(model_path=self.path, num_threads=1)
            interpreter.allocate_tensors()
            return interpreter.get_signature_runner(SIGNATURE)
        except (ValueError, LookupError, RuntimeError) as error:
            raise ValueError(f"LiteRT cannot load the model: {error}. Received: model={self.path!r}") from error

    def predict_words(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Reads images one after another; safe to call from several threads at once.

        Args:
            images: float32 (n, height, width, 1) in [-1, 1].

        Returns:
            probabilities (n, steps, classes) and positions (n, steps), float32.
        """
        with self._runners.take() as runner:
            outputs = [runner(image=image[None]) for image in images]
        return (
            np.concatenate([output["probabilities"] for output in outputs]),
            np.concatenate([output["positions"] for output in outputs]),
        )
