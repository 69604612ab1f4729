"""One model a process, whatever number of threads and tasks a runner starts in it."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading

from spin_tf.data.conversion.beam import open_raw
from spin_tf.recognizer import Recognizer

_recognizers: dict[tuple[str | None, int, bool], Recognizer] = {}
_loading = threading.Lock()


def shared_recognizer(model: str | None = None, num_threads: int = 1, turn_tall: bool = True) -> Recognizer:
    """Returns the `Recognizer` of this process with these arguments, and loads it when it is first asked for.

    Args:
        model: a `.tflite` file, or a URL that Beam's file systems know; None is the model that ships.
        num_threads, turn_tall: as in `Recognizer`.
    """
    key = (model, num_threads, turn_tall)
    with _loading:
        if key not in _recognizers:
            with tempfile.TemporaryDirectory() as folder:
                path = model
                if model is not None and "://" in model:
                    path = os.path.join(folder, "model.tflite")
                    with open_raw(model, "r") as source, open(path, "wb") as target:
                        shutil.copyfileobj(source, target)
                _recognizers[key] = Recognizer(path, num_threads, turn_tall)
        return _recognizers[key]
