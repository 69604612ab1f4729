"""Reads damaged model files, each in a process of its own, so that a crash of native code is counted and not suffered.

`python -m tests.fuzz.reading_child MODEL FIRST COUNT` damages MODEL in COUNT ways and prints a line of JSON for each
mutation: its number, how it ended, in which words, and what it took. The processes are forked from one that has
imported everything and made no interpreter, so that a trial costs milliseconds.
"""

from __future__ import annotations

import json
import os
import pathlib
import resource
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from spin_tf.reading.litert import LiteRTInterpreter
from spin_tf.recognizer import Recognizer
from tests.fuzz.mutations import MAX_SECONDS, mutations

DOCUMENTED = (ValueError, OSError)
# A wild loop ends here, as does one that waits for ever.
_END_SECONDS, _HANG_SECONDS = int(MAX_SECONDS) + 1, 60


class Ending(NamedTuple):
    """How a trial ended.

    Attributes:
        number: of the mutation.
        ending: `"ok"`, the name of a documented error, `"undocumented"`, or the signal that ended the process.
        message: of the error; with its stack where it is not documented.
        seconds: of processor time.
        num_bytes: by which the process grew.
    """

    number: int
    ending: str
    message: str
    seconds: float
    num_bytes: int


def in_child(number: int, read: Callable[[], object]) -> Ending:
    """Runs `read` in a forked process."""
    receiver, sender = os.pipe()
    child = os.fork()
    if not child:
        os.close(receiver)
        _run(read, sender)
    os.close(sender)
    with os.fdopen(receiver) as pipe:
        answer = pipe.read()
    _, status, usage = os.wait4(child, 0)
    if os.WIFSIGNALED(status):
        ending, message, base = signal.Signals(os.WTERMSIG(status)).name, "", 0
    else:
        ending, message, base = json.loads(answer)
    unit = 1 if sys.platform == "darwin" else 1024
    grown = (usage.ru_maxrss - base) * unit if base else 0
    return Ending(number, ending, message, usage.ru_utime + usage.ru_stime, grown)


def _run(read: Callable[[], object], sender: int) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (_END_SECONDS, _END_SECONDS))
    signal.alarm(_HANG_SECONDS)
    base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ending, message = "ok", ""
    try:
        read()
    except DOCUMENTED as error:
        ending, message = type(error).__name__, str(error)
    except BaseException:
        ending, message = "undocumented", traceback.format_exc()
    with os.fdopen(sender, "w") as pipe:
        json.dump([ending, message, base], pipe)
    # Without what Python does at its end: the parent's threads do not exist here.
    os._exit(0)


def read_model(path: pathlib.Path) -> None:
    """Loads a model and reads an image, a batch, and by steps where the file has these signatures."""
    recognizer = Recognizer(path, num_threads=1)
    image = np.linspace(0, 255, 32 * 100).astype(np.uint8).reshape(32, 100)
    recognizer.read(image)
    recognizer.read([image] * 8)
    interpreter = LiteRTInterpreter(str(path))
    if interpreter.can_step:
        Recognizer(path, num_threads=1, n_best=2, beam_width=2).read(image)


def main(model: str, first: str, count: str) -> None:
    whole = pathlib.Path(model).read_bytes()
    # Damage to the graph alone, before metadata that are whole, gets further than damage anywhere.
    end = whole.rfind(b"PK\3\4")
    seeds = {"file": whole, "graph": whole[:end]}
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "model.tflite")
        # The interpreter's libraries, before anything forks.
        import ai_edge_litert.interpreter  # noqa: F401

        for mutation in mutations(seeds, int(count), int(first)):
            path.write_bytes(mutation.data + (whole[end:] if mutation.name == "graph" else b""))
            print(json.dumps(in_child(mutation.number, lambda: read_model(path))), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
