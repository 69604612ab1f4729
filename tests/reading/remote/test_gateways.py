"""REST and gRPC through what stands before a server in practice."""

from __future__ import annotations

import gzip
import json
import os
import pathlib
import pickle
import subprocess
import sys
import time
import zlib
from typing import Any

import numpy as np
import pytest

from spin_tf.reading.remote import RemoteRecognizer, ServerError
from spin_tf.reading.remote import connections as connections_module
from tests.reading.remote.gateways import PEM, Answer, Gateway, connections_that_vanish, rows

IMAGE = np.zeros((32, 100), np.uint8)
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    (tmp_path / "known.pem").write_text(PEM)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "known.pem"))


def answer(handler: Any, body: bytes) -> Answer:
    return 200, {}, rows(body)


def read(server: str, **options: Any) -> str:
    return RemoteRecognizer(server, **{"retry_seconds": 0, **options}).read(IMAGE).text


@pytest.mark.parametrize("secure", [False, True])
def test_a_connection_that_was_closed_while_idle_is_replaced(secure: bool, tmp_path: pathlib.Path) -> None:
    with Gateway(answer, secure, idle_seconds=0.3, folder=tmp_path) as gateway:
        recognizer = RemoteRecognizer(gateway.address, retry_seconds=0)
        for pause in (0, 0.1, 0.8, 0, 0.8):
            time.sleep(pause)
            assert recognizer.read(IMAGE).text == "tea"
        assert gateway.connections == 3 and len(gateway.requests) == 5
        # Several at once, all of which were closed.
        assert [word.text for word in recognizer.read([IMAGE] * 200)] == ["tea"] * 200
        time.sleep(0.8)
        assert [word.text for word in recognizer.read([IMAGE] * 200)] == ["tea"] * 200


