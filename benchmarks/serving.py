#!/usr/bin/env python3
"""What reading from bytes costs inside the graph, and a server under load: answers, latencies, memory.

    benchmarks/serving.py --model=models/spin [--tflite=exported/spin.tflite] [--words=GLOB] [--seconds=200]
        [--concurrency=1,8,32] [--program=FILE] [--output=FILE]

--model is what bin/export_saved_model.py wrote, --words files with one word each (default: generated ones). Run by a
Python with kserve and tensorflow: it starts deploy/tf_serving/kserve_server.py on a port of its own, with the
SavedModel and then, if --tflite is given, with that file; each --program (another version of it, say) with the
SavedModel. Of each hundred requests one is a corrupt image. Every answer is compared with what the model reads of that
file in this process; a request that is not answered, or answered otherwise, ends in exit code 1. --seconds=0 leaves the
server out, --rounds=0 the cost.
"""

from __future__ import annotations

import base64
import glob
import http.client
import io
import itertools
import json
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from absl import app, flags
from PIL import Image

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from spin_tf import ReadError, Recognizer
from spin_tf.contract.preprocessing import Preprocessing, prepare
from spin_tf.contract.turning import is_tall
from spin_tf.data.images import decode_image
from spin_tf.reading import saved_model
from spin_tf.synthesis import WordSynthesizer

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent

_MODEL = flags.DEFINE_string("model", None, "Folder of versions of a SavedModel.", required=True)
_TFLITE = flags.DEFINE_string("tflite", None, "A .tflite file that is served, too.")
_PROGRAM = flags.DEFINE_multi_string("program", [], "Other programs that serve the SavedModel, one after the other.")
_WORDS = flags.DEFINE_string("words", None, "Glob pattern of image files, ** included; default: generated words.")
_NUM_WORDS = flags.DEFINE_integer("num_words", 500, "At most this many of them, at even distances.", 100)
_SECONDS = flags.DEFINE_float("seconds", 200, "Of load at each concurrency; 0 for none.", 0)
_CONCURRENCY = flags.DEFINE_list("concurrency", ["1", "8", "32"], "Requests on their way at the same time.")
_ROUNDS = flags.DEFINE_integer("rounds", 40, "Rounds over which the cost of the bytes path is measured; 0 for none.", 0)
_OUTPUT = flags.DEFINE_string("output", None, "JSON file for all numbers.")
_BATCH_SIZES = (1, 8, 32)
_TOLERANCE = 1e-4


