"""Serves words with KServe, in the REST form of TensorFlow Serving, from Python packages alone.

    python deploy/tf_serving/kserve_server.py --folder=models/spin [--model=spin] [--port=8501] [--threads=N]

`--folder` holds numbered versions, each a SavedModel of bin/export_saved_model.py or a folder with one `.tflite` file.
The highest one answers; it is looked for every second, so a version that appears takes over when it is loaded and warm,
and a version that is taken away gives the place back to the one below. Requests that come while all threads read are
read together by the next that is free. Needs kserve and, for SavedModels only, tensorflow.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import binascii
import itertools
import json
import logging
import pathlib
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, Protocol

import kserve
import numpy as np
from kserve.errors import InvalidInput

from spin_tf import ReadError, Recognizer
from spin_tf._cores import num_cores

_LOG = logging.getLogger("spin_tf.kserve_server")
_SECONDS_BETWEEN_LOOKS = 1.0
_DEFAULT_SIGNATURE = "serving_default"
# What warms a version: the shapes of a few requests; an unreadable file passes through all of the graph but decoding.
_WARM_BATCHES = (1, 2, 8)
# Words of single requests that are read together, as in batching.config; a larger request is read as it comes.
_MAX_BATCH = 32

Columns = dict[str, np.ndarray]


class Input(NamedTuple):
    """One input of a signature: the shape of a row, and its type; None is the bytes of an image file."""

    shape: tuple[int, ...]
    dtype: Any


class Version(Protocol):
    """A model that is loaded: what its signatures take, by name, and the rows they answer. Safe to call by threads."""

    signatures: dict[str, dict[str, Input]]

    def read(self, signature: str, inputs: dict[str, list[Any]]) -> Columns: ...


class SavedModelVersion:
    """A SavedModel, whose graph does all of it."""

    def __init__(self, folder: pathlib.Path) -> None:
        # Here, not above: it takes longer to load than all the rest, and `.tflite` files do without.
        import tensorflow as tf

        self._tf = tf
        self._loaded = tf.saved_model.load(str(folder))
        self.signatures = {
            name: {key: self._input(spec) for key, spec in signature.structured_input_signature[1].items()}
            for name, signature in self._loaded.signatures.items()
        }
        for size in _WARM_BATCHES:
            self.read(_DEFAULT_SIGNATURE, {"image_bytes": [b""] * size})

    def _input(self, spec: Any) -> Input:
        return Input(tuple(spec.shape[1:]), None if spec.dtype == self._tf.string else spec.dtype.as_numpy_dtype)

    def read(self, signature: str, inputs: dict[str, list[Any]]) -> Columns:
        tensors = {}
        for name, (shape, dtype) in self.signatures[signature].items():
            values = self._tf.constant(inputs[name], self._tf.string if dtype is None else dtype)
            tensors[name] = self._tf.reshape(values, (len(inputs[name]), *shape))
        return {name: value.numpy() for name, value in self._loaded.signatures[signature](**tensors).items()}


class LiteRTVersion:
    """A `.tflite` file behind a `Recognizer`: the answers of a SavedModel, of every format that `Recognizer` reads."""

    def __init__(self, file: pathlib.Path, threads: int) -> None:
        self._recognizer = Recognizer(file, num_threads=threads)
        shape = (*self._recognizer.image_size, 1)
        self.signatures = {
            _DEFAULT_SIGNATURE: {"image_bytes": Input((), None)},
            "images": {"image": Input(shape, np.float32)},
        }

    def read(self, signature: str, inputs: dict[str, list[Any]]) -> Columns:
        if signature == "images":
            probabilities, positions = self._recognizer.model.predict_words(np.stack(inputs["image"]))
            return {"probabilities": probabilities, "positions": positions}
        results = list(self._recognizer.read_many(inputs["image_bytes"]))
        steps = int(self._recognizer.metadata["max_length"]) + 1
        confidences, positions = np.zeros((2, len(results), steps), np.float32)
        words = [None if isinstance(result, ReadError) else result for result in results]
        for row, word in enumerate(words):
            for column, character in enumerate(word.characters if word else ()):
                confidences[row, column], positions[row, column] = character.confidence, character.x
        return {
            "words": np.array([word.text if word else "" for word in words], object),
            "confidence": np.array([word.confidence if word else 0.0 for word in words], np.float32),
            "valid": np.array([word is not None for word in words]),
            "reason": np.array([result.kind if isinstance(result, ReadError) else "" for result in results], object),
            "character_confidences": confidences,
            "positions": positions,
            "turned": np.array([word.turned if word else 0 for word in words], np.int32),
        }


def load_version(folder: pathlib.Path, threads: int) -> Version:
    """Loads and warms what lies in the folder of a version.

    Raises:
        ValueError: neither a SavedModel nor one `.tflite` file.
    """
    if (folder / "saved_model.pb").exists():
        return SavedModelVersion(folder)
    files = sorted(folder.glob("*.tflite"))
    if len(files) != 1:
        raise ValueError(f"a version is a SavedModel or one .tflite file. Received: {folder} with {len(files)} files")
    return LiteRTVersion(files[0], threads)


class Request(NamedTuple):
    """A request that waits to be read."""

    version: Version
    signature: str
    inputs: dict[str, list[Any]]
    size: int
    answer: asyncio.Future[list[dict[str, Any]]]

    @property
    def kind(self) -> tuple[int, str]:
        """Requests of one kind can be read together."""
        return id(self.version), self.signature


class SpinModel(kserve.Model):
    """The highest version of a folder behind `POST /v1/models/NAME:predict`."""

    def __init__(self, name: str, folder: pathlib.Path, threads: int) -> None:
        super().__init__(name)
        self.folder = folder
        self._threads = self._free = threads
        self._pool = ThreadPoolExecutor(threads)
        self._waiting: list[Request] = []
        self._number = 0
        # Replaced in one assignment: whoever has taken the old one finishes with it.
        self._version: Version | None = None

    def load(self) -> bool:
        """Loads the highest version if it is not the one that answers; keeps what it has if that fails."""
        numbers = [int(child.name) for child in self.folder.iterdir() if child.name.isdigit()]
        if numbers and max(numbers) != self._number:
            number = max(numbers)
            self._version = load_version(self.folder / str(number), self._threads)
            self._number = number
            print(f"version {number} answers", flush=True)
        self.ready = self._version is not None
        return self.ready

    def watch(self, stop: threading.Event) -> None:
        while not stop.wait(_SECONDS_BETWEEN_LOOKS):
            try:
                self.load()
            except Exception:
                # A version that is being taken away, or is broken: the one that answers goes on.
                _LOG.exception("a version cannot be loaded")

    async def preprocess(self, body: Any, headers: dict[str, str] | None = None) -> dict[str, Any]:
        """TensorFlow Serving takes JSON under any content type, KServe under its own only."""
        if isinstance(body, bytes):
            try:
                body = json.loads(body)
            except ValueError as error:
                raise InvalidInput(f"a request is JSON: {error}") from error
        if not isinstance(body, dict):
            raise InvalidInput("a request is an object of JSON")
        return body

    async def predict(self, payload: dict[str, Any], headers: dict[str, str] | None = None) -> dict[str, Any]:
        version = self._version
        assert version is not None
        name = payload.get("signature_name", _DEFAULT_SIGNATURE)
        if name not in version.signatures:
            raise InvalidInput(f"there is no such signature. Received: signature_name={name!r}")
        instances = payload.get("instances")
        inputs = parse_inputs(instances, version.signatures[name])
        if not instances:
            return {"predictions": []}
        answer: asyncio.Future[list[dict[str, Any]]] = asyncio.get_running_loop().create_future()
        self._waiting.append(Request(version, name, inputs, len(instances), answer))
        self._begin()
        return {"predictions": await answer}

    def _begin(self) -> None:
        """Gives what waits to the threads that are free; only the thread of the event loop does it."""
        while self._free and self._waiting:
            batch = [self._waiting.pop(0)]
            for request in list(self._waiting):
                if request.kind == batch[0].kind and sum(one.size for one in batch) + request.size <= _MAX_BATCH:
                    batch.append(request)
                    self._waiting.remove(request)
            self._free -= 1
            reading = asyncio.get_running_loop().run_in_executor(self._pool, read_together, batch)
            reading.add_done_callback(lambda done, batch=batch: self._finish(batch, done))

    def _finish(self, batch: Sequence[Request], done: asyncio.Future[list[list[dict[str, Any]]]]) -> None:
        self._free += 1
        error = done.exception()
        for number, request in enumerate(batch):
            if request.answer.done():
                # Whoever asked has gone.
                continue
            if error is not None:
                request.answer.set_exception(error)
            else:
                request.answer.set_result(done.result()[number])
        self._begin()


def read_together(batch: Sequence[Request]) -> list[list[dict[str, Any]]]:
    """The rows of each of some requests of one kind."""
    version, signature = batch[0].version, batch[0].signature
    inputs = {name: [value for one in batch for value in one.inputs[name]] for name in batch[0].inputs}
    columns = version.read(signature, inputs)
    rows = iter(range(sum(one.size for one in batch)))
    return [
        [{key: _plain(values[row]) for key, values in columns.items()} for row in itertools.islice(rows, one.size)]
        for one in batch
    ]


def parse_inputs(instances: Any, expected: dict[str, Input]) -> dict[str, list[Any]]:
    """The values of a signature from rows of JSON; a row may be the value itself where there is one input.

    Raises:
        InvalidInput: it is no such list, or a value has another type or shape.
    """
    if not isinstance(instances, list):
        raise InvalidInput("a request holds a list of instances")
    inputs: dict[str, list[Any]] = {name: [] for name in expected}
    for number, row in enumerate(instances):
        for name, (shape, dtype) in expected.items():
            is_value = len(expected) == 1 and not (isinstance(row, dict) and name in row)
            try:
                value = row if is_value else row[name]
                inputs[name].append(_bytes(value) if dtype is None else np.reshape(np.asarray(value, dtype), shape))
            except (KeyError, TypeError, ValueError, binascii.Error) as error:
                raise InvalidInput(f"instance {number} has no valid {name}: {error}") from error
    return inputs


def _bytes(value: Any) -> bytes:
    if not isinstance(value, dict) or set(value) != {"b64"} or not isinstance(value["b64"], str):
        raise ValueError('bytes are sent as {"b64": "..."}')
    return base64.b64decode(value["b64"], validate=True)


def _plain(value: Any) -> Any:
    """A value of JSON: text for strings, lists for arrays."""
    return value.decode("utf-8") if isinstance(value, bytes) else value.tolist() if hasattr(value, "tolist") else value


def main() -> None:
    parser = argparse.ArgumentParser(description="Serves words with KServe.")
    parser.add_argument("--folder", type=pathlib.Path, required=True, help="numbered versions of a model")
    parser.add_argument("--model", default="spin", help="the name in the address")
    parser.add_argument("--port", type=int, default=8501, help="of HTTP")
    parser.add_argument("--threads", type=int, default=num_cores(), help="batches that are read at the same time")
    arguments = parser.parse_args()
    model = SpinModel(arguments.model, arguments.folder, arguments.threads)
    if not model.load():
        parser.error(f"there is no version of a model here. Received: {arguments.folder}")
    stop = threading.Event()
    threading.Thread(target=model.watch, args=(stop,), daemon=True).start()
    try:
        kserve.ModelServer(http_port=arguments.port, enable_grpc=False).start([model])
    finally:
        stop.set()


if __name__ == "__main__":
    main()
