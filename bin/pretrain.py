#!/usr/bin/env python3
"""Launcher of `spin_tf.cli.pretrain`."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from spin_tf.cli import pretrain
from spin_tf.cli._run import run

# The processes that make words import this file again.
if __name__ == "__main__":
    run(pretrain.main)
