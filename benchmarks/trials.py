"""Runs of the project's commands side by side, for comparisons of short trainings."""

from __future__ import annotations

import concurrent.futures
import os
import pathlib
import subprocess
import sys
from collections.abc import Callable, Iterable
from typing import Any

from spin_tf import config as config_module
from spin_tf.config import Config

_ROOT = pathlib.Path(__file__).resolve().parent.parent


def run_trial(folder: pathlib.Path, config: Config, commands: Iterable[list[str]], one_thread: bool) -> None:
    """Runs commands one after the other; `config` lies beside the folder as NAME.yaml, what they print as NAME.log.

    Args:
        folder: of the trial; made where it is not there.
        config: written before the commands start.
        commands: a script under the project's root, and its arguments.
        one_thread: computes with one thread, for trials side by side.

    Raises:
        subprocess.CalledProcessError: a command failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config_module.save(config, str(folder.with_suffix(".yaml")))
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"}
    if one_thread:
        environment |= {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
    with open(folder.with_suffix(".log"), "a", encoding="utf-8") as log:
        for script, *arguments in commands:
            line = [sys.executable, str(_ROOT / script), *arguments]
            subprocess.run(line, stdout=log, stderr=log, env=environment, check=True)
    print(folder.name, "done", flush=True)


def side_by_side(processes: int, run: Callable[..., Any], arguments: Iterable[tuple[Any, ...]]) -> None:
    """Calls `run` with each arguments, `processes` calls at a time; raises what a call raises."""
    with concurrent.futures.ThreadPoolExecutor(processes) as pool:
        for job in [pool.submit(run, *each) for each in arguments]:
            job.result()