def find_words() -> list[bytes]:
    """The files, every hundredth cut in half."""
    if _WORDS.value:
        paths = sorted(glob.glob(_WORDS.value, recursive=True))
        picked = np.linspace(0, len(paths) - 1, min(_NUM_WORDS.value, len(paths))).astype(int)
        files = [pathlib.Path(paths[i]).read_bytes() for i in picked]
    else:
        synthesizer, files = WordSynthesizer(), []
        for seed in range(_NUM_WORDS.value):
            stream = io.BytesIO()
            Image.fromarray(synthesizer.word(seed)[0]).save(stream, "JPEG", quality=90)
            files.append(stream.getvalue())
    for i in range(0, len(files), 100):
        files[i] = files[i][: len(files[i]) // 2]
    return files


def cost(reader: saved_model.SavedModelReader, files: list[bytes]) -> list[dict[str, float]]:
    """Milliseconds of processor time a call, medians of rounds in turns: from images, from bytes, decoding alone."""
    rules = Preprocessing.of(reader.metadata)
    valid = [file for file, valid in zip(files, reader.read_files(files)["valid"], strict=True) if valid]
    # A tall crop is read three times, which is no cost of its bytes; a wide one is of another size.
    cut = {file: rules.cut(decode_image(file)) for file in valid}
    good = [file for file in valid if not is_tall(*cut[file].shape[:2]) and rules.size(cut[file]) == rules.image_size]
    images = np.stack([rules.view(cut[file]) for file in good])
    rows = []
    for batch in _BATCH_SIZES:
        times: dict[str, list[float]] = {"images": [], "bytes": [], "decoding": []}
        for number in range(_ROUNDS.value + 2):
            places = np.arange(number * batch, (number + 1) * batch) % len(good)
            chosen = [good[place] for place in places]
            calls: dict[str, Callable[[], Any]] = {
                "images": lambda places=places: reader.predict_words(images[places]),
                "bytes": lambda chosen=chosen: reader.read_files(chosen),
                "decoding": lambda chosen=chosen: [prepare(decode_image(file), rules) for file in chosen],
            }
            for name, call in calls.items():
                start = time.process_time()
                call()
                times[name].append(1000 * (time.process_time() - start))
        medians = {name: statistics.median(values[2:]) for name, values in times.items()}
        difference = statistics.median(b - a for a, b in zip(times["images"][2:], times["bytes"][2:], strict=True))
        rows.append({"batch": batch, **medians, "difference": difference})
    return rows


class Client(threading.Thread):
    """One request after another, each on the same connection, until the time is over."""

    def __init__(self, port: int, requests: Any, expected: list[dict[str, Any]], bodies: list[bytes], end: float):
        super().__init__()
        self.port, self.requests, self.expected, self.bodies, self.end = port, requests, expected, bodies, end
        self.seconds: list[float] = []
        self.problems: list[str] = []
        self.sent = self.corrupt = 0

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        while time.monotonic() < self.end:
            place = next(self.requests) % len(self.bodies)
            self.sent += 1
            start = time.perf_counter()
            try:
                connection.request("POST", "/v1/models/spin:predict", self.bodies[place])
                answer = json.loads(connection.getresponse().read())
            except (OSError, http.client.HTTPException, ValueError) as error:
                self.problems.append(f"file {place}: {type(error).__name__}: {error}")
                connection.close()
                continue
            self.seconds.append(time.perf_counter() - start)
            self._check(place, answer)

    def _check(self, place: int, answer: Any) -> None:
        expected = self.expected[place]
        self.corrupt += not expected["valid"]
        try:
            (row,) = answer["predictions"]
            right = all(row[name] == expected[name] for name in ("words", "valid", "reason"))
            right = right and abs(row["confidence"] - expected["confidence"]) < _TOLERANCE
        except (KeyError, TypeError, ValueError):
            right = False
        if not right:
            self.problems.append(f"file {place}: {str(answer)[:200]} instead of {expected}")


def memory(pid: int) -> float:
    """Resident MiB."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"the server has ended. Received: pid={pid}")


def processor_time(pid: int) -> float:
    """Seconds, of all threads."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def answers_of(reader: saved_model.SavedModelReader, files: list[bytes]) -> list[dict[str, Any]]:
    """What the SavedModel reads, one file at a time, as the server is asked."""
    alone = [reader.read_files([file]) for file in files]
    answers = {name: np.concatenate([answer[name] for answer in alone]) for name in alone[0]}
    return [
        {
            "words": answers["words"][i].decode(),
            "valid": bool(answers["valid"][i]),
            "reason": answers["reason"][i].decode(),
            "confidence": float(answers["confidence"][i]),
        }
        for i in range(len(files))
    ]


def readings_of(path: str, files: list[bytes]) -> list[dict[str, Any]]:
    """What a `Recognizer` of the file reads."""
    results = Recognizer(path).read_many(files)
    return [
        {"words": "", "valid": False, "reason": result.kind, "confidence": 0.0}
        if isinstance(result, ReadError)
        else {"words": result.text, "valid": True, "reason": "", "confidence": result.confidence}
        for result in results
    ]


def load(
    name: str, program: pathlib.Path, folder: str, files: list[bytes], expected: list[dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[str]]:
    bodies = [
        json.dumps({"instances": [{"image_bytes": {"b64": base64.b64encode(file).decode()}}]}).encode()
        for file in files
    ]
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    command = [sys.executable, str(program), f"--folder={folder}", f"--port={port}"]
    begun = time.monotonic()
    # A program of another place takes spin_tf from here.
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    rows, problems = [], []
    try:
        wait(port, server)
        started, start_work = time.monotonic() - begun, processor_time(server.pid)
        for concurrency in map(int, _CONCURRENCY.value):
            before, start, work = memory(server.pid), time.monotonic(), processor_time(server.pid)
            requests = itertools.count()
            end = start + _SECONDS.value
            clients = [Client(port, requests, expected, bodies, end) for _ in range(concurrency)]
            for client in clients:
                client.start()
            for client in clients:
                client.join()
            wall = time.monotonic() - start
            seconds = sorted(second for client in clients for second in client.seconds)
            problems += [problem for client in clients for problem in client.problems]
            row = {
                "server": name,
                "start": started,
                "start_work": start_work,
                "concurrency": concurrency,
                "requests": sum(client.sent for client in clients),
                "answers": len(seconds),
                "corrupt": sum(client.corrupt for client in clients),
                "p50": 1000 * seconds[len(seconds) // 2],
                "p95": 1000 * seconds[int(0.95 * len(seconds))],
                "words_a_second": len(seconds) / wall,
                "work_a_word": 1000 * (processor_time(server.pid) - work) / max(len(seconds), 1),
                "memory_before": before,
                "memory_after": memory(server.pid),
            }
            if row["requests"] != row["answers"]:
                problems.append(f"{row['requests']} requests, {row['answers']} answers")
            rows.append(row)
    finally:
        server.terminate()
        server.wait(60)
    return rows, problems


def wait(port: int, server: subprocess.Popen[bytes]) -> None:
    while server.poll() is None:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", "/v1/models/spin")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.5)
    raise ValueError(f"the server has ended at its start. Received: exit code {server.returncode}")


def table(rows: list[dict[str, Any]], formats: dict[str, str]) -> str:
    lines = ["| " + " | ".join(name.replace("_", " ") for name in formats) + " |", "|" + "---:|" * len(formats)]
    lines += ["| " + " | ".join(format(row[name], form) for name, form in formats.items()) + " |" for row in rows]
    return "\n".join(lines)


def main(argv: list[str]) -> int:
    if len(argv) > 1:
        raise app.UsageError(f"serving.py takes flags only. Received: {' '.join(argv[1:])}")
    files = find_words()
    reader = saved_model.load(_MODEL.value)
    results: dict[str, Any] = {}
    if _ROUNDS.value:
        results["cost"] = cost(reader, files)
        print(
            table(
                results["cost"], {"batch": "d", "images": ".2f", "bytes": ".2f", "difference": ".2f", "decoding": ".2f"}
            )
        )
    problems: list[str] = []
    if _SECONDS.value:
        own = REPOSITORY / "deploy" / "tf_serving" / "kserve_server.py"
        expected = answers_of(reader, files)
        runs = [(path, pathlib.Path(path), _MODEL.value, expected) for path in _PROGRAM.value]
        runs.append(("SavedModel", own, _MODEL.value, expected))
        with tempfile.TemporaryDirectory() as folder:
            if _TFLITE.value:
                (pathlib.Path(folder) / "1").mkdir()
                shutil.copy(_TFLITE.value, pathlib.Path(folder) / "1")
                runs.append((".tflite", own, folder, readings_of(_TFLITE.value, files)))
            loads = [load(name, program, models, files, answers) for name, program, models, answers in runs]
        results["load"] = [row for rows, _ in loads for row in rows]
        problems = [problem for _, found in loads for problem in found]
        formats = {"server": "s", "start": ".1f", "start_work": ".1f", "concurrency": "d", "requests": ",d"}
        formats |= {"answers": ",d", "corrupt": ",d", "p50": ".1f", "p95": ".1f", "words_a_second": ".1f"}
        formats |= {"work_a_word": ".1f", "memory_before": ".0f", "memory_after": ".0f"}
        print(table(results["load"], formats))
        results["problems"] = problems
    if _OUTPUT.value:
        pathlib.Path(_OUTPUT.value).write_text(json.dumps(results, indent=1))
    for problem in problems[:20]:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    app.run(main)
