"""Waiting for the other machines of a cluster: said aloud, bounded, and ended by a signal.

TensorFlow waits for them inside native code, where it names nobody and Python answers no signal. So this waits first:
every worker listens at its own address and tells who it is, until it has reached all the others and all the others
have reached it, and only then is TensorFlow started, within `bounded`. Whatever else answers at an address is told
apart: another program, the same index twice, a machine of another cluster."""

from __future__ import annotations

import contextlib
import hashlib
import json
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple

from absl import logging

_SIGNALS = (signal.SIGTERM, signal.SIGINT)

# Arguments: seconds and the line of the limit. The end of its input says that the call has returned.
_WATCH = """
import os, signal, sys, threading
def end():
    print(sys.argv[2], file=sys.stderr, flush=True)
    os.kill(os.getppid(), signal.SIGTERM)
timer = threading.Timer(float(sys.argv[1]), end)
timer.daemon = True
timer.start()
sys.stdin.read()
"""


@contextlib.contextmanager
def bounded(seconds: float, what: str) -> Iterator[None]:
    """Around a native call of the main thread: SIGTERM and SIGINT end the process at once, the limit with a line.

    TensorFlow joins a cluster inside one call that keeps Python's lock, so that no thread of Python runs and no handler
    of a signal either. So signals do meanwhile what they do by default, and a small process watches the clock: it says
    why, and ends this one by SIGTERM.

    Args:
        seconds: the limit.
        what: the call, for the line.
    """
    line = f"error: {what} took more than {seconds:g} s."
    before = [(number, signal.signal(number, signal.SIG_DFL)) for number in _SIGNALS]
    try:
        # Ctrl-C reaches every process of a terminal; the watching one ends with this one.
        command = [sys.executable, "-I", "-S", "-c", _WATCH, str(seconds), line]
        with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True):
            yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


_POLL_SECONDS = 0.5
_SAY_SECONDS = 30.0
_ANSWER_SECONDS = 2.0
# What each of a thousand others needs to have reached this one.
_BACKLOG = 1024
_GREETING = b"spin-tf "
_MAX_LINE = 1024


class _Worker(NamedTuple):
    """Who speaks: its place in the cluster, which process of all, and a digest of the cluster as it knows it."""

    name: str
    process: str
    cluster: str

    def line(self) -> bytes:
        return _GREETING + json.dumps(self).encode() + b"\n"

    @classmethod
    def of(cls, line: bytes) -> _Worker | None:
        if not line.startswith(_GREETING):
            return None
        try:
            fields = json.loads(line[len(_GREETING) :])
        except ValueError:
            return None
        is_worker = isinstance(fields, list) and len(fields) == 3 and set(map(type, fields)) == {str}
        return cls(*fields) if is_worker else None


def addresses(cluster: dict[str, list[str]]) -> dict[str, str]:
    """The machines that train, as "worker 0" and so on, with their host:port.

    Raises:
        ValueError: an address is none, or stands there twice.
    """
    found: dict[str, str] = {}
    for job in ("chief", "worker"):
        for number, address in enumerate(cluster.get(job) or []):
            host, _, port = str(address).rpartition(":")
            if not host or not port.isdigit() or not 0 < int(port) < 65536:
                raise ValueError(f"TF_CONFIG names machines as host:port. Received: {job} {number}: {address!r}")
            name = f"{job} {number}"
            twice = [other for other, known in found.items() if known == str(address)]
            if twice:
                raise ValueError(f"TF_CONFIG gives {twice[0]} and {name} one address. Received: {address!r}")
            found[name] = str(address)
    return found


def wait_for_workers(cluster: dict[str, list[str]], task: dict[str, Any], seconds: float) -> None:
    """Waits until every other machine of the cluster waits too, or has gone on.

    Args:
        cluster: of TF_CONFIG.
        task: of TF_CONFIG: who this is.
        seconds: after which it gives up.

    Raises:
        ValueError: this machine is not of the cluster, or another one has its index.
        TimeoutError: names who is missing, and what answers in its place.
        OSError: this machine's own port is in use.
    """
    others = addresses(cluster)
    digest = hashlib.sha256(json.dumps(others, sort_keys=True).encode()).hexdigest()[:16]
    own = _Worker(f"{task.get('type')} {task.get('index')}", uuid.uuid4().hex, digest)
    if own.name not in others:
        raise ValueError(
            f"TF_CONFIG's task is none of its cluster. Received: task={own.name}, cluster={', '.join(others)}"
        )
    own_address = others.pop(own.name)
    start = time.monotonic()
    told = start + 5 - _SAY_SECONDS
    reached: set[str] = set()
    gone_on: set[str] = set()
    with _listen(own, own_address) as seen:
        while True:
            found = {name: _ask(address, own) for name, address in others.items() if name not in reached | gone_on}
            for name, answer in found.items():
                if isinstance(answer, _Worker) and _is_there(own, name, others[name], answer):
                    reached.add(name)
                elif answer is _TENSORFLOW:
                    gone_on.add(name)
            missing = {name: others[name] for name in others if name not in gone_on | (reached & seen)}
            now = time.monotonic()
            if not missing:
                return
            _check_own_address(own, own_address)
            names = ", ".join(
                f"{name} at {address}{_describe(own, found.get(name), name in reached)}"
                for name, address in missing.items()
            )
            if now - start > seconds:
                raise TimeoutError(
                    f"{own.name} waited {seconds:g} s for {names}: is the same command running there, and the port "
                    f"open? Received: --cluster_timeout={seconds:g}"
                )
            if now - told > _SAY_SECONDS:
                logging.warning("%s waits for %s", own.name, names)
                told = now
            time.sleep(_POLL_SECONDS)


