"""Predict requests through TensorFlow Serving's gRPC interface."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from spin_tf._extras import require
from spin_tf._input_files import read_regular_file
from spin_tf.reading.remote.answers import INPUT, WITHOUT_HEADERS, RequestTooLarge, ServerError, Unavailable, shorten
from spin_tf.reading.remote.predict_proto import decode_response, encode_request

_METHOD = "/tensorflow.serving.PredictionService/Predict"


class GrpcTransport:
    """A channel to one model behind gRPC.

    Args:
        target: `HOST:PORT`.
        model: its name.
        version: None is the one that the server prefers.
        secure: TLS.
        timeout: seconds for one request.
        headers: sent with each request, as metadata.
        certificate: PEM file of a client certificate and its key.

    Raises:
        OSError: the certificate cannot be opened.
        MissingExtraError: without grpcio.
    """

    def __init__(
        self,
        target: str,
        model: str,
        version: int | None,
        secure: bool,
        timeout: float,
        headers: Mapping[str, str] | None = None,
        certificate: str | None = None,
    ) -> None:
        self._grpc: Any = require("grpc", "Reading through gRPC", "serving")
        self._model, self._version, self._timeout = model, version, timeout
        # Retries are ours: they also know what a server asks for, and stop when one thread has given up.
        options = [("grpc.max_receive_message_length", -1), ("grpc.enable_retries", 0)]
        if secure:
            pem = None if certificate is None else read_regular_file(certificate)
            credentials = self._grpc.ssl_channel_credentials(private_key=pem, certificate_chain=pem)
            self._channel = self._grpc.secure_channel(target, credentials, options)
        else:
            self._channel = self._grpc.insecure_channel(target, options)
        # Names of metadata have no capital letters.
        self._metadata = [(name.lower(), value) for name, value in (headers or {}).items()]
        # Without serialisers bytes go out and bytes come in.
        self._predict = self._channel.unary_unary(_METHOD)

    def predict(self, images: Sequence[bytes]) -> list[Mapping[str, Any]]:
        """See `Transport`."""
        request = encode_request(self._model, self._version, INPUT, images)
        try:
            response = self._predict(request, timeout=self._timeout, metadata=self._metadata)
        except self._grpc.RpcError as error:
            raise self._as_server_error(error) from error
        try:
            columns = decode_response(response)
            return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        except (TypeError, ValueError, OverflowError) as error:
            raise ServerError(f"the outputs are no batch of readings: {shorten(str(error))}") from error

    def close(self) -> None:
        self._channel.close()

    def _as_server_error(self, error: Any) -> ServerError:
        code, details = error.code(), shorten(error.details() or "no explanation")
        codes = self._grpc.StatusCode
        if code == codes.DEADLINE_EXCEEDED:
            return ServerError(f"no answer within {self._timeout:g} s")
        message = f"{code.name}: {details}"
        if code == codes.RESOURCE_EXHAUSTED and "larger than max" in details:
            return RequestTooLarge(message)
        # A server that is stopped cancels what it is at; nothing was answered then, and reading leaves no traces.
        if code in (codes.UNAVAILABLE, codes.RESOURCE_EXHAUSTED, codes.CANCELLED):
            return Unavailable(message)
        if code in (codes.UNAUTHENTICATED, codes.PERMISSION_DENIED) and not self._metadata:
            return ServerError(f"{message.rstrip('.')}; {WITHOUT_HEADERS}")
        return ServerError(message)
