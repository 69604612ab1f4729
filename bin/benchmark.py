#!/usr/bin/env python3
"""Launcher of `spin_tf.cli.benchmark`."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from spin_tf.cli import benchmark
from spin_tf.cli._run import run

run(benchmark.main)
