#!/usr/bin/env python3
"""Launcher of `spin_tf.cli.recognize_beam`."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from spin_tf.cli import recognize_beam
from spin_tf.cli._run import run

# Worker processes import this file again.
if __name__ == "__main__":
    run(recognize_beam.main)
