"""What travels with the package beside its code: recipes, the bundled model, and weights to start from, by name."""

from __future__ import annotations

import os
import pathlib

_PACKAGE = pathlib.Path(__file__).resolve().parent


def resource(*parts: str) -> pathlib.Path:
    """Where a file or folder of configs/ or exported/ lies: inside an installed package, or in the root of a clone."""
    installed = _PACKAGE.joinpath(*parts)
    return installed if installed.exists() else _PACKAGE.parent.joinpath(*parts)


def presets() -> list[str]:
    """The names of the weights that are there: the folders of exported/weights."""
    folder = resource("exported", "weights")
    return sorted(path.parent.name for path in folder.glob("*/config.yaml"))


def recipes() -> list[str]:
    """The names of the configurations that are there: the files of configs."""
    return sorted(path.stem for path in resource("configs").glob("*.yaml"))


def find_model(model: str | os.PathLike[str]) -> pathlib.Path:
    """A model as a user names it: a path, or the name of weights that travel with the package.

    Returns:
        where it lies; the path as it was given where there is neither.
    """
    path = pathlib.Path(model)
    return path if path.exists() else _named(path, ("exported", "weights"), presets()) or path


def find_recipe(config: str | os.PathLike[str]) -> pathlib.Path:
    """A configuration as a user names it: a path, or the name of one that travels with the package.

    Raises:
        FileNotFoundError: it is neither; names those that there are.
    """
    path = pathlib.Path(config)
    if path.exists():
        return path
    if found := _named(path, ("configs",), recipes(), ".yaml"):
        return found
    raise FileNotFoundError(
        f"there is no such configuration; by name there are {_listed(recipes())}. Received: {os.fspath(config)}"
    )


def names_instead(model: str | os.PathLike[str]) -> str:
    """For the message that a model is not there: the names that are, where what was asked for may have been one."""
    path = pathlib.Path(model)
    return "" if path.suffix or len(path.parts) > 1 else f"; by name there are {_listed(presets())}"


def _named(path: pathlib.Path, folder: tuple[str, ...], names: list[str], suffix: str = "") -> pathlib.Path | None:
    """Takes `quickstart`, and `configs/quickstart.yaml` where the working folder is no clone."""
    name = path.name.removesuffix(suffix) if suffix else path.name
    is_known = name in names and path.parts in ((name,), (*folder, f"{name}{suffix}"))
    return resource(*folder, f"{name}{suffix}") if is_known else None


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "none here: the repository holds them"
