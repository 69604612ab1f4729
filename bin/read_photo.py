#!/usr/bin/env python3
"""Launcher of `spin_tf.cli.read_photo`."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from spin_tf.cli import read_photo
from spin_tf.cli._run import run

run(read_photo.main)
