"""What all machines of a run must have in common, asked of all of them before the first step."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any

import numpy as np
import tensorflow as tf

from spin_tf._version import __version__
from spin_tf.config import Config
from spin_tf.data.feeding.pipeline import TrainingWords
from spin_tf.training.folder import differences
from spin_tf.training.strategies import Place

_FIRST_WORDS = "words of the first step"


def exchange(strategy: Any, place: Place, text: str) -> list[str]:
    """The texts of all processes, in their order; every process calls this at the same time with its own.

    Collectives know numbers only: each process fills its row of zeros with its bytes, and the rows are summed.
    """
    data = np.frombuffer(text.encode(), np.uint8)
    own = np.zeros((place.num_workers, 2), np.float32)
    own[place.worker] = len(data), 1
    # A process with several devices sends its row once for each.
    sums = _sum(strategy, own)
    lengths, devices = np.rint(sums[:, 0] / sums[:, 1]).astype(int), sums[:, 1:]
    rows = np.zeros((place.num_workers, lengths.max()), np.float32)
    rows[place.worker, : len(data)] = data
    rows = np.rint(_sum(strategy, rows) / devices).astype(np.uint8)
    return [row[:length].tobytes().decode() for row, length in zip(rows, lengths, strict=True)]


def _sum(strategy: Any, values: np.ndarray) -> np.ndarray:
    def add() -> Any:
        return tf.distribute.get_replica_context().all_reduce("SUM", tf.constant(values))

    return np.asarray(strategy.experimental_local_results(strategy.run(add))[0])


def settings_of(config: Config, words: TrainingWords) -> dict[str, Any]:
    """What must be the same on all machines, by configuration keys: not where files lie, but what is in them."""
    values = dataclasses.asdict(config)
    # Each machine may have its copy in another place; of validation and of the start only one machine's counts.
    for source in values["data"]["train"].values():
        del source["files"]
    del values["data"]["validation"], values["training"]["init_from"]
    try:
        first = words.source_ids(0)
    except (ValueError, OSError):
        # What a word does that cannot be read is `data.on_corrupt`'s choice, later.
        first = []
    return {
        **values,
        "version of spin_tf": __version__,
        "usable words": dict(zip(words.names, words.sizes, strict=True)),
        _FIRST_WORDS: first,
    }


def require_same_settings(strategy: Any, place: Place, config: Config, words: TrainingWords) -> None:
    """Compares `settings_of` in all processes, by a digest and, where that differs, by keys.

    Raises:
        ValueError: they differ, in all processes; names the first key, and the process that has it.
    """
    if place.num_workers == 1:
        return
    own = json.dumps(settings_of(config, words), sort_keys=True)
    if len(set(exchange(strategy, place, hashlib.sha256(own.encode()).hexdigest()))) == 1:
        return
    first, *others = (json.loads(text) for text in exchange(strategy, place, own))
    for worker, other in enumerate(others, 1):
        found = differences(first, other)
        if not found:
            continue
        # Another seed, say, draws other words: the cause is enough.
        found = [difference for difference in found if difference[0] != _FIRST_WORDS] or found
        shown = "; ".join(
            f"{key} is {_cut(theirs)} there and {_cut(ours)} in process 0" for key, ours, theirs in found[:3]
        )
        more = f", and {len(found) - 3} more keys" if len(found) > 3 else ""
        raise ValueError(
            f"process {worker} of this run has other settings or words than process 0: {shown}{more}. Every machine "
            f"has the same command, configuration and words. Received: {found[0][0]} in process {worker}"
        )


def _cut(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:117]}..."
