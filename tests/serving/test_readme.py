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
from typing import Any

import numpy as np
import pytest

from spin_tf.reading import saved_model
from spin_tf.synthesis import WordSynthesizer
from tests.export import image_files
from tests.serving.conftest import BLOCK, EXPORT, README, commands, free_port, run

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


class Asking:
    """A client that asks for one word again and again, while versions come and go."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.answers: list[tuple[int, str]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()

    def _ask(self) -> None:
        request = rows_of([image_files.save(_picture(0), "PNG"), b"broken"])
        while not self._stop.wait(0.02):
            try:
                code, body = post(self.port, request)
                self.answers.append((code, str([(row["words"], row["reason"]) for row in body["predictions"]])))
            except (OSError, KeyError) as error:
                self.answers.append((0, repr(error)))

    def finish(self) -> None:
        """Ends it: every request must have been answered, and with the same words."""
        self._stop.set()
        self._thread.join()
        assert len(self.answers) > 20
        assert {code for code, _ in self.answers} == {200} and len(set(self.answers)) == 1


def _picture(seed: int) -> Any:
    from PIL import Image

    return Image.fromarray(WordSynthesizer().word(seed)[0])


def test_every_command_runs_and_versions_roll_over_and_back(
    models: pathlib.Path, place: pathlib.Path, port: int
) -> None:
    assert {reason for reason, _ in BLOCK.findall(README) if reason} == NOT_RUN
    servers: dict[str, Server] = {}
    ports = {"8501": port, "8502": free_port()}
    asking: Asking | None = None
    exports, done = 0, []
    try:
        for line in commands():
            for written, taken in ports.items():
                line = line.replace(written, str(taken))
            if line.startswith("bin/"):
                line = f".venv-serving/bin/python {line}"
            if line.endswith("&"):
                name = "fast" if "models/fast" in line else "spin"
                servers[name] = Server(line.removesuffix("&"), place)
                servers[name].wait_for("version 1 answers")
            elif EXPORT.match(line):
                exports += 1
                if exports > 1:
                    # The first is the fixture's.
                    asking = Asking(port)
                    run(f"{line} --check_words=8", place)
                    servers["spin"].wait_for("version 2 answers")
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
                    assert asking is not None
                    servers["spin"].wait_for("version 1 answers")
                    asking.finish()
                    asking = None
                elif line.startswith("deploy/tf_serving/loader_check"):
                    check_loader(output, models / "1")
            done.append(line)
    finally:
        for server in servers.values():
            server.stop()
    assert set(servers) == {"spin", "fast"}
    # The client has come to its end, so the versions have gone over and back.
    assert exports == 2 and asking is None and len(done) >= 10


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
    image = np.random.default_rng(0).uniform(-1, 1, (*reader.metadata["image_size"], 1)).astype(np.float32)
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
