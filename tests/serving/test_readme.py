"""Every command of deploy/tf_serving/README.md, in order, with KServe as the server; requests go on all the while."""

from __future__ import annotations

import base64
import io
import json
import pathlib
import queue
import re
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from spin_tf.export import saved_model
from spin_tf.synthesis import WordSynthesizer
from tests.export import image_files
from tests.serving.conftest import BLOCK, EXPORT, README, commands, run

pytestmark = pytest.mark.deploy
NOT_RUN = {
    "installs packages; `make test_serving` builds the same environment",
    "needs Docker and the image tensorflow/serving",
}


class Server:
    """The program of the page; what it prints is read as it comes."""

    def __init__(self, line: str, place: pathlib.Path) -> None:
        self.process = subprocess.Popen(
            ["bash", "-c", f"exec {line}"], cwd=place, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line.strip())

    def wait_for(self, text: str) -> None:
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            try:
                if self.lines.get(timeout=1) == text:
                    return
            except queue.Empty:
                assert self.process.poll() is None
        pytest.fail(f"the server never said {text!r}")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(60)


def post(port: int, payload: Any) -> tuple[int, Any]:
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    try:
        with urllib.request.urlopen(f"http://localhost:{port}/v1/models/spin:predict", data, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def rows_of(files: list[bytes]) -> dict[str, Any]:
    return {"instances": [{"image_bytes": {"b64": base64.b64encode(file).decode()}} for file in files]}


@pytest.fixture
def asking(port: int) -> Iterator[Callable[[], None]]:
    """Starts a client that asks for one word again and again; in the end every request must have been answered."""
    stop, answers = threading.Event(), []
    word = image_files.save(_picture(0), "PNG")

    def ask() -> None:
        while not stop.is_set():
            try:
                answers.append(post(port, rows_of([word, b"broken"])))
            except OSError as error:
                answers.append((0, str(error)))
            stop.wait(0.02)

    client = threading.Thread(target=ask)
    yield client.start
    stop.set()
    client.join()
    assert len(answers) > 20
    readings = {(code, str(body)[:300]) for code, body in answers}
    assert {code for code, _ in readings} == {200} and len(readings) == 1


def _picture(seed: int) -> Any:
    from PIL import Image

    return Image.fromarray(WordSynthesizer().word(seed)[0])


def test_every_command_runs_and_versions_roll_over_and_back(
    models: pathlib.Path, place: pathlib.Path, port: int, asking: Callable[[], None]
) -> None:
    assert {reason for reason, _ in BLOCK.findall(README) if reason} == NOT_RUN
    server, exports, done = None, 0, []
    try:
        for line in commands():
            line = line.replace("8501", str(port))
            if line.startswith("bin/"):
                line = f".venv-serving/bin/python {line}"
            if line.endswith("&"):
                server = Server(line.removesuffix("&"), place)
                server.wait_for("version 1 answers")
            elif EXPORT.match(line):
                exports += 1
                if exports > 1:
                    # The first is the fixture's.
                    asking()
                    run(f"{line} --check_words=8", place)
                    assert server is not None
                    server.wait_for("version 2 answers")
            else:
                output = run(line, place)
                if "curl" in line and "predict" in line:
                    expected = saved_model.load(models / "1").read_files([(place / "word.png").read_bytes()])
                    assert output.strip() == expected["words"][0].decode() != ""
                    check_batches(port, models)
                elif "recognize.py" in line:
                    assert re.fullmatch(r"word\.png\t\S+\t[01]\.\d{4}\n", output)
                elif line.startswith("ls "):
                    assert output.split() == ["1", "2"]
                elif line.startswith("mv "):
                    assert server is not None
                    server.wait_for("version 1 answers")
                elif line.startswith("deploy/tf_serving/loader_check"):
                    check_loader(output, models / "1")
            done.append(line)
    finally:
        if server is not None:
            server.stop()
    assert exports == 2 and server is not None and len(done) >= 10


def check_batches(port: int, models: pathlib.Path) -> None:
    """Rows, values alone, a corrupt image among others, none at all, images, and what is no request."""
    files = [image_files.save(_picture(seed), "PNG") for seed in range(5)]
    files[2:2] = [data for data, _ in image_files.broken().values()] + [image_files.refused()["JPEG_6"][0]]
    reader = saved_model.load(models / "1")
    expected = reader.read_files(files)
    code, body = post(port, rows_of(files))
    assert code == 200 and len(body["predictions"]) == len(files)
    for i, row in enumerate(body["predictions"]):
        assert set(row) == set(expected)
        assert (row["words"], row["reason"]) == (expected["words"][i].decode(), expected["reason"][i].decode())
        assert (row["valid"], row["turned"]) == (expected["valid"][i], expected["turned"][i])
        for name in ("confidence", "character_confidences", "positions"):
            np.testing.assert_allclose(row[name], expected[name][i], atol=1e-4)
    assert [row["valid"] for row in body["predictions"]].count(True) == 5
    alone = post(port, {"instances": [row["image_bytes"] for row in rows_of(files[:1])["instances"]]})
    assert alone[1]["predictions"][0]["words"] == body["predictions"][0]["words"]
    assert post(port, {"instances": []}) == (200, {"predictions": []})
    image = np.random.default_rng(0).uniform(-1, 1, (32, 100, 1)).astype(np.float32)
    code, body = post(port, {"signature_name": "images", "instances": [{"image": image.tolist()}]})
    assert code == 200
    np.testing.assert_allclose(body["predictions"][0]["positions"], reader.predict_words(image[None])[1][0], atol=1e-4)
    for wrong in (
        b"no json",
        {},
        {"instances": 3},
        {"instances": [{"image_bytes": "text"}]},
        {"instances": [{"image_bytes": {"b64": "*"}}]},
        {"instances": [{"other": 1}]},
        {"signature_name": "absent", "instances": []},
        {"signature_name": "images", "instances": [{"image": [1.0]}]},
    ):
        code, body = post(port, wrong)
        assert code == 400 and body["error"], wrong


def check_loader(output: str, version: pathlib.Path) -> None:
    """What the C++ program prints for the warm-up records is what Python reads of the same images."""
    from spin_tf.export.warmup import BATCH_SIZES, warmup_images

    images = warmup_images()
    expected = saved_model.load(version).read_files(images)
    # A word may hold any character but a line end.
    lines = [line.split("\t") for line in io.StringIO(output, newline="\n").read().splitlines()]
    assert len(lines) == sum(BATCH_SIZES)
    numbers = iter(lines)
    for size in BATCH_SIZES:
        for i in range(size):
            batch, word, confidence, reason = next(numbers)
            i %= len(images)
            assert (int(batch), word, reason) == (size, expected["words"][i].decode(), expected["reason"][i].decode())
            assert abs(float(confidence) - expected["confidence"][i]) < 1e-4
    assert {len(word) > 0 for _, word, _, _ in lines} == {True, False}
