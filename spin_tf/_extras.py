"""Optional dependencies: imported where they are used, named clearly where they are missing."""

from __future__ import annotations

import importlib
from types import ModuleType

from spin_tf._noise import import_quietly

_LOUD = ("tensorflow", "keras")


class MissingExtraError(ImportError):
    """A feature was asked for whose optional dependency is not installed."""


def require(module_name: str, feature: str, extra: str) -> ModuleType:
    """Imports an optional dependency.

    Args:
        module_name: the module to import, for example `"tensorflow"`.
        feature: what needs it, as a user would say it.
        extra: the extra of setup.cfg that installs it.

    Raises:
        MissingExtraError: one line that says which feature needs which `pip install`.
    """
    try:
        # TensorFlow, and Keras with it, tell of themselves when they are loaded.
        return (import_quietly if module_name in _LOUD else importlib.import_module)(module_name)
    except ModuleNotFoundError as error:
        if error.name != module_name.split(".")[0]:
            raise
        raise MissingExtraError(
            f'{feature} needs {module_name}: pip install "spin-tf[{extra}]". Received: {error}'
        ) from error
