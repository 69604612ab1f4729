"""RapidOCR's bundled recogniser, in a process of its own, for benchmarks that read the same crops with it."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

PEER_NAME = "RapidOCR, bundled recogniser"
_TIMES = {"p50_ms": "ms a word, p50", "p95_ms": "p95", "processor_ms": "processor ms a word"}


def start_peer(
    python: str, threads: int, words: Sequence[bytes], folder: str, directions: Sequence[bool] | None = None
) -> Callable[[], dict[str, Any]]:
    """Starts the process; what it returns reads all words once.

    Args:
        python: an interpreter that has rapidocr and onnxruntime.
        threads: of the process.
        words: the bytes of image files.
        folder: takes a file of the words, until the last reading.
        directions: for each word whether it may be turned: then it is read as RapidOCR reads what it found itself, tall
            crops turned by a quarter and its classifier of directions asked. None is no word.

    Returns:
        A function that gives `texts`, `confidences` and `seconds`, each of all words, and `processor_seconds`, of all
        of them and all threads; it raises a RuntimeError when the process has ended.
    """
    path = os.path.join(folder, "words.npz")
    encoded = np.empty(len(words), object)
    encoded[:] = words
    np.savez(path, encoded=encoded, directions=np.zeros(len(words), bool) if directions is None else directions)
    command = [python, str(pathlib.Path(__file__).with_name("rapidocr_peer.py")), path, str(threads)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def read() -> dict[str, Any]:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write("go\n")
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            raise RuntimeError("the peer has ended; its error is above")
        answer: dict[str, Any] = json.loads(line)
        return answer

    return read


def side_by_side(readers: dict[str, dict[str, Any]], times: Sequence[str] = tuple(_TIMES)) -> str:
    """What benchmarks/reading.py measured, a row a reader, in Markdown; with these times of it."""
    names = next(iter(readers.values()))["sets"]
    lines = [
        f"| | {' | '.join([*names, *(_TIMES[key] for key in times)])} |",
        f"|---|{'---:|' * (len(names) + len(times))}",
    ]
    for name, each in readers.items():
        cells = [f"{100 * score['correct'] / max(score['words'], 1):.1f}" for score in each["sets"].values()]
        cells += [f"{each[key]:.1f}" for key in times]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)
