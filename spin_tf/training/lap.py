"""What surrounds the training of a lap: where it starts, whether its weights are better, and the line of record."""

from __future__ import annotations

import datetime
import json
import os
import pathlib
import platform
import shutil
import subprocess
from typing import Any

import numpy as np

from spin_tf import config as config_module
from spin_tf._cores import num_cores
from spin_tf._files import remove_others, write_atomically
from spin_tf.charset import Tokenizer
from spin_tf.config import Config
from spin_tf.evaluation.metrics import Score
from spin_tf.models import SPINRecognizer, load_model
from spin_tf.models.weights import find_weights, load_weights
from spin_tf.training.checkpoints import list_checkpoints
from spin_tf.training.validation import Validator
from spin_tf.training.weights_file import save_weights

COLUMNS = ("lap", "date", "config", "hardware", "minutes", "words seen", "before", "after", "sets after", "commit")
_HEADER = f"# Training laps\n\n| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|\n"


def validate(model: SPINRecognizer, config: Config) -> dict[str, Score]:
    """Reads the words of `data.validation` under its protocol: a score a set, and "all"."""
    tokenizer = Tokenizer(model.charset, model.config["max_length"])
    validator = Validator.of(config.data, tokenizer, model.preprocessing)
    return validator.score(lambda images: model.predict_words(images, len(images))[0].argmax(-1))


def finished_model(model_dir: str) -> SPINRecognizer:
    """The model that a run has left, as it is stored for other laps: in float16, from weights-*.npz in its folder."""
    best, weights = os.path.join(model_dir, "best.keras"), find_weights(model_dir)
    # A run that JAX has finished wrote its weights later than a best.keras of before.
    if os.path.exists(best) and not any(os.path.getmtime(path) > os.path.getmtime(best) for path in weights):
        save_weights(model_dir, load_model(model_dir), {})
    return load_weights(model_dir)


def length(model_dir: str) -> tuple[int, float]:
    """Steps and seconds of a run, from its last checkpoint."""
    with np.load(list_checkpoints(model_dir)[-1], allow_pickle=False) as data:
        state = json.loads(data["state"].tobytes())
    return state["step"], state["seconds"]


def keep_weights(model_dir: str, best: str) -> None:
    """Puts the weights of a finished run in place of the best ones so far."""
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
    root = pathlib.Path(__file__).resolve().parents[2]

    def git(*arguments: str) -> Any:
        return subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True)

    try:
        head = git("rev-parse", "--short", "HEAD")
        if head.returncode:
            return "-"
        return head.stdout.strip() + ("+" if git("diff", "--quiet", "HEAD", "--", "spin_tf").returncode else "")
    except OSError:
        return "-"
