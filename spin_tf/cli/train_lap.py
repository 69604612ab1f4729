"""Trains for some minutes from the best weights so far, and keeps the result where it reads better.

bin/train_lap.py --config=FILE --model_dir=DIR --minutes=N [--set key=value]... [-- FLAG...]

Training runs under TensorFlow (bin/train.py), or under JAX (bin/pretrain.py) where an NVIDIA GPU and jax are there;
what follows `--` goes to that command as it is, for example --fonts=DIR --generated=0.6 --workers=16 under JAX. Words
of data.validation are read before and after, the weights are kept in --best when more of them are right, and a row of
--record tells of the lap. Killed and started again with the same command, an unfinished lap goes on.
"""

from __future__ import annotations

import importlib.util
import os
import pathlib
import signal
import subprocess
import sys
from typing import Any

from absl import flags

from spin_tf import config as config_module
from spin_tf._extras import require
from spin_tf.cli._run import UserError
from spin_tf.cli._streams import say

_CONFIG = flags.DEFINE_string("config", None, "YAML file, or the name of a recipe such as quickstart", required=True)
_MODEL_DIR = flags.DEFINE_string("model_dir", None, "Folder of the lap; an unfinished one goes on.", required=True)
_MINUTES = flags.DEFINE_float("minutes", None, "How long to train.", 0.0, required=True)
_SET = flags.DEFINE_multi_string("set", [], "key=value, overrides the file; dotted keys, may be repeated.")
_BEST = flags.DEFINE_string("best", None, "Folder of the best weights; default: exported/weights/NAME of model.name.")
_RECORD = flags.DEFINE_string("record", "exported/TRAINING.md", "Markdown file whose table gets a row.")
_BACKEND = flags.DEFINE_enum("backend", "auto", ["auto", "tensorflow", "jax"], "auto: jax on a GPU, else tensorflow.")


def main(argv: list[str]) -> int:
    settings = [*_SET.value, f"training.minutes={_MINUTES.value}"]
    config = config_module.load(_CONFIG.value, settings)
    if not config.data.validation:
        raise UserError("a lap is judged by data.validation, which names no words. Received: data.validation={}")
    model_dir = _MODEL_DIR.value
    # Says that all is done, once it is.
    told = os.path.join(model_dir, "lap.md")
    if os.path.exists(told):
        raise UserError(f"this lap is over; another one needs another folder. Received: --model_dir={model_dir}")
    backend = choose_backend(_BACKEND.value)
    # Keras reads its backend when it is first imported.
    os.environ["KERAS_BACKEND"] = backend
    environment = dict(os.environ)
    # The few words of validation are read on the CPU: either backend would keep the GPU's memory from the training.
    os.environ.update(CUDA_VISIBLE_DEVICES="-1", JAX_PLATFORMS="cpu")
    require("keras", "Training", "train")
    from spin_tf.models import load_model
    from spin_tf.models.weights import find_weights
    from spin_tf.training import lap
    from spin_tf.training.checkpoints import write_atomically

    best = _BEST.value or os.path.join("exported", "weights", config.model.name)
    before = None
    if find_weights(best):
        before = lap.validate(load_model(best), config)
        print(f"before: {_tell(before)}", flush=True)
        if config.training.init_from is None:
            settings.append(f"training.init_from={best}")
    code = _train(backend, settings, argv[1:], environment)
    if code:
        return code
    model = lap.finished_model(model_dir)
    after = lap.validate(model, config)
    kept = before is None or after["all"].correct > before["all"].correct
    if kept:
        lap.keep_weights(model_dir, best)
    step, seconds = lap.length(model_dir)
    name = " ".join([_CONFIG.value, *_SET.value, *argv[1:]])
    row = lap.describe(name, seconds, step * config.training.batch_size, before, after, kept)
    line = lap.add_record(_RECORD.value, row)
    write_atomically(told, lambda path: pathlib.Path(path).write_text(f"{line}\n", encoding="utf-8"))
    print(line)
    print(f"after: {_tell(after)}; " + (f"kept in {best}" if kept else f"not kept, still in {model_dir}"))
    return 0


def choose_backend(name: str = "auto") -> str:
    """The backend of a lap: "auto" is jax where an NVIDIA GPU and jax are, else tensorflow, else jax.

    Raises:
        UserError: neither is installed, or the one that is named is not.
    """
    installed = [backend for backend in ("tensorflow", "jax") if importlib.util.find_spec(backend) is not None]
    if not installed or name not in ("auto", *installed):
        wanted = "TensorFlow or JAX" if name == "auto" else name
        raise UserError(f'training needs {wanted}: pip install "spin-tf[train]" or "spin-tf[jax]". Received: {name}')
    if name != "auto":
        return name
    return "jax" if "jax" in installed and os.path.exists("/dev/nvidia0") else installed[0]


def _train(backend: str, settings: list[str], arguments: list[str], environment: dict[str, str]) -> int:
    """Runs the training in a process of its own, which signals reach; returns its exit code."""
    command = {"tensorflow": "train", "jax": "pretrain"}[backend]
    line = [sys.executable, "-m", "spin_tf", command, f"--config={_CONFIG.value}", f"--model_dir={_MODEL_DIR.value}"]
    line += [f"--set={setting}" for setting in settings]
    # The package may not be installed: it is found where this one was.
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    path = os.pathsep.join([root, *filter(None, [environment.get("PYTHONPATH")])])
    with subprocess.Popen([*line, *arguments], env={**environment, "PYTHONPATH": path}) as process:

        def pass_on(number: int, _: Any) -> None:
            process.send_signal(number)

        previous = [(number, signal.signal(number, pass_on)) for number in (signal.SIGTERM, signal.SIGINT)]
        try:
            code = process.wait()
            if code < 0:
                why = " (by the system where memory has ended)" if -code == signal.SIGKILL else ""
                say(
                    f"error: signal {-code} has ended the training{why}; the same command goes on from the last "
                    f"checkpoint in {_MODEL_DIR.value}"
                )
            return code if code >= 0 else 128 - code
        finally:
            for number, handler in previous:
                signal.signal(number, handler)


def _tell(scores: Any) -> str:
    parts = [f"{name} {100 * score.word_accuracy:.2f} %" for name, score in scores.items() if score.words]
    return f"{', '.join(parts)} of {scores['all'].words} words"