def test_a_connection_that_was_forgotten_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A balancer drops it without a word: nothing at all comes back."""
    assert 5 <= connections_module.MAX_IDLE_SECONDS <= 50
    monkeypatch.setattr(connections_module, "MAX_IDLE_SECONDS", 0.2)
    with connections_that_vanish() as server:
        recognizer = RemoteRecognizer(server, timeout=3, retry_seconds=0)
        for _ in range(3):
            start = time.monotonic()
            assert recognizer.read(IMAGE).text == "tea"
            assert time.monotonic() - start < 2
            time.sleep(0.4)


def test_a_certificate_that_is_not_known_ends_at_once(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", os.devnull)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    with (
        Gateway(answer, secure=True, folder=tmp_path) as gateway,
        pytest.raises(ServerError, match="CERTIFICATE_VERIFY"),
    ):
        read(gateway.address, retry_seconds=30)


@pytest.mark.parametrize("status", [301, 307, 308])
@pytest.mark.parametrize("secure", [False, True])
def test_redirections_are_followed(status: int, secure: bool, tmp_path: pathlib.Path) -> None:
    with Gateway(answer, secure, folder=tmp_path) as target:
        place = f"{target.address.replace('spin', 'other')}:predict"
        with Gateway(lambda *_: (status, {"Location": place}, b""), folder=tmp_path) as first:
            recognizer = RemoteRecognizer(first.address, retry_seconds=0, headers={"X-Key": "secret"})
            assert [recognizer.read(IMAGE).text for _ in range(3)] == ["tea"] * 3
            # What has moved for good is asked for where it is.
            assert len(first.requests) == (3 if status == 307 else 1)
        assert {path for path, _ in target.requests} == {"/v1/models/other:predict"}
        assert all(headers["x-key"] == "secret" for _, headers in target.requests)


def test_a_redirection_to_where_nobody_listens() -> None:
    place = "http://localhost:9/v1/models/spin:predict"
    with Gateway(lambda *_: (308, {"Location": place}, b"")) as gateway:
        for _ in range(2):
            with pytest.raises(ServerError, match=f"(?i)connection refused, to where it redirects: {place}") as error:
                read(gateway.address)
            assert f"Received: server={gateway.address}" in str(error.value)


def test_a_relative_redirection() -> None:
    def move(handler: Any, body: bytes) -> Answer:
        moved = handler.path.startswith("/new/")
        return (200, {}, rows(body)) if moved else (308, {"Location": "/new" + handler.path}, b"x")

    with Gateway(move) as gateway:
        assert read(gateway.address) == "tea"
        assert gateway.connections == 1


@pytest.mark.parametrize(
    ("status", "place", "message"),
    [
        (
            302,
            "https://else.example/login",
            "HTTP 302: it redirects to https://else.example/login, with another",
        ),
        (
            303,
            "https://else.example/login",
            "HTTP 303: it redirects to https://else.example/login, with another",
        ),
        (308, "ftp://elsewhere.example/", "HTTP 308: it redirects to ftp://elsewhere.example/"),
        (308, "https://elsewhere.example/x", "another host, which does not get the headers that were given"),
        (308, "", "HTTP 308"),
        (307, "http://[", "HTTP 307"),
        (308, "/v1/models/spin:predict", "more than 5 redirections"),
    ],
)
def test_redirections_that_are_named(status: int, place: str, message: str) -> None:
    with Gateway(lambda *_: (status, {"Location": place} if place else {}, b"")) as gateway:
        with pytest.raises(ServerError) as error:
            read(gateway.address, headers={"Authorization": "Bearer x"}, retry_seconds=5)
        assert message in str(error.value) and f"Received: server={gateway.address}" in str(error.value)


def test_nothing_leaves_encryption(tmp_path: pathlib.Path) -> None:
    with Gateway(answer) as plain:
        place = f"{plain.address}:predict"
        refused = pytest.raises(ServerError, match="which is not encrypted")
        with Gateway(lambda *_: (308, {"Location": place}, b""), secure=True, folder=tmp_path) as gateway, refused:
            read(gateway.address)
        assert plain.requests == []


def locked(handler: Any, body: bytes) -> Answer:
    if handler.headers.get("Authorization") != "Bearer secret":
        return 401, {"WWW-Authenticate": "Bearer"}, b'{"error": "no credentials"}'
    return 200, {}, rows(body)


def test_headers(repository: pathlib.Path, tmp_path: pathlib.Path) -> None:
    from PIL import Image

    Image.fromarray(IMAGE).save(tmp_path / "word.png")
    with Gateway(locked) as gateway:
        with pytest.raises(
            ServerError, match="HTTP 401: no credentials; no headers, such as Authorization, were given"
        ):
            read(gateway.address)
        recognizer = RemoteRecognizer(gateway.address, headers={"Authorization": "Bearer secret"}, retry_seconds=0)
        assert recognizer.read(IMAGE).text == "tea"
        assert pickle.loads(pickle.dumps(recognizer)).read(IMAGE).text == "tea"
        command = [sys.executable, "bin/recognize.py", f"--server={gateway.address}", str(tmp_path / "word.png")]
        for more, variables in (
            (["--server_header=Authorization: Bearer secret", "--server_header=X-Trace: 1"], {}),
            (["--server_header", "authorization:Bearer secret"], {}),
            ([], {"SPIN_TF_SERVER_HEADERS": "X-Trace: 1\nAuthorization: Bearer secret\n"}),
            (["--server_header=Authorization: Bearer secret"], {"SPIN_TF_SERVER_HEADERS": "Authorization: none"}),
        ):
            result = subprocess.run(
                command + more, cwd=repository, env={**os.environ, **variables}, capture_output=True, text=True
            )
            assert (result.returncode, result.stderr) == (0, ""), more
            assert "\ttea\t" in result.stdout
        result = subprocess.run([*command, "--server_header=secret"], cwd=repository, capture_output=True, text=True)
        assert result.returncode == 2 and "A header is 'NAME: VALUE'" in result.stderr and "secret" not in result.stderr


@pytest.mark.parametrize("headers", [{"a b": "x"}, {"": "x"}, {"X": "a\r\nb"}, {"X": "é"}, {"X": 1}])
def test_headers_that_cannot_be_sent(headers: dict[str, Any]) -> None:
    for server in ("http://localhost/v1/models/spin", "grpc://localhost:8500/spin"):
        with pytest.raises(ValueError, match="of a header is"):
            RemoteRecognizer(server, headers=headers)


def test_metadata_of_grpc(strip_model: pathlib.Path) -> None:
    import concurrent.futures

    import grpc

    class Locked(grpc.GenericRpcHandler):
        def service(self, details: Any) -> Any:
            seen.append(dict(details.invocation_metadata))

            def refuse(request: bytes, context: Any) -> bytes:
                context.abort(grpc.StatusCode.UNAUTHENTICATED, "no credentials")
                return b""

            return grpc.unary_unary_rpc_method_handler(refuse)

    seen: list[dict[str, Any]] = []
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(1), handlers=[Locked()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with pytest.raises(ServerError, match="UNAUTHENTICATED: no credentials; no headers"):
            read(f"grpc://127.0.0.1:{port}/spin")
        with pytest.raises(ServerError, match=r"UNAUTHENTICATED: no credentials\. Received"):
            read(f"grpc://127.0.0.1:{port}/spin", headers={"Authorization": "Bearer secret"})
    finally:
        server.stop(None)
    assert "authorization" not in seen[0] and seen[1]["authorization"] == "Bearer secret"


def test_a_client_certificate(tmp_path: pathlib.Path) -> None:
    with Gateway(answer, secure=True, ask_certificate=True, folder=tmp_path) as gateway:
        with pytest.raises(ServerError):
            read(gateway.address)
        assert read(gateway.address, certificate=tmp_path / "known.pem") == "tea"
    (tmp_path / "text.pem").write_text("no certificate")
    with pytest.raises(ValueError, match="A client certificate is a PEM file"):
        RemoteRecognizer("https://localhost/v1/models/spin", certificate=tmp_path / "text.pem")
    with pytest.raises(FileNotFoundError):
        RemoteRecognizer("https://localhost/v1/models/spin", certificate=tmp_path / "absent.pem")


@pytest.mark.parametrize(
    ("coding", "pack"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("identity", bytes),
        ("deflate, gzip", lambda body: gzip.compress(zlib.compress(body))),
    ],
)
def test_packed_answers(coding: str, pack: Any) -> None:
    with Gateway(lambda _, body: (200, {"Content-Encoding": coding}, pack(rows(body)))) as gateway:
        assert read(gateway.address) == "tea"


@pytest.mark.parametrize(
    ("coding", "content", "message"),
    [
        ("br", b"x", "the answer is packed by br, which was not asked for"),
        ("gzip", b"no gzip", "the answer is no valid gzip"),
        ("gzip", gzip.compress(b"x" * 1000, mtime=0)[:20], "the connection broke in the middle of an answer"),
        ("gzip", gzip.compress(b"\0" * (65 << 20), mtime=0), "the answer has more than 67108864 bytes"),
    ],
)
def test_packed_answers_that_cannot_be_read(coding: str, content: bytes, message: str) -> None:
    refused = pytest.raises(ServerError, match=message)
    with Gateway(lambda *_: (200, {"Content-Encoding": coding}, content)) as gateway, refused:
        read(gateway.address)


def test_an_answer_with_a_byte_order_mark_and_packed_errors() -> None:
    with Gateway(lambda _, body: (200, {}, b"\xef\xbb\xbf" + rows(body))) as gateway:
        assert read(gateway.address) == "tea"
    error = gzip.compress(json.dumps({"error": "says no"}).encode())
    refused = pytest.raises(ServerError, match="HTTP 400: says no")
    with Gateway(lambda *_: (400, {"Content-Encoding": "gzip"}, error)) as gateway, refused:
        read(gateway.address)


@pytest.mark.parametrize("name", ["modèle", "mod%C3%A8le", "a b", "名"])
def test_names_of_models_that_are_not_ascii(name: str) -> None:
    from urllib.parse import unquote

    with Gateway(answer) as gateway:
        assert read(gateway.address.replace("spin", name)) == "tea"
        ((path, _),) = gateway.requests
        assert path.isascii() and unquote(path) == f"/v1/models/{unquote(name)}:predict"


@pytest.mark.parametrize("secure", [False, True])
def test_proxies_of_the_environment(secure: bool, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They alone know the names of the servers here."""
    with Gateway(answer, secure, folder=tmp_path) as server, Gateway(answer) as proxy:
        # The certificate is that of localhost.
        if secure:
            monkeypatch.setattr(connections_module, "_is_this_machine", lambda host: False)
        host = "localhost" if secure else "spin.invalid"
        address = server.address.replace("localhost", host)
        monkeypatch.setenv("https_proxy" if secure else "http_proxy", f"http://me:s%40cret@127.0.0.1:{proxy.port}")
        assert read(address) == "tea"
        (path, headers), *_ = proxy.requests
        assert path == (f"{host}:{server.port}" if secure else f"{address}:predict")
        assert headers["proxy-authorization"] == "Basic bWU6c0BjcmV0"
        assert all("proxy-authorization" not in headers for _, headers in server.requests)
        monkeypatch.setenv("no_proxy", "invalid,localhost")
        proxy.requests.clear()
        if secure:
            assert read(address) == "tea"
        else:
            with pytest.raises(ServerError):
                read(address)
        assert proxy.requests == []


