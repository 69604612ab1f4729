"""A cluster that does not come together says for whom it waits, ends at its limit, and by a signal."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from spin_tf.training.rendezvous import addresses, bounded, wait_for_workers


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
    libc = ctypes.CDLL(None)
    libc.pthread_mutex_lock(mutex)
    libc.pthread_mutex_lock(mutex)
"""


@pytest.mark.parametrize("how", ["limit", signal.SIGTERM, signal.SIGINT])
def test_a_native_wait_is_bounded(how):
    code = NATIVE.format(seconds=2 if how == "limit" else 300)
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "waiting\n"
        time.sleep(0.5)
        if how != "limit":
            process.send_signal(how)
        told = process.communicate(timeout=30)[1]
    expected = (2, "joining took more than 2 s") if how == "limit" else (128 + how, "interrupted")
    assert process.returncode == expected[0] and expected[1] in told and "Traceback" not in told


def test_a_call_that_returns_leaves_the_signals_as_they_were():
    before = signal.getsignal(signal.SIGTERM)
    with bounded(60, "nothing"):
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before and threading.active_count() < 50
