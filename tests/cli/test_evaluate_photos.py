"""bin/evaluate_photos.py as a user runs it, on photographs that are drawn."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

import pytest

from tests import known_words
from tests.photo.pictures import draw_signs

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
SIGNS = [("Garden", 60, 60, 60), ("Market", 60, 220, 80), ("HOTEL", 480, 420, 50)]
MODEL = f"--model={known_words.FILE}"


def evaluate(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(REPOSITORY / "bin" / "evaluate_photos.py"), MODEL, *map(str, arguments)]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)


@pytest.fixture
def labelled(tmp_path: pathlib.Path) -> pathlib.Path:
    """Two photographs: of the second one word is illegible, one is labelled with another text."""
    lines = []
    for number, labels in enumerate([["Garden", "Market", "HOTEL"], ["###", "Supermarket", "Hotel"]]):
        picture, places = draw_signs(SIGNS)
        picture.save(tmp_path / f"{number}.png")
        words = [{"text": text, "polygon": place.tolist()} for text, place in zip(labels, places, strict=True)]
        lines.append(json.dumps({"image": f"{number}.png", "set": f"set{number}", "words": words}))
    (tmp_path / "photos.jsonl").write_text("\n".join(lines))
    # What finds the words: their places, and one more.
    _, places = draw_signs(SIGNS)
    boxes = [{"polygon": place.tolist()} for place in [*places, places[0] + (500, 0)]]
    (tmp_path / "boxes.jsonl").write_text(
        "".join(json.dumps({"path": f"{number}.png", "words": boxes}) + "\n" for number in range(2))
    )
    return tmp_path


def test_reading_and_counting(labelled: pathlib.Path) -> None:
    output = labelled / "out"
    result = evaluate(
        f"--data=mine={labelled / 'photos.jsonl'}",
        f"--detector={labelled / 'boxes.jsonl'}",
        f"--output={output}",
        "--min_confidence=0",
        "--allowlist=A-Za-z",
        "--min_probability=0",
    )
    assert result.returncode == 0, result.stderr
    report = json.loads((output / "results.json").read_text())
    assert list(report["sets"]) == ["mine/set0", "mine/set1", "all"]
    numbers = {
        name: [[one[key][k] for k in ("matched", "labelled", "found")] for key in ("found", "end_to_end")]
        for name, one in report["sets"].items()
    }
    # The fourth box is empty: nothing is read there, or something is invented.
    extra = numbers["mine/set0"][0][2] - 3
    assert extra in (0, 1)
    assert numbers["mine/set0"] == [[3, 3, 3 + extra], [3, 3, 3 + extra]]
    assert numbers["mine/set1"] == [[2, 2, 2 + extra], [1, 2, 2 + extra]]
    assert numbers["all"] == [[5, 5, 5 + 2 * extra], [4, 5, 5 + 2 * extra]]
    assert report["settings"]["comparison"] == "alphanumeric" and report["settings"]["allowlist"] == "A-Za-z"
    assert result.stdout == (output / "results.md").read_text()
    assert "| mine/set1 | 1 | 2 | " in result.stdout
    page = (output / "photos.html").read_text()
    assert page.count("data:image/jpeg;base64,") == 2
    assert "Supermarket → " in page and page.index("1.png") < page.index("0.png")
    # What was read is compared again, without a model.
    again = evaluate(f"--data=mine={labelled / 'photos.jsonl'}", f"--readings={output / 'readings.jsonl'}")
    assert (again.returncode, again.stdout) == (0, result.stdout)


def test_photographs_that_cannot_be_read_are_missed(labelled: pathlib.Path) -> None:
    (labelled / "1.png").write_bytes((labelled / "1.png").read_bytes()[:300])
    result = evaluate(
        f"--data=mine={labelled / 'photos.jsonl'}",
        f"--detector={labelled / 'boxes.jsonl'}",
        f"--output={labelled / 'out'}",
    )
    assert result.returncode == 1
    assert "1.png: " in result.stderr and "count as missed" in result.stderr
    assert "| mine/set1 | 1 | 2 | 0.0 | 0.0 | 0.0 | 2 | 0.0 | 0.0 | 0.0 |" in result.stdout
    assert "The picture cannot be read." in (labelled / "out" / "photos.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name at least one set"),
        (["--data=x"], "NAME=LABELS"),
        (["--data=x=absent.jsonl"], "No such file"),
        (["--data=x=setup.cfg"], "Labels are a folder"),
        (["--data=x={folder}/photos.jsonl", "--readings={folder}/photos.jsonl"], "readings are lines of"),
        (["--data=x={folder}/photos.jsonl", "--detector=absent.onnx"], "no such detector"),
        (["--data=x={folder}/photos.jsonl", "more"], "takes flags only"),
        (["--data=x={folder}/photos.jsonl", "--comparison=exact"], "--comparison"),
    ],
)
def test_mistakes_are_one_line(labelled: pathlib.Path, arguments: list[str], message: str) -> None:
    result = evaluate(*(argument.format(folder=labelled) for argument in arguments))
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("error: ") and result.stderr.count("\n") == 1
    assert message in result.stderr