def _is_there(own: _Worker, name: str, address: str, answer: _Worker) -> bool:
    """Whether it is the worker that is expected at an address.

    Raises:
        ValueError: it is of this cluster, but another one of it.
    """
    if answer.cluster != own.cluster:
        return False
    if answer.name != name:
        who = "this process itself" if answer.process == own.process else f"another machine that is {answer.name}, too"
        who = who if answer.name == own.name else answer.name
        raise ValueError(
            f"TF_CONFIG calls {address} {name}, and {who} answers there: each machine has the same cluster and an "
            f"index of its own. Received: task={own.name}"
        )
    return True


def _check_own_address(own: _Worker, address: str) -> None:
    """Notices that this machine is not the one whose index it has; an address that cannot be reached from here is none.

    Raises:
        ValueError: another process answers there.
    """
    answer = _ask(address, own)
    # A proxy may take a connection and have nobody to give it to.
    if not answer or (isinstance(answer, _Worker) and answer.process == own.process):
        return
    raise ValueError(
        f"TF_CONFIG says that this is {own.name} at {address}, and {_who(answer)} answers there: each machine has an "
        f"index of its own. Received: task={own.name}"
    )


def _who(answer: _Worker | bytes) -> str:
    return f"another process that is {answer.name}" if isinstance(answer, _Worker) else "another program"


def _describe(own: _Worker, answer: _Worker | bytes | None, reached: bool) -> str:
    """What is told of a machine that is missing, behind its address."""
    if reached:
        return ", which has not reached this machine at its own address"
    if answer is None:
        return ""
    if isinstance(answer, _Worker):
        return ", where a worker of another cluster answers"
    said = (
        f"says {answer[:40].decode(errors='replace').strip()!r}" if answer else "accepts connections and says nothing"
    )
    return f", where a program that is no worker of this version {said}"


@contextlib.contextmanager
def _listen(own: _Worker, address: str) -> Iterator[set[str]]:
    """Answers who this is at its port; gives the names of those who have come, which grow meanwhile."""
    port = int(address.rpartition(":")[2])
    seen: set[str] = set()

    class Answer(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError):
                self.request.settimeout(_ANSWER_SECONDS)
                self.request.sendall(own.line())
                caller = _Worker.of(_read_line(self.request))
                if caller and caller.cluster == own.cluster and caller.process != own.process:
                    seen.add(caller.name)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Whoever calls and hangs up is no concern of ours."""

    both = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if both else socket.AF_INET
    try:
        listener = socket.create_server(("", port), family=family, backlog=_BACKLOG, dualstack_ipv6=both)
    except OSError as error:
        answer = _ask(f"localhost:{port}", own)
        who = "" if answer is None else f", where {_who(answer)} answers"
        raise OSError(f"{own.name} cannot listen at its port{who}: {error}. Received: port={port}") from error
    server = Server(("", port), Answer, bind_and_activate=False)
    server.socket.close()
    server.socket = listener
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True, name="rendezvous")
    thread.start()
    try:
        yield seen
    finally:
        server.shutdown()
        server.server_close()


_TENSORFLOW = b"a server of TensorFlow"
# Behind three bytes, as every gRPC server begins: HTTP/2's settings.
_SETTINGS = b"\x04\0\0\0\0\0"


def _ask(address: str, own: _Worker) -> _Worker | bytes | None:
    """Who answers at an address: a worker, `_TENSORFLOW`, what another program says there, or nobody."""
    host, _, port = address.rpartition(":")
    try:
        connection = socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWER_SECONDS)
    except OSError:
        return None
    with connection:
        try:
            connection.sendall(own.line())
            said = _read_line(connection)
        except OSError:
            return b""
    if said[3:9] == _SETTINGS:
        return _TENSORFLOW
    return _Worker.of(said) or said


def _read_line(connection: socket.socket) -> bytes:
    """A line, or what comes of it within a short while."""
    said = b""
    until = time.monotonic() + _ANSWER_SECONDS
    while b"\n" not in said and len(said) < _MAX_LINE and time.monotonic() < until:
        try:
            part = connection.recv(_MAX_LINE)
        except OSError:
            break
        said += part
        if not part or said[3:9] == _SETTINGS:
            break
    return said
