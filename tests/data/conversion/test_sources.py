"""Every format: the real data set where it lies beside the clone, and a sample in its official structure."""

from __future__ import annotations

import json
import pathlib

import numpy as np
import pytest

from spin_tf.data.conversion.entry import Entry, EntryError, read_file, resolve
from spin_tf.data.conversion.sources import SOURCES, entries
from tests.data import samples


@pytest.mark.parametrize("source", sorted(SOURCES))
def test_samples_in_the_official_structure(source, tmp_path):
    path, expected = samples.make(source, tmp_path)
    found = list(entries(source, [path]))
    assert [(entry.source_id, entry.text) for entry in found] == expected
    assert not any(entry.problem for entry in found)
    assert all(Entry.from_json(entry.to_json()) == entry for entry in found)
    assert all(pathlib.Path(entry.path).exists() for entry in found)


def official(source: str, shared: pathlib.Path, folder: pathlib.Path) -> tuple[list[str], int, dict[str, str]]:
    """Input, number of words and some labels of a real data set, or of a made one of the same layout and size."""
    real = shared / "data" / "real"
    if source == "icdar":
        path, count, some = (
            real / "icdar2015" / "gt.txt",
            4468,
            {"word_1.png": "Genaxis Theatre", "word_1013.png": 'READER"'},
        )
        if not path.exists():
            lines = [f'word_{i}.png, "word"' for i in range(1, count + 1)]
            lines[0], lines[1012] = 'word_1.png, "Genaxis Theatre"', 'word_1013.png, "READER\\""'
            path = samples.write(folder / "gt.txt", "\ufeff" + "\r\n".join(lines))
        return [str(path)], count, some
    if source == "iiit5k":
        path = real / "iiit5k" / "traindata.mat"
        if not path.exists():
            import scipy.io

            rows = [("train/1009_2.png", "YOU")] + [(f"train/{i}.png", "W") for i in range(1999)]
            data = np.array(rows, [("ImgName", "O"), ("GroundTruth", "O")]).reshape(1, -1)
            path = folder / "traindata.mat"
            scipy.io.savemat(path, {"traindata": data})
        return [str(path)], 2000, {"train/1009_2.png": "YOU"}
    if source == "tsv":
        path = real / "svt" / "labels.txt"
        if not path.exists():
            names = "".join(f"images/{i}.jpg\tLIVING\n" for i in range(1, 258))
            path = samples.write(folder / "labels.txt", names)
        return [str(path)], 257, {"images/1.jpg": "LIVING"}
    if source == "mjsynth":
        paths, counts = [real / "mjsynth" / f"annotation_{part}.txt" for part in ("train", "test")], (803, 892)
        if not paths[0].exists():
            first = {0: "2697/6/466_MONIKER_49537.jpg", 1: "3000/7/182_slinking_71711.jpg"}
            for k, count in enumerate(counts):
                lines = [f"./{first[k]} 1"] + [f"./{k}/1/{i}_word_{i}.jpg {i}" for i in range(count - 1)]
                paths[k] = samples.write(folder / f"annotation_{k}.txt", "\n".join(lines))
        labels = {"2697/6/466_MONIKER_49537.jpg": "MONIKER", "3000/7/182_slinking_71711.jpg": "slinking"}
        return [str(path) for path in paths], sum(counts), labels
    if source == "born_digital":
        path, some = real / "born_digital", {}
        if path.exists():
            some = {"Challenge1_Training_Task12_Images/img_1.jpg#word1": "flying"}
            count = sum(1 for f in path.glob("*/gt_*.txt") for line in f.read_text("utf-8-sig").splitlines() if line)
            assert count == 4227
            return [str(path)], count, some
        for i in range(410):
            samples.write(folder / "images" / f"img_{i}.png", b"")
            lines = [f'0, 0, 9, 9, "w{k}"' for k in range(10 + (i < 127))]
            samples.write(folder / "gt" / f"gt_img_{i}.txt", "\n".join(lines))
        return [str(folder)], 4227, {"images/img_3.png#word2": "w1"}
    path = real / "icdar2003_sample" / "words.xml"
    if path.exists():
        return (
            [str(path)],
            path.read_text("iso-8859-1").count("<taggedRectangle "),
            {"apanar_06.08.2002/IMG_1293.JPG#word1": "Handle"},
        )
    words: samples.Tagged = {
        "a/1.jpg": [("Handle", (0.0, 0.0, 9.0, 9.0))] * 20,
        "a/2.jpg": [("x", (0.0, 0.0, 9.0, 9.0))] * 15,
    }
    return [samples.tagged_rectangles(folder, "words.xml", words)], 35, {"a/1.jpg#word1": "Handle"}


