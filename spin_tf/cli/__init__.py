"""Command-line entry points: flags and one call each."""

import importlib.util
import sys

if importlib.util.find_spec("absl") is None:
    sys.exit(
        f"error: {sys.executable} has no absl-py, which every command needs: run `pip install --editable .` in "
        "the clone, or `make demo` and then .venv/bin/python"
    )
