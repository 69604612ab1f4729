"""What stands before a server in practice: TLS that drops idle connections, redirections, tokens, packing, proxies."""

from __future__ import annotations

import contextlib
import http.server
import json
import pathlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

# Made for these tests, for localhost and 127.0.0.1, until 2126; a certificate and its key.
PEM = """\
-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUIDSC4Lqdl5n3xF1h13Yl2RWWC+EwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyOTE5NDA1NloYDzIxMjYxMTA1
MTk0MDU2WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQJsFd1j6mmBhUkLlJp9BsjHBxoNPABb0sDq2yp3wG7zpBaEdI1cliA
ahnSsg0B9Qe/AZYi2/OQ0240IJGtaFbho28wbTAdBgNVHQ4EFgQUawBFJ/+DTuBm
ZWDzsLDvmL9iHygwHwYDVR0jBBgwFoAUawBFJ/+DTuBmZWDzsLDvmL9iHygwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIhAMld7B6o6Ug7YHVMtFX4mJnhQQ7r/1U9lzE91WU6Wz76AiAY
fkFC7lF2OdBwYZaaC+jRBAftxxeMGirtm/eZn9gjag==
-----END CERTIFICATE-----
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgp0/RAKGuvPaG2UpY
81wlMoZ3c9aX6Tf7SjzPvFBE+FShRANCAAQJsFd1j6mmBhUkLlJp9BsjHBxoNPAB
b0sDq2yp3wG7zpBaEdI1cliAahnSsg0B9Qe/AZYi2/OQ0240IJGtaFbh
-----END PRIVATE KEY-----
"""

Answer = tuple[int, dict[str, str], bytes]


def rows(body: bytes, text: str = "tea") -> bytes:
    """The answer of a server that reads every image as `text`."""
    count = len(json.loads(body)["instances"])
    numbers = [0.9] * 26
    row = {"words": text, "confidence": 0.9, "valid": True, "reason": "", "turned": 0}
    row |= {"character_confidences": numbers, "positions": numbers}
    return json.dumps({"predictions": [row] * count}).encode()


class Gateway:
    """A server whose answers a function gives, with a log of what came.

    Args:
        answer: from the handler and the body of a request to status, headers and body.
        secure: TLS, with the certificate of `PEM`.
        idle_seconds: after which it closes a connection that lies idle.
        ask_certificate: whether a client must bring one.
        folder: where the certificate may be written.
    """

    def __init__(
        self,
        answer: Callable[[Any, bytes], Answer],
        secure: bool = False,
        idle_seconds: float = 30.0,
        ask_certificate: bool = False,
        folder: pathlib.Path | None = None,
    ) -> None:
        gateway = self
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.connections = 0

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version, timeout = "HTTP/1.1", idle_seconds

            def setup(self) -> None:
                super().setup()
                gateway.connections += 1

            def log_message(self, *arguments: object) -> None:
                pass

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                gateway.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                status, headers, content = answer(self, body)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(content)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def do_CONNECT(self) -> None:
                gateway.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                port = self.path.rpartition(":")[2]
                # The tests' names of hosts exist for this proxy only.
                with socket.create_connection(("127.0.0.1", int(port))) as server:
                    self.send_response(200)
                    self.end_headers()
                    back = threading.Thread(target=_pour, args=(server, self.connection))
                    back.start()
                    _pour(self.connection, server)
                    back.join()
                self.close_connection = True

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *arguments: object) -> None:
                """A client that has gone is no news."""

        self._server = Server(("127.0.0.1", 0), Handler)
        if secure:
            assert folder is not None
            (folder / "server.pem").write_text(PEM)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(folder / "server.pem")
            if ask_certificate:
                context.verify_mode = ssl.CERT_REQUIRED
                context.load_verify_locations(folder / "server.pem")
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port = self._server.server_port
        self.secure = secure
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def address(self) -> str:
        return f"http{'s' if self.secure else ''}://localhost:{self.port}/v1/models/spin"

    def __enter__(self) -> Gateway:
        self._thread.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _pour(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def connections_that_vanish() -> Iterator[str]:
    """A server that answers one request on each connection and then says nothing more, as behind a balancer that has
    forgotten it; yields its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    kept: list[socket.socket] = []

    def serve(connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(1 << 16)
        head, _, body = head.partition(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        while len(body) < length:
            body += connection.recv(1 << 16)
        content = rows(body)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content) + content)
        time.sleep(60)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                kept.append(listener.accept()[0])
                threading.Thread(target=serve, args=(kept[-1],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1/models/spin"
    finally:
        listener.close()
