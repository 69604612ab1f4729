"""The flags of reading through a model server."""

from __future__ import annotations

import os

from absl import flags

from spin_tf.cli._run import UserError
from spin_tf.reading.remote import RemoteRecognizer

HELP_TITLE = "through a server"
HEADERS_VARIABLE = "SPIN_TF_SERVER_HEADERS"

_SERVER = flags.DEFINE_string(
    "server",
    None,
    "read through a server: http://HOST:8501/v1/models/NAME (TensorFlow Serving, KServe) or grpc://HOST:8500/NAME",
)
_TIMEOUT = flags.DEFINE_float("server_timeout", 60.0, "seconds for one request to the server")
_RETRY_SECONDS = flags.DEFINE_float(
    "server_retry_seconds", 60.0, "how long a request is sent again while the server is away or holds back"
)
_REQUESTS = flags.DEFINE_integer("server_requests", 4, "requests to the server at the same time")
_HEADERS = flags.DEFINE_multi_string(
    "server_header",
    [],
    "a header of each request, such as 'Authorization: Bearer TOKEN'; repeatable; a secret stands better in the "
    f"environment, as a line of {HEADERS_VARIABLE}, where the list of processes does not show it",
)
_CERTIFICATE = flags.DEFINE_string(
    "server_certificate", None, "PEM file of a client certificate and its key, for servers that ask for one"
)


def forbid_beside_server(*local: flags.FlagHolder) -> None:
    """Refuses flags that say how to read here: the server reads as its own model does.

    Raises:
        UserError: --server and one of `local` are given.
    """
    if _SERVER.value is None:
        return
    for flag in local:
        if flag.present:
            raise UserError(f"--{flag.name} does not go with --server, which reads as it does. Received: {flag.value}")


def is_asked() -> bool:
    """Whether --server says who reads."""
    return _SERVER.value is not None


def open_server() -> RemoteRecognizer | None:
    """Returns the reader behind --server; None without that flag."""
    if _SERVER.value is None:
        return None
    return RemoteRecognizer(
        _SERVER.value,
        _TIMEOUT.value,
        _RETRY_SECONDS.value,
        _REQUESTS.value,
        headers=_headers(),
        certificate=_CERTIFICATE.value,
    )


def _headers() -> dict[str, str]:
    headers = {}
    # What is given with the command counts more.
    for line in [*os.environ.get(HEADERS_VARIABLE, "").splitlines(), *_HEADERS.value]:
        name, colon, value = line.partition(":")
        if line.strip() and not colon:
            raise UserError("A header is 'NAME: VALUE'. Received: one without a colon")
        if line.strip():
            headers[name.strip()] = value.strip()
    return headers
