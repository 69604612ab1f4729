"""A cluster that does not come together says for whom it waits, ends at its limit, and by a signal."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from spin_tf.training.rendezvous import _check_own_address, _Worker, addresses, bounded, wait_for_workers


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def cluster(count):
    return {"worker": [f"localhost:{port}" for port in free_ports(count)]}


def test_workers_wait_for_each_other_whoever_comes_first():
    machines = cluster(3)
    done = []

    def join(index, delay):
        time.sleep(delay)
        wait_for_workers(machines, {"type": "worker", "index": index}, 30)
        done.append(index)

    threads = [threading.Thread(target=join, args=(i, d)) for i, d in enumerate((0.0, 0.2, 0.4))]
    for thread in threads:
        thread.start()
    # The first to see all goes on to TensorFlow's own server at its port, which answers the others in its place.
    time.sleep(1)
    serving = [
        socket.create_server(("", int(a.rpartition(":")[2]))) for i, a in enumerate(machines["worker"]) if i in done
    ]
    for thread in threads:
        thread.join(30)
    for each in serving:
        each.close()
    assert sorted(done) == [0, 1, 2]


def test_a_lonely_worker_names_whom_it_waits_for():
    machines = cluster(3)
    with pytest.raises(TimeoutError, match=rf"worker 1 at {machines['worker'][1]}.*--cluster_timeout=1"):
        wait_for_workers(machines, {"type": "worker", "index": 0}, 1)
    with pytest.raises(ValueError, match="task=worker 7"):
        wait_for_workers(machines, {"type": "worker", "index": 7}, 1)
    with pytest.raises(ValueError, match="host:port"):
        addresses({"worker": ["localhost"]})
    port = int(machines["worker"][0].rpartition(":")[2])
    with socket.create_server(("", port)), pytest.raises(OSError, match="cannot listen"):
        wait_for_workers(machines, {"type": "worker", "index": 0}, 1)


@pytest.mark.parametrize("how", ["limit", signal.SIGTERM, signal.SIGINT])
def test_a_lonely_training_ends_by_its_limit_and_by_signals(tmp_path, how, repository):
    """Before TensorFlow joins a cluster no signal may be lost to native code."""
    from tests.training import tiny

    config = tiny.write_config(tmp_path)
    environment = {"cluster": cluster(2), "task": {"type": "worker", "index": 0}}
    line = [sys.executable, str(repository / "bin" / "train.py"), f"--config={config}", f"--model_dir={tmp_path}/run"]
    line += ["--strategy=multi_worker", f"--cluster_timeout={6 if how == 'limit' else 500}"]
    with subprocess.Popen(
        line, env={**os.environ, "TF_CONFIG": json.dumps(environment)}, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        if how == "limit":
            told = process.communicate(timeout=120)[1]
            assert process.returncode == 2 and f"for worker 1 at {environment['cluster']['worker'][1]}" in told
            return
        for told in process.stderr:
            if "waits for worker 1" in told:
                break
        process.send_signal(how)
        rest = process.communicate(timeout=30)[1]
    assert process.returncode in (-how, 128 + how) and "Traceback" not in rest


NATIVE = """
import ctypes, sys
from spin_tf.training.rendezvous import bounded
print("waiting", flush=True)
with bounded({seconds}, "joining"):
    # A native call that waits again after each signal, as TensorFlow's.
    mutex = (ctypes.c_char * 64)()
    libc = ctypes.{library}(None)
    libc.pthread_mutex_lock(mutex)
    libc.pthread_mutex_lock(mutex)
