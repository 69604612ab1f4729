"""What ships, exported/results.json and the documents belong together: nothing is measured here."""

from __future__ import annotations

import copy
import hashlib
import json
import pathlib
import re
import subprocess
import sys

import pytest

from benchmarks.pages import split_page, write_measured
from spin_tf.reading.litert import read_metadata
from spin_tf.recognizer import bundled_model
from tests.pages import REPOSITORY
from tools import release_pages

RESULTS = json.loads((REPOSITORY / release_pages.RESULTS).read_text(encoding="utf-8"))


def outside(page: str) -> str:
    """What people write of a page."""
    return re.sub(r"<!-- measured by .*?<!-- until here -->", "", page, flags=re.DOTALL)


def test_the_results_belong_to_the_file_that_ships() -> None:
    model, content = RESULTS["model"], (REPOSITORY / "exported" / "spin.tflite").read_bytes()
    assert model["sha256"] == hashlib.sha256(content).hexdigest() and model["bytes"] == len(content)
    metadata = read_metadata(bundled_model())
    assert model["name"] == metadata["name"] and model["charset"]["characters"] == metadata["charset"]["characters"]
    assert (REPOSITORY / "exported" / "weights" / model["name"]).is_dir()
    # What may be of another file says so; this may not.
    assert RESULTS["measured"]["validation"]["sha256"] == model["sha256"]
    words = RESULTS["measured"]["validation"]["figures"]["all_words"]
    assert words["words"] == 772 and words["correct"] > 600


@pytest.mark.parametrize(
    ("page", "source"), [part[:2] for part in release_pages.parts(RESULTS)], ids=lambda text: text.split(" ")[-1]
)
def test_documents_show_the_results(page: str, source: str) -> None:
    (text,) = [text for *where, text in release_pages.parts(RESULTS) if where == [page, source]]
    assert split_page(str(REPOSITORY / page), source)[1].strip() == text.strip(), "make release_model STEPS=write"


@pytest.mark.parametrize("page", ["README.md", "MODEL_CARD.md"])
def test_no_figure_of_the_model_is_written_by_hand(page: str) -> None:
    text = outside((REPOSITORY / page).read_text(encoding="utf-8"))
    assert re.findall(r"\d+\.\d+ (?:%|ms|MB|million)", text) == []


def test_figures_of_another_file_are_said_to_be() -> None:
    results = copy.deepcopy(RESULTS)
    results["model"] |= {"sha256": "0" * 64, "name": "newer"}
    before = RESULTS["measured"]["reading"]["model"]
    for text in (release_pages.headline(results), release_pages.speed(results)):
        assert f"the model before, `{before}`" in text
    printed = {source: text for _, source, text in release_pages.parts(results)}
    assert printed["benchmarks/kinds.py"].startswith(f"Measured with `{RESULTS['measured']['kinds']['model']}`, which")
    if RESULTS["measured"]["reading"]["sha256"] == RESULTS["model"]["sha256"]:
        assert "the model before" not in release_pages.headline(RESULTS)


def test_only_what_changed_is_written(tmp_path: pathlib.Path) -> None:
    for page in {page for page, *_ in release_pages.parts(RESULTS)}:
        (tmp_path / page).parent.mkdir(exist_ok=True)
        (tmp_path / page).write_bytes((REPOSITORY / page).read_bytes())
    assert release_pages.write_pages(RESULTS, tmp_path) == []
    results = copy.deepcopy(RESULTS)
    results["measured"]["second"]["figures"]["all_words"]["correct"] -= 1
    assert release_pages.write_pages(results, tmp_path) == ["MODEL_CARD.md"]
    card = (tmp_path / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert outside(card) == outside((REPOSITORY / "MODEL_CARD.md").read_text(encoding="utf-8"))


def test_parts_of_pages(tmp_path: pathlib.Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "a\n<!-- measured by x -->\n1\n<!-- until here -->\nb\n<!-- measured by y -->\n<!-- until here -->\n"
    )
    assert split_page(str(page), "x") == ("a\n", "1\n", "b\n<!-- measured by y -->\n<!-- until here -->\n")
    write_measured(str(page), "x", "2")
    assert [part.strip() for part in split_page(str(page), "x")[:2]] == ["a", "2"]
    for source in ("z", "x -->"):
        with pytest.raises(ValueError, match="A document has one place for tables between"):
            split_page(str(page), source)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--steps=measure,ship"], "Steps are calibrate, export, measure, write. Received: steps=ship"),
        (["--model=absent"], "Weights to calibrate and export are needed. Received: model='absent'"),
        (["--steps=measure", "--words=absent"], "The validation words are not there. Received: words='absent'"),
        (["--steps=measure", "--only=all"], "Received: only=all"),
    ],
)
def test_mistakes_are_told_in_one_line(arguments: list[str], message: str) -> None:
    command = [sys.executable, str(REPOSITORY / "tools" / "release_model.py"), *arguments]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 1 and message in result.stderr and result.stderr.count("\n") == 1, result.stderr
