"""Serves an exported SavedModel with KServe, in the REST form of TensorFlow Serving, from Python packages alone.

    python deploy/tf_serving/kserve_server.py --folder=models/spin [--model=spin] [--port=8501] [--threads=N]

`--folder` holds numbered versions. The highest one answers; it is looked for every second, so a version that appears
takes over when it is loaded and warm, and a version that is taken away gives the place back to the one below. Needs
kserve and tensorflow; of spin_tf only what says how many cores a container may use.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import binascii
import json
import logging
import pathlib
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import kserve
import numpy as np
import tensorflow as tf
from kserve.errors import InvalidInput

from spin_tf._cores import num_cores

_LOG = logging.getLogger("spin_tf.kserve_server")
_SECONDS_BETWEEN_LOOKS = 1.0
_DEFAULT_SIGNATURE = "serving_default"
# What warms a version: the shapes of a few requests; an unreadable file passes through all of the graph but decoding.
_WARM_BATCHES = (1, 2, 8)


class SpinModel(kserve.Model):
    """The highest version of a folder behind `POST /v1/models/NAME:predict`."""

    def __init__(self, name: str, folder: pathlib.Path, threads: int) -> None:
        super().__init__(name)
        self.folder = folder
        self._pool = ThreadPoolExecutor(threads)
        self._version = 0
        # Replaced in one assignment: whoever has taken the old one finishes with it.
        self._loaded: Any = None

    def load(self) -> bool:
        """Loads the highest version if it is not the one that answers; keeps what it has if that fails."""
        versions = [int(child.name) for child in self.folder.iterdir() if child.name.isdigit()]
        if versions and max(versions) != self._version:
            version = max(versions)
            loaded = tf.saved_model.load(str(self.folder / str(version)))
            for size in _WARM_BATCHES:
                loaded.signatures[_DEFAULT_SIGNATURE](image_bytes=tf.constant([b""] * size))
            self._loaded, self._version = loaded, version
            print(f"version {version} answers", flush=True)
        self.ready = self._loaded is not None
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
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, self._predict, payload)

    def _predict(self, payload: dict[str, Any]) -> dict[str, Any]:
        loaded = self._loaded
        name = payload.get("signature_name", _DEFAULT_SIGNATURE)
        if name not in loaded.signatures:
            raise InvalidInput(f"there is no such signature. Received: signature_name={name!r}")
        signature = loaded.signatures[name]
        inputs = _inputs(payload.get("instances"), signature.structured_input_signature[1])
        outputs = {key: value.numpy() for key, value in signature(**inputs).items()}
        rows = [{key: _plain(values[i]) for key, values in outputs.items()} for i in range(len(payload["instances"]))]
        return {"predictions": rows}


def _inputs(instances: Any, expected: dict[str, Any]) -> dict[str, Any]:
    """The tensors of a signature from rows of JSON; a row may be the value itself where there is one input."""
    if not isinstance(instances, list):
        raise InvalidInput("a request holds a list of instances")
    inputs = {}
    for name, spec in expected.items():
        values = []
        for number, row in enumerate(instances):
            is_value = len(expected) == 1 and not (isinstance(row, dict) and name in row)
            try:
                values.append(_decoded(row if is_value else row[name], spec.dtype))
            except (KeyError, TypeError, ValueError, binascii.Error) as error:
                raise InvalidInput(f"instance {number} has no valid {name}: {error}") from error
        try:
            shape = (len(values), *spec.shape[1:])
            inputs[name] = tf.reshape(tf.constant(values, spec.dtype), shape)
        except (ValueError, TypeError, tf.errors.InvalidArgumentError) as error:
            raise InvalidInput(f"{name} has other shapes than {spec.shape}") from error
    return inputs


def _decoded(value: Any, dtype: tf.DType) -> Any:
    if dtype != tf.string:
        return np.asarray(value, dtype.as_numpy_dtype)
    if not isinstance(value, dict) or set(value) != {"b64"} or not isinstance(value["b64"], str):
        raise ValueError('bytes are sent as {"b64": "..."}')
    return base64.b64decode(value["b64"], validate=True)


def _plain(value: Any) -> Any:
    """A value of JSON: text for strings, lists for arrays."""
    return value.decode("utf-8") if isinstance(value, bytes) else value.tolist()


def main() -> None:
    parser = argparse.ArgumentParser(description="Serves an exported SavedModel with KServe.")
    parser.add_argument("--folder", type=pathlib.Path, required=True, help="numbered versions of a SavedModel")
    parser.add_argument("--model", default="spin", help="the name in the address")
    parser.add_argument("--port", type=int, default=8501, help="of HTTP")
    parser.add_argument("--threads", type=int, default=num_cores(), help="requests that are read at the same time")
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
