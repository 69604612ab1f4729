"""Waiting for the other machines of a cluster: said aloud, bounded, and ended by a signal.

TensorFlow waits for them inside native code, where it names nobody and Python answers no signal. So this waits first:
every worker listens at its own address until it has reached all the others, and only then is TensorFlow started; while
that connects, a thread of its own watches clock and signals.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

from absl import logging

_POLL_SECONDS = 0.5
_SAY_SECONDS = 30.0
# What each of a thousand others needs to have reached this one.
_BACKLOG = 1024


def addresses(cluster: dict[str, list[str]]) -> dict[str, str]:
    """The machines that train, as "worker 0" and so on, with their host:port.

    Raises:
        ValueError: an address is none.
    """
    found = {}
    for job in ("chief", "worker"):
        for number, address in enumerate(cluster.get(job) or []):
            host, _, port = str(address).rpartition(":")
            if not host or not port.isdigit() or not 0 < int(port) < 65536:
                raise ValueError(f"TF_CONFIG names machines as host:port. Received: {job} {number}: {address!r}")
            found[f"{job} {number}"] = str(address)
    return found


def wait_for_workers(cluster: dict[str, list[str]], task: dict[str, Any], seconds: float) -> None:
    """Waits until every other machine of the cluster waits too, or has gone on.

    Args:
        cluster: of TF_CONFIG.
        task: of TF_CONFIG: who this is.
        seconds: after which it gives up.

    Raises:
        ValueError: this machine is not of the cluster.
        TimeoutError: names who is missing.
        OSError: this machine's own port is in use.
    """
    missing = addresses(cluster)
    own = f"{task.get('type')} {task.get('index')}"
    if own not in missing:
        raise ValueError(f"TF_CONFIG's task is none of its cluster. Received: task={own}, cluster={', '.join(missing)}")
    port = int(missing.pop(own).rpartition(":")[2])
    start = time.monotonic()
    told = start + 5 - _SAY_SECONDS
    with _listen(own, port):
        while True:
            missing = {name: address for name, address in missing.items() if not _answers(address)}
            now = time.monotonic()
            if not missing:
                return
            names = ", ".join(f"{name} at {address}" for name, address in missing.items())
            if now - start > seconds:
                raise TimeoutError(
                    f"{own} waited {seconds:g} s for {names}: is the same command running there, and the port open? "
                    f"Received: --cluster_timeout={seconds:g}"
                )
            if now - told > _SAY_SECONDS:
                logging.warning("%s waits for %s", own, names)
                told = now
            time.sleep(_POLL_SECONDS)


@contextlib.contextmanager
def _listen(own: str, port: int) -> Iterator[None]:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        # On Windows this would let two programs have one port.
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("", port))
            listener.listen(_BACKLOG)
        except OSError as error:
            raise OSError(f"{own} cannot listen at its port: {error}. Received: port={port}") from error
        # Connections are never taken from the queue: being in it tells the other what it wants to know.
        yield


def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=2):
            return True
    except OSError:
        return False


@contextlib.contextmanager
def bounded(seconds: float, what: str) -> Iterator[None]:
    """Around a native call that may wait for ever: SIGTERM, SIGINT and the limit end the process with a line.

    Nothing gentler reaches native code. Outside the main thread, whose signals these are, only the limit counts.
    """
    main = threading.current_thread() is threading.main_thread()
    read, write = socket.socketpair()
    write.setblocking(False)
    done = threading.Event()

    def watch() -> None:
        ready, _, _ = select.select([read], [], [], seconds)
        if done.is_set():
            return
        number = (read.recv(1) or b"\0")[0] if ready else 0
        line = "interrupted" if number else f"error: {what} took more than {seconds:g} s."
        with contextlib.suppress(OSError, ValueError):
            print(line, file=sys.stderr, flush=True)
        os._exit(128 + number if number else 2)

    watcher = threading.Thread(target=watch, daemon=True, name="bounded")
    before: list[tuple[int, Any]] = []
    old_descriptor = -1
    try:
        if main:
            before = [(n, signal.signal(n, lambda *_: None)) for n in (signal.SIGTERM, signal.SIGINT)]
            old_descriptor = signal.set_wakeup_fd(write.fileno(), warn_on_full_buffer=False)
        watcher.start()
        yield
    finally:
        done.set()
        if main:
            signal.set_wakeup_fd(old_descriptor)
            for number, handler in before:
                signal.signal(number, handler)
        write.send(b"\0")
        watcher.join(5)
        read.close()
        write.close()
