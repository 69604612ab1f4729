"""Trains for some minutes from the best weights so far, and keeps the result where it reads better.

bin/train_lap.py --config=FILE --model_dir=DIR --minutes=N [--set key=value]... [-- FLAG...]

Training runs under TensorFlow (bin/train.py), or under JAX (bin/pretrain.py) where an NVIDIA GPU and jax are there;
what follows `--` goes to that command as it is, for example --fonts=DIR --generated=0.6 --workers=16 under JAX. Words
of data.validation are read before and after, the weights are kept in --best when more of them are right, and a row of
--record tells of the lap. Killed and started again with the same command, an unfinished lap goes on.
"""

from __future__ import annotations

import datetime
import importlib.util
import json
import os
import pathlib
import platform
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
from absl import flags

from spin_tf import config as config_module
from spin_tf._cores import num_cores
from spin_tf._extras import require
from spin_tf._files import remove_others, write_atomically
from spin_tf.charset import Tokenizer
from spin_tf.cli._run import UserError
from spin_tf.cli._streams import say
from spin_tf.config import Config
from spin_tf.evaluation.metrics import Score

if TYPE_CHECKING:
    # It reads Keras's backend when it is first imported, which is chosen below.
    from spin_tf.models import SPINRecognizer

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]

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
    from spin_tf.models.loading import find_weights

    best = _BEST.value or os.path.join("exported", "weights", config.model.name)
    before = None
    if find_weights(best):
        before = validate(load_model(best), config)
        print(f"before: {_tell(before)}", flush=True)
        if config.training.init_from is None:
            settings.append(f"training.init_from={best}")
    code = _train(backend, settings, argv[1:], environment)
    if code:
        return code
    model = finished_model(model_dir)
    after = validate(model, config)
    kept = before is None or after["all"].correct > before["all"].correct
    if kept:
        keep_weights(model_dir, best)
    step, seconds = length(model_dir)
    name = " ".join([_CONFIG.value, *_SET.value, *argv[1:]])
    row = describe(name, seconds, step * config.training.batch_size, before, after, kept)
    line = add_record(_RECORD.value, row)
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
    path = os.pathsep.join([str(REPOSITORY), *filter(None, [environment.get("PYTHONPATH")])])
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


COLUMNS = ("lap", "date", "config", "hardware", "minutes", "words seen", "before", "after", "sets after", "commit")
_HEADER = f"# Training laps\n\n| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|\n"


def validate(model: SPINRecognizer, config: Config) -> dict[str, Score]:
    """Reads the words of `data.validation` under its protocol: a score a set, and "all"."""
    from spin_tf.training.validation import Validator

    tokenizer = Tokenizer(model.charset, model.config["max_length"])
    validator = Validator.of(config.data, tokenizer, model.preprocessing)
    return validator.score(lambda images: model.predict_words(images, len(images))[0].argmax(-1))


def finished_model(model_dir: str) -> SPINRecognizer:
    """The model that a run has left, as it is stored for other laps: in float16, from weights-*.npz in its folder."""
    from spin_tf.models import load_model
    from spin_tf.models.loading import find_weights, load_weights, save_weights

    best, weights = os.path.join(model_dir, "best.keras"), find_weights(model_dir)
    # A run that JAX has finished wrote its weights later than a best.keras of before.
    if os.path.exists(best) and not any(os.path.getmtime(path) > os.path.getmtime(best) for path in weights):
        save_weights(model_dir, load_model(model_dir))
    return load_weights(model_dir)


def length(model_dir: str) -> tuple[int, float]:
    """Steps and seconds of a run, from its last checkpoint."""
    from spin_tf.training.checkpoints import list_checkpoints

    with np.load(list_checkpoints(model_dir)[-1], allow_pickle=False) as data:
        state = json.loads(data["state"].tobytes())
    return state["step"], state["seconds"]


def keep_weights(model_dir: str, best: str) -> None:
    """Puts the weights of a finished run in place of the best ones so far."""
    from spin_tf.models.loading import find_weights

    os.makedirs(best, exist_ok=True)
    # The model alone: how it was trained stands in the record.
    model = config_module.load(os.path.join(model_dir, "config.yaml")).model
    write_atomically(os.path.join(best, "config.yaml"), lambda path: config_module.save(model, path))
    parts = find_weights(model_dir)
    for part in parts:
        target = os.path.join(best, os.path.basename(part))
        write_atomically(target, lambda path, part=part: shutil.copyfile(part, path))
    remove_others(find_weights(best), [os.path.join(best, os.path.basename(part)) for part in parts])


def add_record(path: str, cells: dict[str, str]) -> str:
    """Appends a row to the table of laps in a Markdown file, which is made where there is none.

    Args:
        path: of the file.
        cells: by the names of `COLUMNS`, without "lap", which counts on.

    Returns:
        the row.

    Raises:
        ValueError: the file has no table with these columns.
    """
    text = pathlib.Path(path).read_text(encoding="utf-8") if os.path.exists(path) else _HEADER
    lines = text.splitlines()
    heads = [i for i, line in enumerate(lines) if _cells(line) == list(COLUMNS)]
    if not heads:
        raise ValueError(f"the record has no table with the columns {', '.join(COLUMNS)}. Received: {path}")
    end = heads[0] + 2
    while end < len(lines) and lines[end].startswith("|"):
        end += 1
    values = {"lap": str(end - heads[0] - 1), **cells}
    row = f"| {' | '.join(values[column].replace('|', '/') for column in COLUMNS)} |"
    content = "\n".join([*lines[:end], row, *lines[end:]]) + "\n"
    write_atomically(path, lambda temporary: pathlib.Path(temporary).write_text(content, encoding="utf-8"))
    return row


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def describe(
    config_name: str, seconds: float, words: int, before: dict[str, Score] | None, after: dict[str, Score], kept: bool
) -> dict[str, str]:
    """The cells of a lap's row."""
    sets = (f"{name} {100 * score.word_accuracy:.1f}" for name, score in after.items() if name != "all" and score.words)
    return {
        "date": datetime.date.today().isoformat(),
        "config": config_name,
        "hardware": hardware(),
        "minutes": f"{seconds / 60:.0f}",
        "words seen": f"{words:,}",
        "before": _percent(before),
        "after": _percent(after) + ("" if kept else " (not kept)"),
        "sets after": ", ".join(sets),
        "commit": commit(),
    }


def _percent(scores: dict[str, Score] | None) -> str:
    return "-" if scores is None else f"{100 * scores['all'].word_accuracy:.1f} %"


def hardware() -> str:
    """The GPUs by name, or the cores that this process may use and their processor."""
    if os.path.exists("/dev/nvidia0") and shutil.which("nvidia-smi"):
        command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
        names = subprocess.run(command, capture_output=True, text=True).stdout.split("\n")
        found = [name.strip() for name in names if name.strip()]
        if found:
            return f"{len(found)} {found[0]}"
    return f"{num_cores()} cores {_processor()}"


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as stream:
            for line in stream:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def commit() -> str:
    """The commit of the code, with a + where files differ from it; - outside a clone."""

    def git(*arguments: str) -> Any:
        return subprocess.run(["git", "-C", str(REPOSITORY), *arguments], capture_output=True, text=True)

    try:
        head = git("rev-parse", "--short", "HEAD")
        if head.returncode:
            return "-"
        return head.stdout.strip() + ("+" if git("diff", "--quiet", "HEAD", "--", "spin_tf").returncode else "")
    except OSError:
        return "-"
