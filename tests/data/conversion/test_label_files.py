"""Label files as other trainers and spreadsheets write them."""

from __future__ import annotations

import json
import pathlib

import pytest

from spin_tf.data.conversion.sources import csv_file, jsonl

WORDS = {"a.png": "Größe", "b.png": "a,b", "c.png": 'say "hi"', "d.png": "007", "e.png": "x;y"}


def columns(mark: str, head: str = "") -> str:
    def quoted(text: str) -> str:
        return '"{}"'.format(text.replace('"', '""')) if {mark, '"'} & set(text) else text

    return head + "".join(f"{name}{mark}{quoted(text)}\r\n" for name, text in WORDS.items())


@pytest.mark.parametrize(
    "content",
    [
        columns(";"),
        columns(";", "image;text\r\n"),
        columns(";", "\ufeffimage;text\r\n"),
        columns(";", "sep=;\r\nimage;text\r\n"),
        columns(";", "Filename;Label\n"),
        columns("|", "file|word\n"),
        columns(","),
        columns(",", "file,text\n"),
        columns(",", "sep=,\n"),
    ],
)
def test_columns_of_spreadsheets(tmp_path: pathlib.Path, content: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(content, encoding="utf-8", newline="")
    found = {entry.source_id: entry.text for entry in csv_file.entries(str(path), str(tmp_path))}
    assert found == WORDS


def test_further_columns_are_left_alone(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("id;image;note, if any;text\n1;a.png;,;abc\n", encoding="utf-8")
    (entry,) = csv_file.entries(str(path), str(tmp_path))
    assert (entry.source_id, entry.text) == ("a.png", "abc")
    # A semicolon in a label is one.
    path.write_text("a.png,x;y\n", encoding="utf-8")
    (entry,) = csv_file.entries(str(path), str(tmp_path))
    assert (entry.source_id, entry.text) == ("a.png", "x;y")


RECORDS = [{"file_name": name, "text": text} for name, text in WORDS.items()]
MMOCR = [{"img_path": name, "instances": [{"text": text}]} for name, text in WORDS.items()]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize(
    "document",
    [
        WORDS,
        {name: {"label": text} for name, text in WORDS.items()},
        RECORDS,
        {"annotations": RECORDS, "version": 2},
        {"metainfo": {"dataset_type": "TextRecogDataset"}, "data_list": MMOCR},
        [{"image": name, "label": text, "box": [0, 0, 1, 1]} for name, text in WORDS.items()],
    ],
)
def test_one_json_document(tmp_path: pathlib.Path, document: object, indent: int | None) -> None:
    path = tmp_path / "labels.json"
    path.write_text(json.dumps(document, indent=indent, ensure_ascii=indent is None), encoding="utf-8")
    assert {entry.source_id: entry.text for entry in jsonl.entries(str(path), str(tmp_path))} == WORDS


def test_lines_stay_lines_and_the_rest_is_counted(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in RECORDS) + "nonsense\n", encoding="utf-8")
    *good, bad = jsonl.entries(str(path), str(tmp_path))
    assert {entry.source_id: entry.text for entry in good} == WORDS and bad.problem == "bad_line"
    path.write_text(json.dumps([*RECORDS, {"file_name": "f.png"}, 3]), encoding="utf-8")
    assert [entry.problem for entry in jsonl.entries(str(path), str(tmp_path))][-2:] == ["bad_line"] * 2
    for content in ("", "[]", "[1", "3", '{"a": 1}', '{"a": "b", "c": 1}', "[" * 100_000):
        path.write_text(content, encoding="utf-8")
        assert all(entry.problem == "bad_line" for entry in jsonl.entries(str(path), str(tmp_path))), content[:20]
