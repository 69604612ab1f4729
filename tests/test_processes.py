"""A Recognizer in several processes: forked while others read, pickled, and in the pools that people use."""

from __future__ import annotations

import concurrent.futures
import copy
import multiprocessing
import os
import pathlib
import pickle
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from spin_tf import ReadError, Recognizer
from spin_tf.reading.pool import Pool
from tests import strip_model as strips

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="the system does not fork")


def run_forked(child, seconds: float = 30) -> int:
    """Exit code of `child()` in a forked process; -9 where it had to be killed."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            child()
            code = 0
        finally:
            os._exit(code)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@needs_fork
@pytest.mark.parametrize("num_threads", [1, 3])
def test_a_child_reads_that_was_forked_while_others_read(strip_model: pathlib.Path, num_threads: int) -> None:
    recognizer = Recognizer(strip_model, num_threads=num_threads)
    image, stop = strips.draw("k9z"), threading.Event()

    def read_on() -> None:
        while not stop.is_set():
            recognizer.read([image] * 64)

    threads = [threading.Thread(target=read_on) for _ in range(2)]
    for thread in threads:
        thread.start()

    def child() -> None:
        assert recognizer.read(image).text == "k9z"
        assert [word.text for word in recognizer.read([image] * 40)] == ["k9z"] * 40

        def grandchild() -> None:
            assert recognizer.read(image).text == "k9z"

        assert run_forked(grandchild) == 0

    try:
        time.sleep(0.1)
        assert [run_forked(child) for _ in range(4)] == [0] * 4
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert recognizer.read(image).text == "k9z"


@needs_fork
def test_a_stream_does_not_go_on_in_a_child(strip_model: pathlib.Path) -> None:
    """Its threads stayed behind, so that waiting for them would never end."""
    recognizer = Recognizer(strip_model, num_threads=1)
    stream = recognizer.read_many(strips.draw("ab") for _ in range(200))
    next(stream)

    def child() -> None:
        with pytest.raises(RuntimeError, match="call read_many in the new one"):
            list(stream)
        assert [word.text for word in recognizer.read_many([strips.draw("cd")])] == ["cd"]  # type: ignore[union-attr]

    assert run_forked(child) == 0
    assert sum(1 for _ in stream) == 199


@needs_fork
def test_models_that_do_not_survive_a_fork_say_so(strip_model: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TensorFlow's threads do not exist in the child: it would wait for them for ever."""
    recognizer = Recognizer(strip_model, num_threads=1)
    monkeypatch.delattr(type(recognizer.model), "survives_fork")

    def child() -> None:
        for read in (recognizer.read, lambda image: list(recognizer.read_many([image]))):
            with pytest.raises(RuntimeError, match=r"make the Recognizer in the worker.*Received: LiteRTModel"):
                read(strips.draw("ab"))

    assert run_forked(child) == 0
    assert recognizer.read(strips.draw("ab")).text == "ab"


def test_a_pool_hands_out_each_item_once_and_tries_again() -> None:
    made: list[int] = []

    def make() -> int:
        if len(made) == 1 and made[0] == 0:
            made.append(-1)
            raise ValueError("not this time")
        made.append(len(made))
        return made[-1]

    pool = Pool(make, 2)
    with pool.take() as first:
        with pytest.raises(ValueError, match="not this time"), pool.take():
            pass
        with pool.take() as second:
            assert first != second
    with pool.take() as third:
        assert third in (first, second)


def test_pickled_with_all_options(strip_model: pathlib.Path, tmp_path: pathlib.Path, monkeypatch) -> None:
    image = strips.draw("q4w")
    monkeypatch.chdir(strip_model.parent)
    for recognizer in (
        Recognizer(strip_model.name, num_threads=1, turn_tall=False),
        Recognizer(strip_model.name, 1, False),
        Recognizer(model=pathlib.Path(strip_model.name), turn_tall=False, num_threads=1),
    ):
        data = pickle.dumps(recognizer)
        assert len(data) < 10_000
        with monkeypatch.context() as patch:
            patch.chdir(tmp_path)
            for other in (
                pickle.loads(data),
                copy.deepcopy(recognizer),
                pickle.loads(pickle.dumps(pickle.loads(data))),
            ):
                assert (other.num_threads, other.turn) == (1, "none")
                assert other.read(image) == recognizer.read(image)


def test_the_bundled_model_is_found_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    data = pickle.dumps(Recognizer())
    monkeypatch.setattr("spin_tf.recognizer.num_cores", lambda: 7)
    assert pickle.loads(data).num_threads == 7


def test_subclasses_keep_their_class_and_options(strip_model: pathlib.Path) -> None:
    other = pickle.loads(pickle.dumps(_Shouting(strip_model, mark="!")))
    assert type(other) is _Shouting
    assert other.shout(strips.draw("ab")) == "AB!"


class _Shouting(Recognizer):
    def __init__(self, model: pathlib.Path, mark: str) -> None:
        super().__init__(model, num_threads=1)
        self.mark = mark

    def shout(self, image: np.ndarray) -> str:
        return self.read(image).text.upper() + self.mark


def test_results_travel(strip_model: pathlib.Path) -> None:
    recognizer = Recognizer(strip_model)
    results = [recognizer.read(strips.draw("k9z")), ReadError("absent")]
    assert pickle.loads(pickle.dumps(results)) == results


def _text(recognizer: Recognizer, image: np.ndarray) -> str:
    return recognizer.read(image).text


@pytest.mark.parametrize("method", sorted(set(multiprocessing.get_all_start_methods())))
def test_pools_of_processes(strip_model: pathlib.Path, method: str) -> None:
    """The recognizer as an argument and as a bound method, by every way in which workers start."""
    recognizer = Recognizer(strip_model, num_threads=1)
    words = ["ab", "cd", "ef", "gh"]
    context = multiprocessing.get_context(method)
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
        futures = [pool.submit(_text, recognizer, strips.draw(word)) for word in words]
        assert [future.result(timeout=120) for future in futures] == words
        assert [word.text for word in pool.map(recognizer.read, map(strips.draw, words))] == words


SERVER = """
import os, sys
import numpy as np
from spin_tf import Recognizer
from tests import strip_model as strips
# As gunicorn --preload: the application is loaded, has read, and is then forked into workers.
recognizer = Recognizer(sys.argv[1])
recognizer.read([strips.draw("ab")] * 40)
workers = []
for word in ("one", "two"):
    pid = os.fork()
    if pid == 0:
        os._exit(0 if [w.text for w in recognizer.read([strips.draw(word)] * 40)] == [word] * 40 else 3)
    workers.append(pid)
print([os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in workers])
"""


@needs_fork
def test_an_application_that_is_loaded_before_its_workers(strip_model: pathlib.Path, repository: pathlib.Path) -> None:
    result = subprocess.run(
        [sys.executable, "-c", SERVER, str(strip_model)], cwd=repository, capture_output=True, text=True, timeout=120
    )
    assert result.stdout == "[0, 0]\n", result.stderr
