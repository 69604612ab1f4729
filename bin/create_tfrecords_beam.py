#!/usr/bin/env python3
"""Launcher of `spin_tf.cli.create_tfrecords_beam`."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from spin_tf.cli import create_tfrecords_beam
from spin_tf.cli._run import run

# Worker processes import this file again.
if __name__ == "__main__":
    run(create_tfrecords_beam.main)
