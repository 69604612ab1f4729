#!/usr/bin/env python3
"""Launcher of `spin_tf.cli.create_benchmarks`."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from spin_tf.cli import create_benchmarks
from spin_tf.cli._run import run

run(create_benchmarks.main)
