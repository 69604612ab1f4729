"""The documentation site, as far as it can be told without building it, which `make docs` does."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import pathlib
import re

import pytest

import spin_tf
from tests.pages import REPOSITORY

CONFIGURATION = (REPOSITORY / "mkdocs.yml").read_text(encoding="utf-8")
API = "\n".join(path.read_text(encoding="utf-8") for path in sorted((REPOSITORY / "docs/site/docs/api").glob("*.md")))
NOTEBOOKS = sorted((REPOSITORY / "docs" / "notebooks").glob("*.ipynb"))
# Where public names are, and the class or function behind each.
PUBLIC = ["spin_tf", "spin_tf.layers", "spin_tf.models", "spin_tf.synthesis", "spin_tf.reading.remote"]


def in_navigation() -> list[str]:
    return re.findall(r"^ +- (?:[^:\n]+: )?(\S+\.(?:md|ipynb))$", CONFIGURATION, re.MULTILINE)


@pytest.mark.parametrize("module", PUBLIC)
def test_every_public_name_has_its_place(module: str) -> None:
    loaded = importlib.import_module(module)
    for name in loaded.__all__:
        if not name.startswith("_"):
            value = getattr(loaded, name)
            assert re.search(rf"^::: {re.escape(value.__module__)}\.{name}$", API, re.MULTILINE), name


def test_what_the_pages_show_exists_and_says_what_it_is() -> None:
    shown = re.findall(r"^::: ([\w.]+)$", API, re.MULTILINE)
    assert len(shown) == len(set(shown)) > 40
    for path in shown:
        try:
            value = importlib.import_module(path)
        except ModuleNotFoundError:
            module, name = path.rsplit(".", 1)
            value = getattr(importlib.import_module(module), name)
        assert inspect.getdoc(value), path


def test_every_page_is_in_the_navigation_and_the_other_way_round() -> None:
    named = in_navigation()
    assert len(named) == len(set(named))
    site = {path.relative_to(REPOSITORY / "docs/site").as_posix() for path in REPOSITORY.glob("docs/site/docs/**/*.md")}
    pages = {path.relative_to(REPOSITORY).as_posix() for path in (*REPOSITORY.glob("docs/*.md"), *NOTEBOOKS)}
    pages |= {path.relative_to(REPOSITORY).as_posix() for path in REPOSITORY.glob("deploy/*/README.md")}
    assert site | pages <= set(named)
    for name in named:
        assert name in site or (REPOSITORY / name).is_file(), name


def test_the_site_is_built_where_changes_are_checked() -> None:
    assert re.search(r"^make (.* )?docs( |$)", (REPOSITORY / ".ci" / "run").read_text(), re.MULTILINE)
    assert "- run: make docs" in (REPOSITORY / ".github" / "workflows" / "ci.yml").read_text()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_committed_without_outputs(path: pathlib.Path) -> None:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["metadata"]["kernelspec"]["name"]) == (4, "python3")
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert len(code) >= 4 and notebook["cells"][0]["cell_type"] == "markdown"
    for cell in code:
        assert cell["outputs"] == [] and cell["execution_count"] is None, "".join(cell["source"])
        # What is executed by `make docs` fails there; a shell line would not.
        assert not re.search(r"^\s*[!%]", "".join(cell["source"]), re.MULTILINE)
        ast.parse("".join(cell["source"]))
    assert "shared" not in path.read_text(encoding="utf-8")


def test_there_are_two_notebooks() -> None:
    assert {path.stem for path in NOTEBOOKS} == {"read_and_explain", "fine_tune_and_export"}
    assert spin_tf.__version__
