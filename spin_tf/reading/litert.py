"""The LiteRT model behind the default `Recognizer`: an exported file and its interpreters."""

from __future__ import annotations

import contextlib
import functools
import os
import pathlib
from typing import Any, cast

import numpy as np

from spin_tf._noise import without_native_chatter
from spin_tf._types import JsonObject
from spin_tf.contract.metadata import METADATA_FILE, METADATA_FORMAT, check_tensors, one_line, read_metadata
from spin_tf.decoding.stepping import Encoded, Stepped, fill_rows
from spin_tf.reading.pool import Pool
from spin_tf.reading.subgraphs import Signatures

__all__ = ["METADATA_FILE", "METADATA_FORMAT", "SIGNATURE", "LiteRTInterpreter", "LiteRTModel", "read_metadata"]

SIGNATURE = "serving_default"
BATCH_SIGNATURE, ENCODE_SIGNATURE, STEP_SIGNATURE = "batch", "encode", "step"
# Shows the stages of the transformation; nothing that reads needs it.
RECTIFY_SIGNATURE = "rectify"
# Every signature again, for images of `wide_image_size`.
WIDE = "_wide"
_OUTPUTS = {
    SIGNATURE: ("probabilities", "positions"),
    BATCH_SIGNATURE: ("probabilities", "positions"),
    ENCODE_SIGNATURE: ("states", "projected", "centres"),
    STEP_SIGNATURE: ("probabilities", "attention", "output", "cell"),
}
# What a damaged file may say it takes at a time.
_MAX_ROWS = 4096
_has_announced_itself = False
# What LiteRT raises on damaged files, some of it only when a signature runs: names that are no UTF-8, indices beyond 32
# bits, tensors that are not there, sizes that do not fit.
_LITERT_ERRORS = (ValueError, TypeError, LookupError, RuntimeError)


