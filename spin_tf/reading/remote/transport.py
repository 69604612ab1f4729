"""From the address of a server to what speaks with it."""

from __future__ import annotations

import urllib.parse

from spin_tf.reading.remote.answers import Transport
from spin_tf.reading.remote.rest import RestTransport

_FORMS = "http://HOST:8501/v1/models/NAME or grpc://HOST:8500/NAME"


def connect(server: str, timeout: float) -> Transport:
    """Returns the transport for an address; nothing is sent yet.

    Args:
        server: `http://HOST:PORT/v1/models/NAME`, with `/versions/N` or `/labels/LABEL` behind it where one version is
            meant, or `grpc://HOST:PORT/NAME` or `/NAME/N`; `https` and `grpcs` for TLS.
        timeout: seconds for one request.

    Raises:
        ValueError: another address.
        MissingExtraError: gRPC without the extra.
    """
    try:
        parts = urllib.parse.urlsplit(server)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"The server is {_FORMS}: {error}. Received: server={server!r}") from error
    path = parts.path.strip("/")
    if parts.scheme not in ("http", "https", "grpc", "grpcs") or not host or not path:
        raise ValueError(f"The server is {_FORMS}. Received: server={server!r}")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError(f"The server is {_FORMS}, without user, query or fragment. Received: server={server!r}")
    secure = parts.scheme.endswith("s")
    if parts.scheme.startswith("http"):
        # Whoever copies the address of a request means the same model.
        path = path.removesuffix(":predict")
        return RestTransport(host, port, f"/{path}:predict", secure, timeout)
    model, _, version = path.partition("/")
    if version and not version.isdecimal():
        raise ValueError(f"A version is a number: grpc://HOST:8500/NAME/1. Received: server={server!r}")
    from spin_tf.reading.remote.grpc import GrpcTransport

    target = f"[{host}]" if ":" in host else host
    return GrpcTransport(f"{target}:{port or 8500}", model, int(version) if version else None, secure, timeout)
