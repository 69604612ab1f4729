#!/usr/bin/env python3
"""Launcher of `spin_tf.cli.convert_detector`."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from spin_tf.cli import convert_detector
from spin_tf.cli._run import run

run(convert_detector.main)
