"""Predict requests in TensorFlow Serving's REST form, with nothing but the standard library.

https://www.tensorflow.org/tfx/serving/api_rest: rows of instances in, rows of predictions out. KServe's first protocol
is the same.
"""

from __future__ import annotations

import base64
import collections
import contextlib
import http.client
import json
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from typing import Any

from spin_tf.reading.remote.answers import INPUT, RequestTooLarge, ServerError, Unavailable, shorten

# 502 and 503 come from balancers whose server is starting or gone, 429 from those that hold back.
_TRY_AGAIN = (429, 502, 503)
_TOO_LARGE = 413
# A reading is some kilobytes of JSON; a request has tens of them.
_MAX_ANSWER = 64 * 2**20
# Status, headers, body.
_Answer = tuple[int, http.client.HTTPMessage, bytes]


class RestTransport:
    """Connections to one model behind REST, kept open between requests.

    Args:
        host: name or address.
        port: None is the scheme's own.
        path: of the predict request, `/v1/models/NAME:predict`.
        secure: TLS.
        timeout: seconds for one request.
    """

    def __init__(self, host: str, port: int | None, path: str, secure: bool, timeout: float) -> None:
        self._host, self._port, self._path, self._timeout = host, port, path, timeout
        self._context = ssl.create_default_context() if secure else None
        self._idle: collections.deque[http.client.HTTPConnection] = collections.deque()

    def predict(self, images: Sequence[bytes]) -> list[Mapping[str, Any]]:
        """See `Transport`."""
        instances = [{INPUT: {"b64": base64.b64encode(image).decode("ascii")}} for image in images]
        status, headers, answer = self._post(json.dumps({"instances": instances}).encode("ascii"))
        text = answer.decode("utf-8", "replace")
        if status in _TRY_AGAIN:
            raise Unavailable(f"HTTP {status}: {_message(text)}", _seconds(headers.get("Retry-After")))
        if status == _TOO_LARGE:
            raise RequestTooLarge(f"HTTP {status}: {_message(text)}")
        if status != 200:
            raise ServerError(f"HTTP {status}: {_message(text)}")
        try:
            predictions = json.loads(text)["predictions"]
        except (json.JSONDecodeError, RecursionError, KeyError, TypeError) as error:
            raise ServerError(f"the answer is no JSON with predictions: {shorten(text)}") from error
        if not isinstance(predictions, list) or not all(isinstance(row, dict) for row in predictions):
            raise ServerError(f"the predictions are no rows of named outputs: {shorten(text)}")
        return predictions

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _connection(self) -> tuple[http.client.HTTPConnection, bool]:
        try:
            return self._idle.pop(), True
        except IndexError:
            pass
        if self._context is not None:
            return (
                http.client.HTTPSConnection(self._host, self._port, timeout=self._timeout, context=self._context),
                False,
            )
        return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout), False

    def _post(self, body: bytes) -> _Answer:
        while True:
            connection, reused = self._connection()
            try:
                answer = self._exchange(connection, body)
            except BaseException as error:
                connection.close()
                if reused and isinstance(error, ConnectionError):
                    # The server closed an idle connection; nothing says that it would refuse a fresh one.
                    continue
                if isinstance(error, (OSError, http.client.HTTPException)):
                    raise _as_server_error(error, self._timeout) from error
                raise
            self._idle.append(connection)
            return answer

    def _exchange(self, connection: http.client.HTTPConnection, body: bytes) -> _Answer:
        deadline = time.monotonic() + self._timeout
        if connection.sock is not None:
            connection.sock.settimeout(self._timeout)
        # A server that refuses a large body may answer and close before it has taken all of it.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.request("POST", self._path, body, {"Content-Type": "application/json"})
        # The connection lets go of its socket when the server wants it closed after this answer.
        sock = connection.sock
        sock.settimeout(max(deadline - time.monotonic(), 0.001))
        response = connection.getresponse()
        chunks, size = [], 0
        while not response.isclosed():
            # Each wait of a socket has a limit of its own; an answer that drips in must not take longer in all.
            sock.settimeout(max(deadline - time.monotonic(), 0.001))
            chunk = response.read1(1 << 16)
            if not chunk:
                break
            size += len(chunk)
            if size > _MAX_ANSWER:
                raise ServerError(f"the answer has more than {_MAX_ANSWER} bytes")
            chunks.append(chunk)
        if response.length:
            raise http.client.IncompleteRead(b"", response.length)
        response.close()
        return response.status, response.headers, b"".join(chunks)


def _as_server_error(error: OSError | http.client.HTTPException, timeout: float) -> ServerError:
    if isinstance(error, ServerError):
        return error
    if isinstance(error, TimeoutError):
        # Whoever is slow already would be asked twice: not tried again.
        return ServerError(f"no answer within {timeout:g} s")
    if isinstance(error, http.client.RemoteDisconnected):
        return Unavailable("it closed the connection without an answer")
    if isinstance(error, http.client.IncompleteRead):
        return Unavailable("the connection broke in the middle of an answer")
    if isinstance(error, (ssl.SSLError, http.client.HTTPException)):
        return ServerError(f"{type(error).__name__}: {shorten(str(error))}")
    if isinstance(error, socket.gaierror) and error.errno != socket.EAI_AGAIN:
        return ServerError(f"{error.strerror}")
    return Unavailable(error.strerror or f"{type(error).__name__}: {error}")


def _message(text: str) -> str:
    """What a server says is wrong: the `error` of its JSON, or the start of whatever it sent."""
    try:
        answer = json.loads(text)
        return shorten(str(answer["error"]))
    except (json.JSONDecodeError, RecursionError, KeyError, TypeError):
        return shorten(text) or "no explanation"


def _seconds(value: str | None) -> float | None:
    # The other form of the header, a date, is not worth two clocks.
    return float(value) if value and value.strip().isdecimal() else None
