"""Model servers for tests: TensorFlow Serving's two wire forms around a `Recognizer`, with faults on demand.

They decode image files as the graph of an exported SavedModel does, with TensorFlow's operators, and so refuse what it
refuses. They prove the wire form and the behaviour of clients, not TensorFlow Serving itself.
"""

from __future__ import annotations

import base64
import contextlib
import http.server
import json
import pathlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from typing import Any

import numpy as np

from spin_tf import Recognizer
from spin_tf.contract.tensorflow_pixels import decode_tensor

MAX_STEPS = 5

# What a request meets: its number from 0 and the number of images in; a name of a fault, or None.
Plan = Callable[[int, int], str | None]


class Reader:
    """What the graph does, and a log of what it was asked."""

    def __init__(self, model: pathlib.Path, plan: Plan = lambda number, size: None) -> None:
        self.recognizer = Recognizer(model, num_threads=2)
        self.plan = plan
        self.requests: list[list[bytes]] = []
        self.in_flight = self.most_in_flight = 0
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def request(self, images: list[bytes]) -> Iterator[str | None]:
        with self._lock:
            fault = self.plan(len(self.requests), len(images))
            self.requests.append(images)
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            if fault is not None and fault.startswith("slow"):
                time.sleep(float(fault.removeprefix("slow")))
            yield fault
        finally:
            with self._lock:
                self.in_flight -= 1

    def rows(self, images: list[bytes]) -> list[dict[str, Any]]:
        return [self.row(image) for image in images]

    def row(self, image: bytes) -> dict[str, Any]:
        try:
            word = self.recognizer.read(decode_tensor(image).numpy())
        # TensorFlow has an error class for every status.
        except Exception as error:
            word, reason = None, type(error).__name__
        if word is None:
            zeros = np.zeros(MAX_STEPS, np.float32)
            values: tuple[Any, ...] = ("", 0.0, False, reason, zeros, zeros, 0)
        else:
            # Entries behind the word are there, and are not zero: clients must not take them for characters.
            padding = [0.5] * (MAX_STEPS - len(word.text))
            confidences = np.array([c.confidence for c in word.characters] + padding, np.float32)
            positions = np.array([c.x for c in word.characters] + padding, np.float32)
            values = (word.text, np.float32(word.confidence), True, "", confidences, positions, word.turned)
        names = ("words", "confidence", "valid", "reason", "character_confidences", "positions", "turned")
        return dict(zip(names, values, strict=True))


def rest_answer(reader: Reader, images: list[bytes]) -> dict[str, Any]:
    def plain(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return [float(v) for v in value]
        return float(value) if isinstance(value, np.floating) else value

    return {"predictions": [{k: plain(v) for k, v in row.items()} for row in reader.rows(images)]}


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    reader: Reader
    model = "/v1/models/spin:predict"

    def log_message(self, *arguments: object) -> None:
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        images = [base64.b64decode(i["image_bytes"]["b64"], validate=True) for i in json.loads(body)["instances"]]
        if self.path != self.model:
            return self._send(404, {"error": "Could not find any versions of model other"})
        with self.reader.request(images) as fault:
            if fault == "drop":
                return self._drop()
            if fault == "drop in the middle":
                body = json.dumps(rest_answer(self.reader, images)).encode()
                self._start(200, len(body))
                self.wfile.write(body[: len(body) // 2])
                return self._drop()
            if fault == "html 200":
                return self._send(200, "<html><body>\n<h1>Welcome</h1>" + "." * 9000)
            if fault == "html 500":
                return self._send(500, "<html>\n<h1>Internal error</h1>" + "." * 9000)
            if fault == "drip":
                self._start(200, 1000)
                for _ in range(100):
                    self.wfile.write(b" ")
                    time.sleep(0.05)
                return self._drop()
            if fault is not None and fault.isdecimal():
                headers = {"Retry-After": "0"} if fault == "429" else {}
                return self._send(int(fault), {"error": f"says {fault}"}, headers)
            answer = rest_answer(self.reader, images)
            rows = answer["predictions"]
            if fault == "one too many":
                rows.append(rows[0])
            elif fault == "one too few":
                rows.pop()
            elif fault == "other outputs":
                answer["predictions"] = [{"probabilities": [0.5]} for _ in rows]
            elif fault == "no predictions":
                answer = {"outputs": {}}
            elif fault == "closes":
                self.close_connection = True
                return self._send(200, answer, {"Connection": "close"})
            elif fault == "closes silently":
                self.close_connection = True
            return self._send(200, answer)

    def _start(self, status: int, length: int, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(length))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()

    def _send(self, status: int, answer: Any, headers: dict[str, str] | None = None) -> None:
        body = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
        self._start(status, len(body), headers)
        self.wfile.write(body)

    def _drop(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *arguments: object) -> None:
        """A client that has gone is no news."""


@contextlib.contextmanager
def rest(reader: Reader) -> Iterator[str]:
    """Runs a REST server; yields its address."""
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"reader": reader}))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/models/spin"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def grpc(reader: Reader) -> Iterator[str]:
    """Runs a gRPC server on the official stubs; yields its address."""
    import grpc as library
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

    codes = library.StatusCode

    class Service(prediction_service_pb2_grpc.PredictionServiceServicer):
        def Predict(self, request: Any, context: Any) -> Any:
            if request.model_spec.name != "spin":
                context.abort(codes.NOT_FOUND, "Servable not found for request: Latest(other)")
            images = tf.make_ndarray(request.inputs["image_bytes"]).tolist()
            with reader.request(images) as fault:
                if fault is not None and hasattr(codes, fault):
                    context.abort(getattr(codes, fault), f"says {fault}")
                rows = reader.rows(images)
                if fault == "one too many":
                    rows.append(rows[0])
                elif fault == "one too few":
                    rows.pop()
                response = predict_pb2.PredictResponse()
                for name in rows[0] if rows else ():
                    dtype = np.float32 if name == "confidence" else None
                    values = np.array([row[name] for row in rows], dtype=dtype)
                    response.outputs[name].CopyFrom(tf.make_tensor_proto(values))
                if fault == "other outputs":
                    del response.outputs["words"]
                elif fault == "unequal outputs":
                    response.outputs["words"].CopyFrom(tf.make_tensor_proto(["a"] * (len(rows) + 1)))
                return response

    server = library.server(futures.ThreadPoolExecutor(8))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Service(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"grpc://127.0.0.1:{port}/spin"
    finally:
        server.stop(None).wait()


TRANSPORTS: dict[str, Callable[[Reader], contextlib.AbstractContextManager[str]]] = {"rest": rest, "grpc": grpc}
