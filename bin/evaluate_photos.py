#!/usr/bin/env python3
"""Launcher of `spin_tf.cli.evaluate_photos`."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from spin_tf.cli import evaluate_photos
from spin_tf.cli._run import run

run(evaluate_photos.main)