class LiteRTInterpreter:
    """The signatures of a model on one thread, each with an interpreter of its own.

    LiteRT quantises activations row by row, so that an answer does not depend on what else is in a batch: the signature
    `batch` gives the same numbers as `serving_default`, and costs a third less a word.

    Args:
        path: a `.tflite` file; or
        content: the same as bytes, or as `Signatures` that interpreters share; then `path` is its name, for messages.

    Attributes:
        batch_size: images of a call of the signature `batch`; 1 where the file has none.
        can_step: whether the file has the signatures `encode` and `step`.
        can_rectify: whether the file has the signature `rectify`.

    Raises:
        ValueError: LiteRT cannot load the model.
    """

    def __init__(self, path: str | None = None, content: bytes | Signatures | None = None) -> None:
        self._name = path or "bytes"
        if content is None and path is not None:
            content = pathlib.Path(path).read_bytes()
        self._parts = content if isinstance(content, Signatures) else Signatures(content or b"")
        self._runners: dict[str, Any] = {}
        # It knows the tensors of all signatures.
        interpreter = self._load(SIGNATURE)
        self._signatures = set(interpreter.get_signature_list())
        try:
            self._described = {key: interpreter.get_signature_runner(key) for key in self._signatures}
        except _LITERT_ERRORS as error:
            raise self._error("load", error) from error
        self.can_rectify = RECTIFY_SIGNATURE in self._signatures
        self._has_batch = BATCH_SIGNATURE in self._signatures
        self.batch_size = self._num_rows(BATCH_SIGNATURE, "image") if self._has_batch else 1
        self.can_step = {ENCODE_SIGNATURE, STEP_SIGNATURE} <= self._signatures
        self._step_rows = self._num_rows(STEP_SIGNATURE, "previous") if self.can_step else 0
        self._width, self._time = self._side(SIGNATURE, "image", 2), 0
        if self.can_step:
            self._time = self._side(STEP_SIGNATURE, "states", 1)

    def _load(self, signature: str) -> Any:
        # LiteRT's other interface, CompiledModel, could share XNNPACK's packed weights among signatures, but holds
        # Python's global lock while it runs: threads would read one after another.
        from ai_edge_litert.interpreter import Interpreter

        try:
            # The first one of a process announces its delegate.
            with _while_it_announces_itself():
                interpreter = Interpreter(model_content=self._parts.alone(signature), num_threads=1)
                interpreter.allocate_tensors()
            self._runners[signature] = interpreter.get_signature_runner(signature)
        except _LITERT_ERRORS as error:
            raise self._error("load", error) from error
        return interpreter

    def _error(self, what: str, error: Exception) -> ValueError:
        return ValueError(
            f"LiteRT cannot {what} the model: {one_line(error).rstrip('.')}. Received: model={self._name!r}"
        )

    def _run(self, signature: str, is_wide: bool = False, **inputs: np.ndarray) -> dict[str, np.ndarray]:
        runner = self._runner(signature + WIDE if is_wide else signature)
        try:
            outputs = runner(**inputs)
            return {key: outputs[key] for key in _OUTPUTS.get(signature, outputs)}
        except _LITERT_ERRORS as error:
            raise self._error("run", error) from error

    def _runner(self, signature: str) -> Any:
        """Each has an interpreter of its own, made when it is asked for: others cost nothing."""
        if signature not in self._runners:
            if signature not in self._signatures:
                raise ValueError(
                    f"The model has no signature {signature}; export it anew with bin/export_tflite.py. "
                    f"Received: model={self._name!r} with {sorted(self._signatures)}"
                )
            self._load(signature)
        return self._runners[signature]

    def _side(self, signature: str, name: str, axis: int) -> int:
        inputs, _ = self.tensors(signature)
        shape: Any = inputs[name]["shape"] if name in inputs else []
        return int(shape[axis]) if len(shape) > axis else 0

    def _num_rows(self, signature: str, name: str) -> int:
        if not 1 <= (rows := self._side(signature, name, 0)) <= _MAX_ROWS:
            raise ValueError(
                f"The signature {signature} takes no number of {name} rows that makes sense. "
                f"Received: rows={rows}, model={self._name!r}"
            )
        return rows

    def tensors(self, signature: str = SIGNATURE) -> tuple[dict[str, JsonObject], dict[str, JsonObject]]:
        """What LiteRT says about the inputs and outputs of a signature, by name."""
        runner = self._described[signature]
        try:
            return runner.get_input_details(), runner.get_output_details()
        except _LITERT_ERRORS as error:
            raise self._error("describe", error) from error

    def predict_words(self, images: np.ndarray, batch: bool | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Reads images; see `LiteRTModel.predict_words`.

        Args:
            images: float32 (n, height, width, 1) in [-1, 1], n at least 1, all of image_size or all of wide_image_size.
            batch: True reads by the signature `batch` alone, False one after another; None takes what is faster.

        Raises:
            ValueError: the model is damaged: LiteRT cannot run it.
        """
        outputs = []
        is_wide = images.shape[2] != self._width
        start = 0
        while start < len(images):
            chunk = images[start : start + self.batch_size]
            # A call of the batch costs about as much as six of one image.
            if self._has_batch and (4 * len(chunk) >= 3 * self.batch_size if batch is None else batch):
                output = self._run(BATCH_SIGNATURE, is_wide, image=fill_rows(chunk, self.batch_size))
                outputs.append([output[key][: len(chunk)] for key in ("probabilities", "positions")])
            else:
                for image in chunk:
                    output = self._run(SIGNATURE, is_wide, image=image[None])
                    outputs.append([output["probabilities"], output["positions"]])
            start += len(chunk)
        probabilities, positions = zip(*outputs, strict=True)
        return np.concatenate(probabilities), np.concatenate(positions)

    def encode(self, images: np.ndarray) -> Encoded:
        """See `SteppingModel.encode`."""
        self._check_stepping()
        is_wide = images.shape[2] != self._width
        outputs = [self._run(ENCODE_SIGNATURE, is_wide, image=image[None]) for image in images]
        return cast(Encoded, _joined(outputs))

    def step(self, **rows: np.ndarray) -> Stepped:
        """See `SteppingModel.step`."""
        self._check_stepping()
        size = self._step_rows
        num_rows = len(rows["previous"])
        is_wide = rows["states"].shape[1] != self._time
        outputs = []
        for start in range(0, num_rows, size):
            chunk = {key: value[start : start + size] for key, value in rows.items()}
            filled = {key: fill_rows(value, size) for key, value in chunk.items()}
            outputs.append(self._run(STEP_SIGNATURE, is_wide, **filled))
        return cast(Stepped, {key: rows[:num_rows] for key, rows in _joined(outputs).items()})

    def rectify(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """See `SPINRecognizer.rectify`."""
        is_wide = images.shape[2] != self._width
        return _joined([self._run(RECTIFY_SIGNATURE, is_wide, image=image[None]) for image in images])

    def _check_stepping(self) -> None:
        if not self.can_step:
            raise ValueError(
                f"The model has no signatures {ENCODE_SIGNATURE} and {STEP_SIGNATURE}; export it anew with "
                f"bin/export_tflite.py. Received: model={self._name!r} with {sorted(self._runners)}"
            )


def _joined(outputs: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {key: np.concatenate([output[key] for output in outputs]) for key in outputs[0]}


def _while_it_announces_itself() -> contextlib.AbstractContextManager[None]:
    global _has_announced_itself
    if _has_announced_itself:
        return contextlib.nullcontext()
    _has_announced_itself = True
    return without_native_chatter()


class LiteRTModel:
    """An exported model: one interpreter for each batch that is read at the same time, each on one thread.

    Two interpreters on a thread each read a folder about a third faster than one on two threads, and a single image no
    slower: the many small operators of a decoder step do not split well. Interpreters are made when they are needed.
    All methods are safe to call from several threads at once.

    Args:
        path: a `.tflite` file written by spin_tf.
        num_threads: interpreters that work at the same time.
        content: the bytes of the file, where it lies in no folder; `path` is its name then.

    Attributes:
        metadata: dict, the `spin_tf.json` of the file.
        batch_size: images a call that keep the threads evenly busy.
        can_step: whether the file has the signatures `encode` and `step`.
        can_rectify: whether the file has the signature `rectify`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is not a model of spin_tf, or a damaged one.
    """

    # `Pool` makes new interpreters in a forked process.
    survives_fork = True
    # Decoding files in between would drive the weights out of the cache: single images cost a fifth more. A multiple of
    # what the signature `batch` takes.
    batch_size = 16

    def __init__(self, path: str | os.PathLike[str], num_threads: int, content: bytes | None = None) -> None:
        self.path = os.fspath(path)
        self.metadata = read_metadata(path, content)
        parts = Signatures(pathlib.Path(path).read_bytes() if content is None else content)
        # Nothing that leads back to this model: a circle would keep some 60 MB until Python's collector comes by.
        self._interpreters = Pool(functools.partial(LiteRTInterpreter, self.path, parts), num_threads)
        with self._interpreters.take() as interpreter:
            check_tensors(*interpreter.tensors(), self.metadata, self.path)
            self.can_step = interpreter.can_step
            self.can_rectify = interpreter.can_rectify

    def predict_words(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Reads images: eight at a time where the file has the signature for it and there are enough of them.

        Args:
            images: float32 (n, height, width, 1) in [-1, 1], n at least 1, all of image_size or all of wide_image_size.

        Returns:
            probabilities (n, steps, classes) and positions (n, steps), float32. Behind the end of a word they may hold
            anything.

        Raises:
            ValueError: the model is damaged: LiteRT cannot run it.
        """
        with self._interpreters.take() as interpreter:
            return interpreter.predict_words(images)

    def encode(self, images: np.ndarray) -> Encoded:
        """See `SteppingModel.encode`.

        Raises:
            ValueError: the file was written before spin_tf had the signatures; see `can_step`.
        """
        with self._interpreters.take() as interpreter:
            return interpreter.encode(images)

    def rectify(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """See `SPINRecognizer.rectify`.

        Raises:
            ValueError: the file has no signature for it; see `can_rectify`.
        """
        with self._interpreters.take() as interpreter:
            return interpreter.rectify(images)

    def step(
        self,
        states: np.ndarray,
        projected: np.ndarray,
        previous: np.ndarray,
        output: np.ndarray,
        cell: np.ndarray,
    ) -> Stepped:
        """See `SteppingModel.step`; raises as `encode` does."""
        with self._interpreters.take() as interpreter:
            return interpreter.step(states=states, projected=projected, previous=previous, output=output, cell=cell)