@pytest.mark.parametrize("source", ["icdar", "iiit5k", "tsv", "mjsynth", "born_digital", "icdar2003"])
def test_exact_counts_of_whole_data_sets(source, shared, tmp_path):
    inputs, count, some = official(source, shared, tmp_path)
    found = list(entries(source, inputs))
    assert len(found) == count
    assert not any(entry.problem for entry in found)
    assert len({entry.source_id for entry in found}) == count
    labels = {entry.source_id: entry.text for entry in found}
    assert {name: labels[name] for name in some} == some


def problems(source: str, path: pathlib.Path) -> list[str]:
    return [entry.problem for entry in entries(source, [str(path)])]


@pytest.mark.parametrize(
    ("source", "content", "expected"),
    [
        (
            "tsv",
            b"a.png\tb\nno tab\n\tno name\nc.png\t\n\xff.png\tx\n",
            ["", "bad_line", "bad_line", "", "label_not_utf8"],
        ),
        ("tsv", b'["a.png", "b.png"]\tboth\n[1]\tx\n[brackets].png\ty\n', ["", "", "bad_line", ""]),
        (
            "tsv",
            b"../a.png\tx\n/etc/passwd\tx\na/../../b\tx\na/../b\tx\nn\x00l\tx\n",
            ["path_outside_folder"] * 3 + ["", "path_outside_folder"],
        ),
        ("icdar", b'a.png, "x"\na.png, x\n"x"\n', ["", "bad_line", "bad_line"]),
        (
            "csv",
            b'a.png,x\n"a,b.png","x\ny"\na.png\na.png,x,y\nb.png,\xff\n',
            ["", "", "bad_line", "bad_line", "label_not_utf8"],
        ),
        ("csv", b"id,image,label,more\n1,a.png,x,y\n2,b.png\n", ["", "bad_line"]),
        (
            "jsonl",
            b'{"image":"a","label":"x"}\n{"image":"a"}\n[]\n{\n{"image":"a","text":3}\n{"image":"a","text":"\\ud800"}',
            [""] + ["bad_line"] * 5,
        ),
        ("mjsynth", b"./1/1/1_a_2.jpg 2\n./1/1/a.jpg 3\n", ["", "bad_line"]),
        ("svtp", b"a.jpg WORD\nalone\n", ["", "bad_line"]),
        ("cute80", b"a.jpg WORD 1 WORD\nb.jpg W\nc.jpg\n", ["", "", "bad_line"]),
    ],
)
def test_bad_lines_are_entries_with_a_problem(source, content, expected, tmp_path):
    assert problems(source, samples.write(tmp_path / "labels", content)) == expected


def test_labels_are_exact(tmp_path):
    label = " Ünï\u202etxet\x07 \u00a0,'\"<b> \x85x"
    path = samples.write(tmp_path / "labels.txt", f"a.png\t{label}\nb.png\ta\tb\n")
    assert [entry.text for entry in entries("tsv", [str(path)])] == [label, "a\tb"]


def test_several_label_files_and_roots(tmp_path):
    first = samples.write(tmp_path / "one" / "l.txt", "1.png\tA\n")
    second = samples.write(tmp_path / "two" / "l.txt", "1.png\tB\n")
    found = list(entries("tsv", [str(first), str(second)]))
    assert [(e.source_id, e.text) for e in found] == [("one/1.png", "A"), ("two/1.png", "B")]
    assert found[1].path == str(tmp_path / "two" / "1.png")
    images = [str(tmp_path / "images" / name) for name in ("x", "y")]
    assert [e.path for e in entries("tsv", [str(first), str(second)], images)] == [f"{i}/1.png" for i in images]
    assert [e.source_id for e in entries("tsv", [str(first), str(second)], images[:1])] == ["1.png", "1.png"]
    with pytest.raises(ValueError, match="Received: 3 roots, 2 inputs"):
        list(entries("tsv", [str(first), str(second)], ["a", "b", "c"]))


