#!/usr/bin/env python3
"""What each transformation costs: parameters, GFLOP and milliseconds an image, for the paper's six variants.

benchmarks/variants.py [--width=512] [--repeats=30] [--json=FILE]

GFLOP are counted by TensorFlow's profiler on the frozen graph of one image read with 26 decoder steps; a multiplication
and an addition are two. Milliseconds are the median of single images through the graph on this machine; variants take
turns, so that whatever else the machine does falls on all of them.
"""

from __future__ import annotations

import json
import os
import pathlib
import platform
import statistics
import sys
import time
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from absl import app, flags

_WIDTH = flags.DEFINE_integer("width", 512, "channels of the backbone's last stages")
_REPEATS = flags.DEFINE_integer("repeats", 30, "images timed for each variant", lower_bound=3)
_JSON = flags.DEFINE_string("json", None, "file for the numbers")


def count_flops(model: Any) -> int:
    """Floating-point operations of one image, the decoder unrolled over all its steps."""
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    image = tf.TensorSpec((1, *model.image_size, 1), tf.float32)
    previous = tf.TensorSpec((1, model.num_steps), tf.int32)
    function = tf.function(lambda image, previous: model(image, previous)).get_concrete_function(image, previous)
    graph = convert_variables_to_constants_v2(function).graph
    options = tf.compat.v1.profiler.ProfileOptionBuilder(tf.compat.v1.profiler.ProfileOptionBuilder.float_operation())
    return tf.compat.v1.profiler.profile(graph, options=options.with_empty_output().build()).total_float_ops


def median_milliseconds(models: list[Any], repeats: int) -> list[float]:
    """Median time in which each model reads one image greedily."""
    import numpy as np
    import tensorflow as tf

    image = tf.constant(np.random.default_rng(0).uniform(-1, 1, (1, *models[0].image_size, 1)), tf.float32)
    functions = [tf.function(lambda image, model=model: model(image)["probabilities"]) for model in models]
    times: list[list[float]] = [[] for _ in models]
    for turn in range(repeats + 2):
        for function, mine in zip(functions, times, strict=True):
            start = time.perf_counter()
            function(image).numpy()
            if turn >= 2:
                mine.append(1e3 * (time.perf_counter() - start))
    return [statistics.median(mine) for mine in times]


def main(_: list[str]) -> None:
    from spin_tf.config import TRANSFORMATIONS
    from spin_tf.models import SPINRecognizer

    models = [
        SPINRecognizer({"charset": "68", "transformation": {"name": name}, "backbone": {"width": _WIDTH.value}})
        for name in TRANSFORMATIONS
    ]
    flops = [count_flops(model) for model in models]
    milliseconds = median_milliseconds(models, _REPEATS.value)
    print(f"width {_WIDTH.value}, charset 68, {platform.processor() or platform.machine()}, {os.cpu_count()} cores\n")
    print("| variant | parameters | GFLOP | ms an image |\n|---|---|---|---|")
    rows = []
    for name, model, flop, duration in zip(TRANSFORMATIONS, models, flops, milliseconds, strict=True):
        parameters = model.count_params()
        rows.append({"variant": name, "parameters": parameters, "gflop": flop / 1e9, "milliseconds": duration})
        print(f"| {name} | {parameters:,} | {flop / 1e9:.2f} | {duration:.1f} |")
    if _JSON.value:
        pathlib.Path(_JSON.value).write_text(json.dumps({"width": _WIDTH.value, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    app.run(main)
