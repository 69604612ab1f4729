#!/usr/bin/env python3
"""Launcher of `tools/train_lap.py`, which trains what ships with a clone and is no part of the package."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tools"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import train_lap

from spin_tf.cli._run import run

run(train_lap.main)
