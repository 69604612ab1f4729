#!/usr/bin/env python3
"""Launcher of `spin_tf.cli.synthesize`."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from spin_tf.cli import synthesize
from spin_tf.cli._run import run

if __name__ == "__main__":
    run(synthesize.main)
