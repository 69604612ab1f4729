"""What a visitor of the repository finds beside the code is true, and can be read by what reads it."""

from __future__ import annotations

import pathlib
import re

import pytest
from omegaconf import OmegaConf

from spin_tf._version import __version__
from tests.pages import REPOSITORY, targets


def load(path: pathlib.Path) -> dict:  # type: ignore[type-arg]
    values = OmegaConf.to_container(OmegaConf.load(path))
    assert isinstance(values, dict)
    return values


def test_citation_names_this_version_and_the_paper() -> None:
    citation = load(REPOSITORY / "CITATION.cff")
    assert citation["version"] == __version__ and citation["license"] == "Apache-2.0"
    for paper in (citation["preferred-citation"], *citation["references"]):
        assert paper["title"].startswith("SPIN: ") and paper["url"].endswith("2005.13117")
        # As AAAI's proceedings name them.
        names = [author["family-names"] for author in paper["authors"]]
        assert names == ["Zhang", "Xu", "Cheng", "Pu", "Niu", "Wu", "Zou"]
        assert (paper["doi"], paper["start"], paper["end"]) == ("10.1609/aaai.v35i4.16442", 3305, 3314)


def test_the_workflow_calls_targets_that_there_are() -> None:
    # `on` is a truth value to YAML 1.1: the text is read instead.
    text = (REPOSITORY / ".github" / "workflows" / "ci.yml").read_text()
    called = re.findall(r"- run: make (\w+)$", text, re.MULTILINE)
    makefile = (REPOSITORY / "Makefile").read_text()
    assert {"check", "test", "test_slow"} <= set(called)
    for name in called:
        assert re.search(rf"^{name}:", makefile, re.MULTILINE), name
    # Every Python that the metadata promises is tried.
    setup = (REPOSITORY / "setup.cfg").read_text()
    promised = re.findall(r"Python :: (3\.\d+)$", setup, re.MULTILINE)
    (tried,) = re.findall(r"python: \[(.*)\]", text)
    assert re.findall(r"3\.\d+", tried) == promised


@pytest.mark.parametrize("path", sorted((REPOSITORY / ".github/ISSUE_TEMPLATE").glob("*.yml")), ids=lambda p: p.stem)
def test_issue_forms_are_whole(path: pathlib.Path) -> None:
    form = load(path)
    assert form["name"] and form["description"]
    names = [field["id"] for field in form["body"]]
    assert len(set(names)) == len(names) >= 2
    assert any(field.get("validations", {}).get("required") for field in form["body"])
    for field in form["body"]:
        assert field["type"] in ("textarea", "input") and field["attributes"]["label"]


@pytest.mark.parametrize("name", ["SECURITY.md", "CODE_OF_CONDUCT.md", "CONTRIBUTING.md"])
def test_links_and_places_exist(name: str) -> None:
    text = (REPOSITORY / name).read_text(encoding="utf-8")
    for target in targets(text):
        assert (REPOSITORY / target).exists(), target
    for place in re.findall(r"`((?:spin_tf|tests|docs|bin)/[\w/.]+)`", text):
        assert "NAME" in place or (REPOSITORY / place).exists(), place
