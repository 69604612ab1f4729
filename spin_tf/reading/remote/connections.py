"""Connections of HTTP kept open between requests, to servers and through the proxies of the environment."""

from __future__ import annotations

import base64
import collections
import http.client
import ipaddress
import ssl
import threading
import time
import urllib.parse
import urllib.request
from typing import NamedTuple

from spin_tf.reading.remote.answers import ServerError

# Servers and balancers drop what lies idle, some without a word: from 60 s on in most settings.
MAX_IDLE_SECONDS = 20.0


class Origin(NamedTuple):
    """Where a server listens; no port is the scheme's own."""

    secure: bool
    host: str
    port: int | None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http{'s' if self.secure else ''}://{host}{f':{self.port}' if self.port else ''}"


class Connections:
    """Open connections by where they lead. Any number of threads may take and give back at once.

    `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy` are followed as other programs do; this machine itself is
    never reached through a proxy.

    Args:
        timeout: seconds to wait for a connection.
        certificate: PEM file of a client certificate and its key, or None.

    Raises:
        OSError: there is no such file.
        ValueError: it is no such certificate.
    """

    def __init__(self, timeout: float, certificate: str | None) -> None:
        self._timeout, self._certificate = timeout, certificate
        self._context: ssl.SSLContext | None = None
        self._idle: dict[Origin, collections.deque[tuple[http.client.HTTPConnection, float]]] = {}
        self._lock = threading.Lock()
        if certificate is not None:
            self._tls()

    def take(self, origin: Origin) -> tuple[http.client.HTTPConnection, bool]:
        """A connection, and whether it has been used before.

        Raises:
            ServerError: the proxy of the environment cannot be used.
        """
        old = []
        try:
            with self._lock:
                waiting = self._idle.setdefault(origin, collections.deque())
                while waiting:
                    connection, since = waiting.pop()
                    if time.monotonic() - since < MAX_IDLE_SECONDS:
                        return connection, True
                    old.append(connection)
        finally:
            for connection in old:
                connection.close()
        return self._make(origin), False

    def give_back(self, origin: Origin, connection: http.client.HTTPConnection) -> None:
        with self._lock:
            self._idle.setdefault(origin, collections.deque()).append((connection, time.monotonic()))

    def close(self) -> None:
        with self._lock:
            connections = [connection for waiting in self._idle.values() for connection, _ in waiting]
            self._idle.clear()
        for connection in connections:
            connection.close()

    def _tls(self) -> ssl.SSLContext:
        if self._context is None:
            context = ssl.create_default_context()
            if self._certificate is not None:
                try:
                    context.load_cert_chain(self._certificate)
                except ssl.SSLError as error:
                    raise ValueError(
                        "A client certificate is a PEM file of a certificate and its key without a password: "
                        f"{error.reason or error}. Received: certificate={self._certificate!r}"
                    ) from error
            self._context = context
        return self._context

    def _make(self, origin: Origin) -> http.client.HTTPConnection:
        proxy = proxy_of(origin)
        host, port = (proxy.host, proxy.port) if proxy else (origin.host, origin.port)
        if not origin.secure:
            return http.client.HTTPConnection(host, port, timeout=self._timeout)
        connection = http.client.HTTPSConnection(host, port, timeout=self._timeout, context=self._tls())
        if proxy:
            connection.set_tunnel(origin.host, origin.port or 443, proxy.headers)
        return connection


class Proxy(NamedTuple):
    """A proxy of the environment, and what it is told."""

    host: str
    port: int
    headers: dict[str, str]


def proxy_of(origin: Origin) -> Proxy | None:
    """The proxy that the environment names for a server, or None.

    Raises:
        ServerError: it is no proxy of HTTP.
    """
    if _is_this_machine(origin.host):
        return None
    proxies = urllib.request.getproxies()
    address = proxies.get("https" if origin.secure else "http") or proxies.get("all")
    port = origin.port or (443 if origin.secure else 80)
    if not address or urllib.request.proxy_bypass(f"{origin.host}:{port}"):
        return None
    parts = urllib.parse.urlsplit(address if "://" in address else f"http://{address}")
    try:
        known = parts.scheme == "http" and parts.hostname
        proxy_port = parts.port or 80
    except ValueError:
        known = None
    if not known:
        # Without the password that it may hold.
        shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        raise ServerError(f"the proxy of the environment is not http://HOST:PORT but {shown}")
    headers = {}
    if parts.username is not None:
        secret = f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"
        headers["Proxy-Authorization"] = f"Basic {base64.b64encode(secret.encode()).decode('ascii')}"
    return Proxy(known, proxy_port, headers)


def _is_this_machine(host: str) -> bool:
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
