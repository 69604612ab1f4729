"""What PyInstaller needs to know of this package; it finds it by the entry point of setup.cfg."""

from __future__ import annotations

import os


def hook_dirs() -> list[str]:
    """The folder of the hooks."""
    return [os.path.dirname(__file__)]