def test_icdar2003_word_level(tmp_path):
    words = '<image file="word/1/1.jpg" tag="self&amp;"/><image file="b.jpg"/>'
    xml = f'<?xml version="1.0" encoding="UTF-8"?><imagelist>{words}</imagelist>'
    found = list(entries("icdar2003", [str(samples.write(tmp_path / "word.xml", xml))]))
    assert [(e.source_id, e.text, e.problem) for e in found] == [
        ("word/1/1.jpg", "self&", ""),
        ("word.xml#line2", None, "bad_line"),
    ]


def test_hostile_xml(tmp_path):
    bomb = (
        '<!DOCTYPE t [<!ENTITY a "'
        + "x" * 100_000
        + '">'
        + "".join(f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(8))
        + "]><tagset><image><imageName>&i;</imageName></image></tagset>"
    )
    with pytest.raises(ValueError, match="no well-formed XML"):
        list(entries("svt", [str(samples.write(tmp_path / "a.xml", bomb))]))
    for encoding in ("no-such", "utf-7", "idna", "shift_jis", "rot13", "hex"):
        other = samples.write(tmp_path / "e.xml", f'<?xml version="1.0" encoding="{encoding}"?><tagset/>')
        with pytest.raises(ValueError, match="no well-formed XML"):
            list(entries("svt", [str(other)]))
    secret = samples.write(tmp_path / "secret", "secret")
    outside = f'<!DOCTYPE t [<!ENTITY e SYSTEM "file://{secret}">]><imagelist><image file="a" tag="&e;"/></imagelist>'
    with pytest.raises(ValueError, match="no well-formed XML"):
        list(entries("icdar2003", [str(samples.write(tmp_path / "b.xml", outside))]))


def test_inputs_that_cannot_be_used_say_why(tmp_path):
    label = samples.write(tmp_path / "l.txt", "a\tb\n")
    archive = samples.write(tmp_path / "l.zip", b"PK\x03\x04....")
    for source, path, match in [
        ("tsv", tmp_path / "absent", "does not exist"),
        ("tsv", tmp_path, "is a label file"),
        ("tsv", archive, "archive; extract it first"),
        ("lmdb", label, "is a folder"),
        ("lmdb", tmp_path, "no LMDB"),
        ("iiit5k", label, "no MATLAB file"),
        ("synthtext", label, "no MATLAB file"),
        ("svt", label, "no well-formed XML"),
        ("born_digital", tmp_path, "No ground truth file"),
        ("word", label, "source is one of"),
    ]:
        with pytest.raises((ValueError, OSError), match=match) as caught:
            list(entries(source, [str(path)]))
        assert "Received" in str(caught.value)


def test_mat_files_with_other_content(tmp_path):
    import scipy.io

    path = str(tmp_path / "gt.mat")
    scipy.io.savemat(path, {"other": np.arange(3)})
    with pytest.raises(ValueError, match="found=other"):
        list(entries("iiit5k", [path]))
    with pytest.raises(ValueError, match="no variable wordBB"):
        list(entries("synthtext", [path]))
    cells = np.empty((1, 2), object)
    cells[0, 0], cells[0, 1] = np.zeros((2, 4)), np.zeros((3, 3))
    names, texts = np.empty((1, 2), object), np.empty((1, 2), object)
    names[0, 0], names[0, 1], texts[0, 0], texts[0, 1] = "a.jpg", "b.jpg", "two words", "x"
    scipy.io.savemat(path, {"wordBB": cells, "txt": texts, "imnames": names})
    assert [e.detail for e in entries("synthtext", [path])] == [
        "a.jpg: 2 words and 1 boxes",
        "b.jpg: wordBB has the shape (3, 3)",
    ]


def test_corrupt_tfrecords_are_counted(tmp_path):
    path, _ = samples.make("tfrecord", tmp_path)
    shard = tmp_path / "foreign-00000-of-00002.tfrecord"
    shard.write_bytes(shard.read_bytes()[:-3])
    assert [e.problem for e in entries("tfrecord", [path])] == ["", "", "corrupt_tfrecord"]


@pytest.mark.parametrize("source", ["tsv", "csv", "icdar", "jsonl"])
def test_a_label_file_without_line_ends_is_read_in_pieces(source, tmp_path, monkeypatch):
    monkeypatch.setattr("spin_tf.data.conversion.entry.MAX_LINE", 1000)
    monkeypatch.setattr("spin_tf.data.conversion.sources.csv_file.MAX_LINE", 1000)
    path = samples.write(tmp_path / "labels", "x" * 5500)
    found = list(entries(source, [str(path)]))
    assert {entry.problem for entry in found} == {"bad_line"}
    assert max(len(entry.detail) for entry in found) < 300