def test_this_machine_is_reached_without_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with Gateway(answer) as gateway:
        assert read(gateway.address) == read(gateway.address.replace("localhost", "127.0.0.1")) == "tea"


def test_proxies_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with pytest.raises(ServerError, match=r"refused \(through the proxy 127\.0\.0\.1:9 of the environment\)"):
        read("http://spin.invalid/v1/models/spin")
    monkeypatch.setenv("https_proxy", "socks5://me:secret@127.0.0.1:9")
    with pytest.raises(ServerError, match="proxy of the environment is not") as error:
        read("https://spin.invalid/v1/models/spin")
    assert "secret" not in str(error.value)


def test_a_server_that_is_lost_says_how_many_were_answered() -> None:
    count = 0

    def die(handler: Any, body: bytes) -> Answer:
        nonlocal count
        count += 1
        return (200, {}, rows(body)) if count <= 3 else (500, {}, b"{}")

    with Gateway(die) as gateway:
        recognizer = RemoteRecognizer(gateway.address, num_requests=1, batch_size=5, retry_seconds=0)
        results = []
        with pytest.raises(ServerError, match=r"^The server cannot be used: 15 images were answered before; HTTP 500"):
            for result in recognizer.read_many([IMAGE] * 40):
                results.append(result)
        assert len(results) == 15
        with pytest.raises(ServerError, match=r"^The server cannot be used: 0 images were answered before; HTTP 500"):
            list(recognizer.read_many([IMAGE]))


def test_the_default_of_waiting_outlives_a_restart() -> None:
    """Loading TensorFlow and warming up a version takes deploy/tf_serving/kserve_server.py some 35 s."""
    from absl import flags

    from spin_tf.cli import _server  # noqa: F401

    assert RemoteRecognizer("http://localhost/v1/models/spin").retry_seconds == 60
    assert flags.FLAGS["server_retry_seconds"].default == 60