"""


# PyDLL keeps Python's lock, as TensorFlow does where it joins a cluster.
@pytest.mark.parametrize("library", ["CDLL", "PyDLL"])
@pytest.mark.parametrize("how", ["limit", signal.SIGTERM, signal.SIGINT])
def test_a_native_wait_is_bounded(how, library):
    code = NATIVE.format(seconds=2 if how == "limit" else 300, library=library)
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "waiting\n"
        time.sleep(0.5)
        if how != "limit":
            process.send_signal(how)
        try:
            told = process.communicate(timeout=30)[1]
        finally:
            process.kill()
    said = "error: joining took more than 2 s.\n" if how == "limit" else ""
    # A shell calls these 143 and 130.
    assert (process.returncode, told) == (-signal.SIGTERM if how == "limit" else -how, said)


def test_a_call_that_returns_leaves_the_signals_as_they_were():
    before = signal.getsignal(signal.SIGINT)
    with bounded(60, "nothing"):
        assert signal.getsignal(signal.SIGINT) == signal.SIG_DFL != before
    assert signal.getsignal(signal.SIGINT) == before


def test_calls_that_return_leave_nothing_behind():
    descriptors = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with bounded(60, "nothing"):
            pass
    assert len(os.listdir("/proc/self/fd")) == descriptors


@contextlib.contextmanager
def answering(says):
    """A program at a port of its own that answers every connection with some bytes; gives the address."""
    with socket.create_server(("", 0)) as listener:

        def answer():
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection, contextlib.suppress(OSError):
                        connection.sendall(says)
                        connection.settimeout(3)
                        while connection.recv(1024):
                            pass

        threading.Thread(target=answer, daemon=True).start()
        try:
            yield f"localhost:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)


def hello(name, machines, process="another"):
    digest = hashlib.sha256(json.dumps(addresses(machines), sort_keys=True).encode()).hexdigest()[:16]
    return _Worker(name, process, digest).line()


@pytest.mark.parametrize(
    ("says", "told"),
    [
        (b"", "accepts connections and says nothing"),
        (b"HTTP/1.0 400 Bad request\r\n", "no worker of this version says 'HTTP/1.0 400"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "says 'SSH-2.0"),
        (b"\x00\xff\n", "no worker of this version says"),
        (b"spin-tf nonsense\n", "no worker of this version says"),
        (_Worker("worker 1", "another", "old").line(), "a worker of another cluster answers"),
    ],
)
def test_a_listener_that_is_no_worker_is_not_taken_for_one(says, told):
    with answering(says) as address:
        machines = {"worker": [*cluster(1)["worker"], address]}
        with pytest.raises(TimeoutError, match=f"worker 1 at {address}, where .*{re.escape(told)}"):
            wait_for_workers(machines, {"type": "worker", "index": 0}, 1)


def test_a_server_of_tensorflow_has_gone_on():
    with answering(bytes.fromhex("000012040000000000") + bytes(18)) as address:
        machines = {"worker": [*cluster(1)["worker"], address]}
        wait_for_workers(machines, {"type": "worker", "index": 0}, 20)


def test_an_index_that_is_there_twice_is_told(monkeypatch):
    # On one machine the port is taken.
    machines = cluster(2)
    task = {"type": "worker", "index": 0}

    def wait():
        with contextlib.suppress(TimeoutError):
            wait_for_workers(machines, task, 4)

    first = threading.Thread(target=wait)
    first.start()
    time.sleep(0.5)
    with pytest.raises(OSError, match=r"cannot listen.*where another process that is worker 0 answers"):
        wait_for_workers(machines, task, 1)
    first.join(30)
    # On two, the other one is worker 0 at the address of worker 1.
    with answering(b"") as address:
        other = {"worker": [machines["worker"][0], address]}
    with socket.create_server(("", int(address.rpartition(":")[2]))) as listener:

        def answer():
            with contextlib.suppress(OSError):
                listener.accept()[0].sendall(hello("worker 0", other))

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        with pytest.raises(ValueError, match=rf"calls {address} worker 1, and another machine that is worker 0, too"):
            wait_for_workers(other, task, 20)
        thread.join(10)
    # And the second of the two finds the first at what should be its own address.
    with (
        answering(hello("worker 0", machines)) as address,
        pytest.raises(ValueError, match=rf"this is worker 0 at {address}, and another process that is worker 0"),
    ):
        _check_own_address(_Worker("worker 0", "this one", "x"), address)
    with pytest.raises(ValueError, match="gives worker 0 and worker 1 one address"):
        addresses({"worker": ["a:1", "a:1"]})
