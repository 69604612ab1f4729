"""The LiteRT model behind the default `Recognizer`: the flatbuffer, what it says about itself, and its interpreters."""

from __future__ import annotations

import json
import os
import zipfile
from typing import Any

import numpy as np

from spin_tf.charset import Tokenizer
from spin_tf.reading.pool import Pool

METADATA_FILE = "spin_tf.json"
METADATA_FORMAT = 1
SIGNATURE = "serving_default"
NUM_SPECIAL_TOKENS = Tokenizer.FIRST_CHARACTER_ID


def read_metadata(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Reads what an exported `.tflite` file says about itself, from the zip archive at its end.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file carries no metadata of spin_tf, or of a newer format.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            metadata = json.loads(archive.read(METADATA_FILE))
    except (zipfile.BadZipFile, KeyError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(
            f"The model carries no {METADATA_FILE}, so its charset is unknown; export it with bin/export_tflite.py. "
            f"Received: model={os.fspath(path)!r}"
        ) from error
    if metadata.get("format") != METADATA_FORMAT:
        raise ValueError(
            f"The model was written by another version of spin_tf ({metadata.get('spin_tf_version')}). "
            f"Received: format={metadata.get('format')!r}, expected {METADATA_FORMAT}"
        )
    missing = [key for key in ("charset", "image_size", "max_length") if key not in metadata]
    if missing:
        raise ValueError(f"The {METADATA_FILE} of the model misses {', '.join(missing)}. Received: {sorted(metadata)}")
    return metadata


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
            classes = int(runner.get_output_details()["probabilities"]["shape"][-1])
        num_characters = len(self.metadata["charset"]["characters"])
        if classes != num_characters + NUM_SPECIAL_TOKENS:
            raise ValueError(
                f"The model has {classes - NUM_SPECIAL_TOKENS} characters but its charset holds {num_characters}. "
                f"Received: model={self.path!r}"
            )

    def _make_runner(self) -> Any:
        from ai_edge_litert.interpreter import Interpreter

        try:
            interpreter = Interpreter(model_path=self.path, num_threads=1)
            interpreter.allocate_tensors()
            return interpreter.get_signature_runner(SIGNATURE)
        except (ValueError, RuntimeError) as error:
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
