"""bin/evaluate.py as a user runs it, on words that the strip model reads in a known way."""

from __future__ import annotations

import html.parser
import io
import json
import pathlib
import subprocess
import sys

import pytest
from PIL import Image

from spin_tf.data.records.tfrecord import ShardWriter, WordExample
from tests import strip_model as strips

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
# Label, what the picture shows. One mistake, one hidden by the protocol, one excluded.
FIRST = [("Ab", "ab"), ("c-d", "cd"), ("wide", "side"), ("!?", "x"), ("zz9", "zz9")]
SECOND = [("<b>ok</b>", "ok"), ("last", "last")]


def png(word: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(strips.draw(word)).save(buffer, format="PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    folder = tmp_path_factory.mktemp("data")
    for name, words in (("first", FIRST), ("second", SECOND)):
        with ShardWriter(str(folder / name), num_shards=2) as writer:
            for i, (label, shown) in enumerate(words):
                writer.write(WordExample(png(shown), label, f"{name}_{i}", "png"))
            if name == "second":
                writer.write(WordExample(b"no image", "gone", "second_broken", "png"))
    return folder


def evaluate(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "bin/evaluate.py", *map(str, arguments)]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)


def cells(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]


def test_table_and_files(strip_model: pathlib.Path, data: pathlib.Path, tmp_path: pathlib.Path) -> None:
    result = evaluate(
        f"--model={strip_model}",
        f"--data=one={data}/first-*",
        f"--data=two={data}/second-*",
        f"--output={tmp_path}/out",
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr == "two: 1 unreadable images count as wrong\n"
    rows = {row[0]: row[1:] for row in cells(result.stdout)}
    # 1 - NED: wide / side 3 of 4 right; <b>ok</b> is bokb, read as ok: 2 of 4 right; the unreadable one 0.
    assert rows["one"] == ["4", "1", "0", "3", "75.00", "30.06 to 95.44", "93.75"]
    assert rows["two"][:5] == ["3", "0", "1", "1", "33.33"]
    assert rows["two"][6] == "50.00"
    assert rows["all words"][:5] == ["7", "1", "1", "4", "57.14"]
    assert rows["all words"][6] == "75.00"
    assert rows["mean of sets"] == ["", "", "", "", "54.17", "", "71.88"]

    summary = json.loads((tmp_path / "out" / "results.json").read_text())
    assert summary["sets"]["one"]["correct"] == 3
    assert summary["sets"]["one"]["word_accuracy"] == 0.75
    assert summary["sets"]["one"]["interval_95"] == pytest.approx([0.3006, 0.9544], abs=1e-4)
    assert len(summary["sets"]["one"]["files"]) == 2
    assert summary["all_words"]["words"] == 7
    assert summary["mean_of_sets"]["word_accuracy"] == pytest.approx((3 / 4 + 1 / 3) / 2)
    assert summary["model"]["name"] == "strips"
    assert (tmp_path / "out" / "results.md").read_text().startswith(result.stdout.rstrip())

    lines = [json.loads(line) for line in (tmp_path / "out" / "predictions.jsonl").read_text().splitlines()]
    by_source = {line["source_id"]: line for line in lines}
    assert len(lines) == len(FIRST) + len(SECOND) + 1
    for name, words in (("first", FIRST), ("second", SECOND)):
        for i, (label, shown) in enumerate(words):
            assert (by_source[f"{name}_{i}"]["truth"], by_source[f"{name}_{i}"]["prediction"]) == (label, shown)
    assert by_source["first_3"]["correct"] is None
    assert by_source["second_broken"]["prediction"] is None


class _Page(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.bold: list[str] = []
        self.pictures = 0

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.pictures += tag == "img" and (dict(attributes)["src"] or "").startswith("data:image/png;base64,")

    def handle_data(self, text: str) -> None:
        if self.tags and self.tags[-1] == "b":
            self.bold.append(text)


def test_gallery_of_mistakes(strip_model: pathlib.Path, data: pathlib.Path, tmp_path: pathlib.Path) -> None:
    # What is inside a mistake, with pictures of its own, is for test_explain.py.
    options = [f"--model={strip_model}", f"--output={tmp_path}", "--gallery_explained=0"]
    result = evaluate(*options, f"--data=<i>set</i>={data}/*.tfrecord")
    assert result.returncode == 0, result.stderr
    page = _Page()
    text = (tmp_path / "errors.html").read_text()
    page.feed(text)
    assert page.tags.count("figure") == 3
    assert page.pictures == 2
    assert "<b>ok</b>" in page.bold
    assert "wide" in page.bold
    assert "&lt;i&gt;set&lt;/i&gt;" in text
    assert "Not an image" in text
    few = evaluate(*options, f"--data=a={data}/*.tfrecord", "--gallery_size=1")
    assert few.returncode == 0
    assert (tmp_path / "errors.html").read_text().count("<figure") == 1


def test_exact_protocol_and_repeated_names(strip_model: pathlib.Path, data: pathlib.Path) -> None:
    result = evaluate(
        f"--model={strip_model}", f"--data=all={data}/first-*", f"--data=all={data}/second-*", "--protocol=exact"
    )
    rows = {row[0]: row[1:] for row in cells(result.stdout)}
    assert rows["all"][:5] == ["8", "0", "1", "2", "25.00"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name at least one data set"),
        (["--data=words.tfrecord"], "NAME=GLOB"),
        (["--data=a=absent-*.tfrecord"], "No file matches"),
        (["--data=a=setup.cfg"], "setup.cfg"),
        (["extra", "--data=a=b"], "flags only"),
    ],
)
def test_mistakes_are_one_line(strip_model: pathlib.Path, arguments: list[str], message: str) -> None:
    result = evaluate(f"--model={strip_model}", *arguments)
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_no_words_are_no_result(strip_model: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """An empty set, and one of which the protocol leaves nothing, beside one that is measured."""
    for name, words in (("empty", []), ("marks", [("!?", "x")]), ("good", [("ab", "ab")])):
        with ShardWriter(str(tmp_path / name), num_shards=1) as writer:
            for label, shown in words:
                writer.write(WordExample(png(shown), label, "a", "png"))
    for name in ("empty", "marks"):
        data = f"--data={name}={tmp_path}/{name}-*"
        result = evaluate(f"--model={strip_model}", f"--data=good={tmp_path}/good-*", data, f"--output={tmp_path}/out")
        assert result.returncode == 2 and result.stdout == ""
        assert f"measures nothing. Received: --data={name}" in result.stderr
        assert not list((tmp_path / "out").iterdir())
    (tmp_path / "file").write_text("")
    result = evaluate(f"--data=a={tmp_path}/good-*", f"--output={tmp_path}/file/out")
    assert result.returncode == 2 and "cannot be written" in result.stderr


def test_two_models(
    strip_model: pathlib.Path, known_words: pathlib.Path, data: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    result = evaluate(
        f"--model={strip_model}", f"--compare_with={known_words}", f"--data=one={data}/first-*", f"--output={tmp_path}"
    )
    assert result.returncode == 0, result.stderr
    # The other model reads nothing in strips, the strip model three words of four.
    assert f"first: {strip_model}, second: {known_words}" in result.stdout
    assert "| one | 4 | 0 | 3 | 0 | 1 | 0.25 |" in result.stdout
    lines = [json.loads(line) for line in (tmp_path / "comparison.jsonl").read_text().splitlines()]
    assert sorted(line["truth"] for line in lines) == ["Ab", "c-d", "zz9"]
    assert {line["right"] for line in lines} == {"first"}
    assert "| one | 4 | 0 | 3 | 0 | 1 | 0.25 |" in (tmp_path / "comparison.md").read_text()
