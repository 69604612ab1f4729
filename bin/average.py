#!/usr/bin/env python3
"""Launcher of `spin_tf.cli.average`."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from spin_tf.cli import average
from spin_tf.cli._run import run

run(average.main)
