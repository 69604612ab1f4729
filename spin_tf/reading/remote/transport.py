"""From the address of a server to what speaks with it."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Mapping

from spin_tf.reading.remote.answers import Transport
from spin_tf.reading.remote.rest import RestTransport

_FORMS = "http://HOST:8501/v1/models/NAME or grpc://HOST:8500/NAME"


# Names of headers; gRPC's metadata are more narrow, and are checked by it.
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def check_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers that can be sent.

    Raises:
        ValueError: a name or value that HTTP does not take; values, which may be secrets, are not shown.
    """
    for name, value in headers.items():
        if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
            raise ValueError(f"The name of a header is letters, digits and hyphens. Received: {str(name)[:40]!r}")
        if not isinstance(value, str) or not value.isprintable() or not value.isascii():
            raise ValueError(f"The value of a header is one line of ASCII text. Received: one of {name} that is not")
    return dict(headers)


def connect(
    server: str, timeout: float, headers: Mapping[str, str] | None = None, certificate: str | None = None
) -> Transport:
    """Returns the transport for an address; nothing is sent yet.

    Args:
        server: `http://HOST:PORT/v1/models/NAME`, with `/versions/N` or `/labels/LABEL` behind it where one version is
            meant, or `grpc://HOST:PORT/NAME` or `/NAME/N`; `https` and `grpcs` for TLS.
        timeout: seconds for one request.
        headers: sent with each request, to gRPC as metadata.
        certificate: PEM file of a client certificate and its key.

    Raises:
        OSError: the certificate cannot be opened.
        ValueError: another address, headers or a certificate that cannot be sent.
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
    headers = check_headers(headers or {})
    if parts.scheme.startswith("http"):
        # Whoever copies the address of a request means the same model.
        path = path.removesuffix(":predict")
        return RestTransport(host, port, f"/{path}:predict", secure, timeout, headers, certificate)
    model, _, version = path.partition("/")
    if version and not version.isdecimal():
        raise ValueError(f"A version is a number: grpc://HOST:8500/NAME/1. Received: server={server!r}")
    from spin_tf.reading.remote.grpc import GrpcTransport

    target = f"[{host}]" if ":" in host else host
    number = int(version) if version else None
    return GrpcTransport(
        f"{target}:{port or 8500}", urllib.parse.unquote(model), number, secure, timeout, headers, certificate
    )
