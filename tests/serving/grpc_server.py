"""A server of TensorFlow Serving's gRPC form for tests: its official protos and stubs around TensorFlow's loader.

    python tests/serving/grpc_server.py --folder=DIR --model=spin [--port=0]

DIR holds numbered versions; the highest answers, and a new one, or the loss of one, is noticed within a second.
It prints `port N` on its first line. It proves the wire form of requests and answers, not TensorFlow Serving.
"""

from __future__ import annotations

import argparse
import pathlib
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import tensorflow as tf
from google.protobuf import any_pb2  # type: ignore[import-untyped]
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

_AVAILABLE, _END = get_model_status_pb2.ModelVersionStatus.AVAILABLE, get_model_status_pb2.ModelVersionStatus.END


class Versions:
    """The versions in a folder: the highest is loaded before the one it follows is let go."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.lock = threading.Lock()
        self.loaded: dict[int, Any] = {}
        self.ended: set[int] = set()
        self.look()

    def look(self) -> None:
        found = [int(child.name) for child in self.folder.iterdir() if child.name.isdigit()]
        if not found or max(found) in self.loaded:
            return
        version = max(found)
        model = tf.saved_model.load(str(self.folder / str(version)))
        with self.lock:
            self.ended |= set(self.loaded)
            self.ended.discard(version)
            self.loaded = {version: model}

    def current(self) -> tuple[int, Any]:
        with self.lock:
            return next(iter(self.loaded.items()))

    def watch(self, stop: threading.Event) -> None:
        while not stop.wait(0.5):
            self.look()


class Service(
    prediction_service_pb2_grpc.PredictionServiceServicer,  # type: ignore[misc]
    model_service_pb2_grpc.ModelServiceServicer,  # type: ignore[misc]
):
    def __init__(self, name: str, versions: Versions) -> None:
        self.name = name
        self.versions = versions

    def _model(self, spec: Any, context: Any) -> tuple[int, Any]:
        version, model = self.versions.current()
        # Clients write 0 for any.
        asked = spec.version.value or version
        if spec.name != self.name or asked != version:
            context.abort(grpc.StatusCode.NOT_FOUND, f"Servable not found for request: {spec.name}, {asked}")
        return version, model

    def Predict(self, request: Any, context: Any) -> Any:
        version, model = self._model(request.model_spec, context)
        name = request.model_spec.signature_name or "serving_default"
        if name not in model.signatures:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, f'Serving signature key "{name}" not found.')
        signature = model.signatures[name]
        expected = signature.structured_input_signature[1]
        if set(request.inputs) != set(expected):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"input keys are {sorted(expected)}")
        try:
            inputs = {key: tf.constant(tf.make_ndarray(proto)) for key, proto in request.inputs.items()}
            outputs = signature(**inputs)
        except (ValueError, TypeError, tf.errors.OpError) as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error)[:500])
        response = predict_pb2.PredictResponse()
        response.model_spec.name, response.model_spec.signature_name = self.name, name
        response.model_spec.version.value = version
        for key, value in outputs.items():
            if not request.output_filter or key in request.output_filter:
                response.outputs[key].CopyFrom(tf.make_tensor_proto(value.numpy()))
        return response

    def GetModelStatus(self, request: Any, context: Any) -> Any:
        version, _ = self._model(request.model_spec, context)
        response = get_model_status_pb2.GetModelStatusResponse()
        for number, state in [(version, _AVAILABLE), *((ended, _END) for ended in sorted(self.versions.ended))]:
            status = response.model_version_status.add(version=number, state=state)
            status.status.error_code = 0
        return response

    def GetModelMetadata(self, request: Any, context: Any) -> Any:
        version, _ = self._model(request.model_spec, context)
        saved = saved_model_pb2.SavedModel()
        saved.ParseFromString((self.versions.folder / str(version) / "saved_model.pb").read_bytes())
        signatures = get_model_metadata_pb2.SignatureDefMap()
        for graph in saved.meta_graphs:
            assert isinstance(graph, meta_graph_pb2.MetaGraphDef)
            for name, definition in graph.signature_def.items():
                signatures.signature_def[name].CopyFrom(definition)
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        response.model_spec.name = self.name
        response.model_spec.version.value = version
        packed = any_pb2.Any()
        packed.Pack(signatures)
        response.metadata["signature_def"].CopyFrom(packed)
        return response


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    parser.add_argument("--model", default="spin")
    parser.add_argument("--port", type=int, default=0)
    arguments = parser.parse_args()
    versions = Versions(arguments.folder)
    service = Service(arguments.model, versions)
    server = grpc.server(ThreadPoolExecutor(4), options=[("grpc.max_receive_message_length", -1)])
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(service, server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(service, server)
    port = server.add_insecure_port(f"127.0.0.1:{arguments.port}")
    server.start()
    print(f"port {port}", flush=True)
    stop = threading.Event()
    threading.Thread(target=versions.watch, args=(stop,), daemon=True).start()
    try:
        # Whoever started the server ends it, or closes its standard input.
        while sys.stdin.read(1):
            time.sleep(0.01)
    finally:
        stop.set()
        server.stop(1).wait()


if __name__ == "__main__":
    main()
