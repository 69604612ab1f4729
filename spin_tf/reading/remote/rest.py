"""Predict requests in TensorFlow Serving's REST form, with nothing but the standard library.

https://www.tensorflow.org/tfx/serving/api_rest: rows of instances in, rows of predictions out. KServe's first protocol
is the same.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import socket
import ssl
import time
import urllib.parse
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from spin_tf.reading.remote.answers import (
    INPUT,
    WITHOUT_HEADERS,
    RequestTooLarge,
    ServerError,
    Unavailable,
    shorten,
)
from spin_tf.reading.remote.connections import Connections, Origin, proxy_of

# 502 and 503 come from balancers whose server is starting or gone, 429 from those that hold back.
_TRY_AGAIN = (429, 502, 503)
_TOO_LARGE = 413
# The first ask for the same request elsewhere (301 in practice: from http to https), 302 and 303 for another one.
_SAME_ELSEWHERE, _MOVED, _REFUSED = (301, 307, 308), (301, 302, 303, 307, 308), (401, 403, 407)
_MAX_REDIRECTS = 5
# A reading is some kilobytes of JSON; a request has tens of them.
_MAX_ANSWER = 64 * 2**20
# What an end of the connection comes as while something is sent.
_GONE = (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError, ssl.SSLZeroReturnError)


class _Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes


class _Target(NamedTuple):
    origin: Origin
    path: str


class RestTransport:
    """Connections to one model behind REST, kept open between requests.

    Args:
        host: name or address.
        port: None is the scheme's own.
        path: of the predict request, `/v1/models/NAME:predict`.
        secure: TLS.
        timeout: seconds for one request.
        headers: sent with each request: tokens, keys, names of hosts.
        certificate: PEM file of a client certificate and its key.

    Raises:
        OSError, ValueError: see `Connections`.
    """

    def __init__(
        self,
        host: str,
        port: int | None,
        path: str,
        secure: bool,
        timeout: float,
        headers: Mapping[str, str] | None = None,
        certificate: str | None = None,
    ) -> None:
        self._timeout, self._headers = timeout, dict(headers or {})
        # What is escaped stays so, what a line of HTTP cannot hold becomes it.
        self._target = _Target(Origin(secure, host, port), urllib.parse.quote(path, safe="/%:@!$&'()*+,;=~-._"))
        self._given = self._target.origin
        self._connections = Connections(timeout, certificate)

    def predict(self, images: Sequence[bytes]) -> list[Mapping[str, Any]]:
        """See `Transport`."""
        instances = [{INPUT: {"b64": base64.b64encode(image).decode("ascii")}} for image in images]
        status, headers, answer = self._post(json.dumps({"instances": instances}).encode("ascii"))
        # Some gateways begin their JSON with the mark of its byte order.
        text = answer.decode("utf-8-sig", "replace")
        if status in _TRY_AGAIN:
            raise Unavailable(f"HTTP {status}: {_message(text)}", _seconds(headers.get("Retry-After")))
        if status == _TOO_LARGE:
            raise RequestTooLarge(f"HTTP {status}: {_message(text)}")
        if status in _REFUSED and not self._headers:
            raise ServerError(f"HTTP {status}: {_message(text).rstrip('.')}; {WITHOUT_HEADERS}")
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
        self._connections.close()

    def _post(self, body: bytes) -> _Answer:
        target = self._target
        for _ in range(_MAX_REDIRECTS + 1):
            answer = self._post_to(target, body)
            if answer.status not in _MOVED:
                return answer
            moved = self._moved(target, answer)
            if answer.status in (301, 308) and target == self._target:
                # For good: the next request goes there at once.
                self._target = moved
            target = moved
        raise ServerError(f"more than {_MAX_REDIRECTS} redirections, the last to {target.origin}{target.path}")

    def _moved(self, target: _Target, answer: _Answer) -> _Target:
        """Where a redirection leads, as far as the same request may go there."""
        place = answer.headers.get("Location", "")
        # Header lines are bytes; addresses in them that are not ASCII are UTF-8.
        place = place.encode("latin-1", "replace").decode("utf-8", "replace")
        problem = f"HTTP {answer.status}: it redirects to {shorten(place)}" if place else f"HTTP {answer.status}"
        try:
            address = urllib.parse.urljoin(f"{target.origin}{target.path}", place)
            parts = urllib.parse.urlsplit(address)
            origin = Origin(parts.scheme == "https", parts.hostname or "", parts.port)
        except ValueError as error:
            raise ServerError(problem) from error
        path = f"{parts.path}{f'?{parts.query}' if parts.query else ''}"
        if not place or not origin.host or parts.scheme not in ("http", "https"):
            raise ServerError(problem)
        if answer.status not in _SAME_ELSEWHERE:
            raise ServerError(f"{problem}, with another kind of request; that may be the address to give")
        if target.origin.secure and not origin.secure:
            raise ServerError(f"{problem}, which is not encrypted")
        if self._headers and origin.host.lower() != target.origin.host.lower():
            raise ServerError(f"{problem}, another host, which does not get the headers that were given")
        return _Target(origin, urllib.parse.quote(path, safe="/%:@!$&'()*+,;=~-._?"))

    def _post_to(self, target: _Target, body: bytes) -> _Answer:
        while True:
            connection, reused = self._connections.take(target.origin)
            begun: list[bool] = []
            try:
                answer = self._exchange(connection, target, body, begun)
            except BaseException as error:
                connection.close()
                if isinstance(error, ServerError) or not isinstance(error, (OSError, http.client.HTTPException)):
                    raise
                if reused and not begun and not isinstance(error, TimeoutError):
                    # The server closed an idle connection; nothing says that it would refuse a fresh one. What TLS and
                    # proxies make of that has many names.
                    continue
                moved = "" if target.origin == self._given else f", to where it redirects: {target.origin}{target.path}"
                raise _as_server_error(error, self._timeout, target.origin, moved) from error
            self._connections.give_back(target.origin, connection)
            return answer

    def _exchange(
        self, connection: http.client.HTTPConnection, target: _Target, body: bytes, begun: list[bool]
    ) -> _Answer:
        """Sends a request and reads its answer; `begun` is filled once that has begun."""
        deadline = time.monotonic() + self._timeout
        if connection.sock is not None:
            connection.sock.settimeout(self._timeout)
        headers = {"Content-Type": "application/json", **self._headers}
        path = target.path
        if not target.origin.secure and (proxy := proxy_of(target.origin)):
            path = f"{target.origin}{path}"
            headers |= proxy.headers
        # A server that refuses a large body may answer and close before it has taken all of it.
        with contextlib.suppress(*_GONE):
            connection.request("POST", path, body, headers)
        # The connection lets go of its socket when the server wants it closed after this answer.
        sock = connection.sock
        if sock is None:
            raise ConnectionResetError("it closed the connection")
        sock.settimeout(max(deadline - time.monotonic(), 0.001))
        response = connection.getresponse()
        begun.append(True)
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
        return _Answer(response.status, response.headers, _unpacked(b"".join(chunks), response.headers))


def _unpacked(body: bytes, headers: http.client.HTTPMessage) -> bytes:
    """The body as it was before a gateway packed it, asked or not."""
    for coding in reversed([part.strip().lower() for part in headers.get("Content-Encoding", "").split(",")]):
        if coding in ("", "identity"):
            continue
        if coding not in ("gzip", "x-gzip", "deflate"):
            raise ServerError(f"the answer is packed by {shorten(coding)}, which was not asked for")
        # 32 more bits of window tell gzip and zlib apart by their headers.
        unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)
        try:
            body = unpacker.decompress(body, _MAX_ANSWER + 1)
        except zlib.error as error:
            raise ServerError(f"the answer is no valid {coding}: {error}") from error
        if len(body) > _MAX_ANSWER:
            raise ServerError(f"the answer has more than {_MAX_ANSWER} bytes")
        if not unpacker.eof:
            raise Unavailable("the connection broke in the middle of an answer")
    return body


def _as_server_error(
    error: OSError | http.client.HTTPException, timeout: float, origin: Origin, moved: str
) -> ServerError:
    plain = _plain_error(error, timeout)
    proxy = proxy_of(origin)
    through = f" (through the proxy {proxy.host}:{proxy.port} of the environment)" if proxy else ""
    return type(plain)(f"{plain}{moved}{through}") if moved or through else plain


def _plain_error(error: OSError | http.client.HTTPException, timeout: float) -> ServerError:
    if isinstance(error, TimeoutError):
        # Whoever is slow already would be asked twice: not tried again.
        return ServerError(f"no answer within {timeout:g} s")
    if isinstance(error, (http.client.RemoteDisconnected, ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return Unavailable("it closed the connection without an answer")
    if isinstance(error, http.client.IncompleteRead):
        return Unavailable("the connection broke in the middle of an answer")
    if isinstance(error, (ssl.SSLError, http.client.HTTPException)):
        return ServerError(f"{type(error).__name__}: {shorten(str(error))}")
    if isinstance(error, socket.gaierror) and error.errno != socket.EAI_AGAIN:
        return ServerError(f"{error.strerror}")
    if "Tunnel connection failed" in str(error):
        refused = any(f"failed: {status}" in str(error) for status in _TRY_AGAIN)
        return (Unavailable if refused else ServerError)(shorten(str(error)))
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