def test_paths_stay_inside():
    assert resolve("root", "a/./b/../c.png") == "root/a/c.png"
    assert resolve("", "a.png") == "a.png"
    assert resolve("..", "..a.png") == "../..a.png"
    for name in ("..", "../root/a", "a/../../b", "/a", "", "a\0b"):
        with pytest.raises(EntryError, match="leads out"):
            resolve("root", name)


def test_only_regular_files_of_sane_size_are_read(tmp_path):
    import os

    os.mkfifo(tmp_path / "pipe")
    for path, reason in [
        (tmp_path / "pipe", "unreadable_file"),
        (tmp_path, "unreadable_file"),
        (tmp_path / "x", "missing_file"),
    ]:
        with pytest.raises(EntryError) as caught:
            read_file(str(path))
        assert caught.value.reason == reason
    with open(tmp_path / "huge", "wb") as file:
        file.truncate(4 << 30)
    with pytest.raises(ValueError, match="4294967296 bytes"):
        read_file(str(tmp_path / "huge"))


def test_art_scenes_and_words_nobody_is_asked_to_read(tmp_path):
    samples.write(tmp_path / "train_images" / "gt_7.jpg", samples.picture(60, 40, format="JPEG"))
    curved = [[5, 30], [20, 5.5], [40, 6], [55, 30], [40, 22], [20, 21]]
    word = {"points": curved, "language": "Latin", "illegibility": False}
    words = [
        word | {"transcription": "arch"},
        word | {"transcription": "字", "language": "Chinese"},
        word | {"transcription": "blur", "illegibility": True},
        word | {"transcription": "nowhere", "points": [[1, 2], [None, 3], [4, 5]]},
        {"points": curved},
        "text",
    ]
    path = samples.write(tmp_path / "train_labels.json", json.dumps({"gt_7": words}))
    found = list(entries("art", [str(path)]))
    assert [(e.text, e.problem) for e in found] == [
        ("arch", ""),
        ("字", "other_script"),
        ("blur", "illegible"),
        (None, "bad_line"),
        (None, "bad_line"),
        (None, "bad_line"),
    ]
    assert found[0].box == (5, 5, 55, 30)
    assert found[0].path.endswith("train_images/gt_7.jpg")


def test_cocotext_says_of_each_word_why_it_is_none(tmp_path):
    good = {"image_id": 1, "utf8_string": " spaced ", "bbox": [1, 2, 10, 5], "legibility": "legible"}
    words = {
        "1": good,
        "2": good | {"language": "not english"},
        "3": good | {"legibility": "illegible"},
        "4": good | {"utf8_string": "."},
        "5": {"image_id": 1, "legibility": "legible"},
        "6": good | {"bbox": [1, 2, float("inf"), 5]},
        "7": good | {"points": [1, 2, 8, 2, 9, 3, 8, 9, 1, 9], "utf8_string": "five corners"},
        "8": good | {"points": [1, 2, 8, 2], "utf8_string": "no area"},
    }
    path = samples.write(
        tmp_path / "labels.json",
        json.dumps({"imgs": {"1": {"file_name": "a.jpg", "set": "train"}, "2": {"set": "train"}}, "anns": words}),
    )
    found = list(entries("cocotext", [str(path)]))
    problems = ["", "other_script", "illegible", "illegible", "illegible", "bad_line", "", "bad_line", "bad_line"]
    assert [e.problem for e in found] == problems
    assert found[0][:4] == ("train/a.jpg#1", "spaced", str(tmp_path / "a.jpg"), (1, 2, 11, 7))
    assert found[6].box == (1, 2, 9, 9)


@pytest.mark.parametrize("source", ["art", "cocotext"])
@pytest.mark.parametrize("content", ["[1]", "{", "\x00", '{"a": 1}'])
def test_files_that_are_no_such_json_are_one_error(tmp_path, source, content):
    path = samples.write(tmp_path / "labels.json", content)
    if (source, content) == ("art", '{"a": 1}'):
        assert [e.problem for e in entries(source, [str(path)])] == ["bad_line"]
        return
    with pytest.raises(ValueError, match=r"labels\.json"):
        list(entries(source, [str(path)]))
