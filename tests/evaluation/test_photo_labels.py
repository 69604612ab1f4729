"""Labels of photographs in the forms in which they are published."""

from __future__ import annotations

import json
import pathlib

import numpy as np
import pytest
from PIL import Image

from spin_tf.evaluation.photo_labels import read_labels


@pytest.fixture
def pictures(tmp_path: pathlib.Path) -> pathlib.Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in ("img_1.jpg", "img_2.png", "COCO_train2014_000000000009.jpg"):
        Image.new("RGB", (100, 60)).save(folder / name)
    return folder


def test_icdar_2015(tmp_path: pathlib.Path, pictures: pathlib.Path) -> None:
    labels = tmp_path / "gt"
    labels.mkdir()
    (labels / "gt_img_1.txt").write_bytes(
        "\ufeff1,2,31,2,31,12,1,12,Genaxis, Theatre\r\n5,5,9,5,9,9,5,9,###\r\n".encode()
    )
    (labels / "gt_img_2.txt").write_text('10, 20, 30, 40, "Joe\'s"\n')
    first, second = read_labels(str(labels), str(pictures), "ic15")
    assert (first.name, pathlib.Path(first.path).name) == ("ic15", "img_1.jpg")
    assert [(word.text, word.ignored) for word in first.words] == [("Genaxis, Theatre", False), ("###", True)]
    assert first.words[0].polygon == ((1, 2), (31, 2), (31, 12), (1, 12))
    # ICDAR 2013 writes boxes, and the text in quotes.
    assert [(word.text, word.polygon) for word in second.words] == [("Joe's", ((10, 20), (30, 20), (30, 40), (10, 40)))]


TOTAL_TEXT = """x: [[115 503 494 115]], y: [[322 346 426 404]], ornt: [u'm'], transcriptions: [u'nauGHTY']
x: [[ 10  20  30  40
  50  60]], y: [[1 2 3 4
  5 6]], ornt: [u'c'], transcriptions: [u"JOE'S"]
x: [[1 9 9 1]], y: [[1 1 9 9]], ornt: [u'#'], transcriptions: [u'#']
x: [[1 9 9 1]], y: [[1 1 9 9]], ornt: [u'h'], transcriptions: []
"""


def test_total_text_as_text(tmp_path: pathlib.Path, pictures: pathlib.Path) -> None:
    labels = tmp_path / "gt"
    labels.mkdir()
    (labels / "poly_gt_img_1.txt").write_text(TOTAL_TEXT)
    (photo,) = read_labels(str(labels), str(pictures), "tt")
    assert [(word.text, word.ignored) for word in photo.words] == [
        ("nauGHTY", False), ("JOE'S", False), ("#", True), ("", True)
    ]  # fmt: skip
    assert photo.words[0].polygon == ((115, 322), (503, 346), (494, 426), (115, 404))
    assert photo.words[1].polygon == tuple((10.0 * (i + 1), i + 1.0) for i in range(6))


def test_total_text_as_matrix(tmp_path: pathlib.Path, pictures: pathlib.Path) -> None:
    from scipy.io import savemat

    labels = tmp_path / "gt"
    labels.mkdir()
    rows = np.empty((2, 6), object)
    rows[0] = ["x:", np.array([[1, 9, 9, 5, 1]], np.int16), "y:", np.array([[1, 1, 9, 12, 9]], np.int16), "HALL", "c"]
    rows[1] = ["x:", np.array([[1, 9, 9, 1]], np.int16), "y:", np.array([[1, 1, 9, 9]], np.int16), "#", "#"]
    savemat(labels / "poly_gt_img_1.mat", {"polygt": rows})
    (labels / "poly_gt_img_1.txt").write_text(TOTAL_TEXT)
    (photo,) = read_labels(str(labels), str(pictures), "tt")
    assert [(word.text, word.ignored) for word in photo.words] == [("HALL", False), ("#", True)]
    assert photo.words[0].polygon == ((1, 1), (9, 1), (9, 9), (5, 12), (1, 9))


def test_coco_text(tmp_path: pathlib.Path, pictures: pathlib.Path) -> None:
    words = {
        "1": {"image_id": 9, "utf8_string": "STOP", "bbox": [1, 2, 30, 10], "legibility": "legible"},
        "2": {"image_id": 9, "bbox": [1, 2, 30, 10], "legibility": "illegible", "language": "english"},
        "3": {"image_id": 9, "utf8_string": "да", "bbox": [1, 2, 3, 4], "language": "not english"},
        "4": {"image_id": 9, "utf8_string": "UP", "mask": [1, 1, 9, 1, 9, 9], "legibility": "legible"},
    }  # fmt: skip
    content = {"imgs": {"9": {"id": 9, "file_name": "COCO_train2014_000000000009.jpg"}}, "anns": words}
    (tmp_path / "cocotext.json").write_text(json.dumps(content))
    (photo,) = read_labels(str(tmp_path / "cocotext.json"), str(pictures), "coco")
    assert [(word.text, word.ignored) for word in photo.words] == [
        ("STOP", False), ("", True), ("да", True), ("UP", False)
    ]  # fmt: skip
    assert photo.words[0].polygon == ((1, 2), (31, 2), (31, 12), (1, 12))
    assert photo.words[3].polygon == ((1, 1), (9, 1), (9, 9))


def test_json_lines_with_sets(pictures: pathlib.Path) -> None:
    """The pictures lie beside the labels."""
    place = [[1, 1], [9, 1], [9, 9], [1, 9], [0, 5]]
    lines = [
        {"image": "img_1.jpg", "set": "a", "words": [{"text": "one", "polygon": place}]},
        {"path": "img_2.png", "words": [{"text": "###", "polygon": place}]},
    ]
    (pictures / "photos.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n")
    first, second = read_labels(str(pictures / "photos.jsonl"), name="mine")
    assert (first.name, second.name) == ("mine/a", "mine")
    assert len(first.words[0].polygon) == 5 and second.words[0].ignored


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("gt/gt_img_1.txt", "1,2,3\n"),
        ("gt/gt_img_9.txt", "1,2,3,4,x\n"),
        ("gt/poly_gt_img_1.txt", "1,2,3,4,5,6,7,8,word\n"),
        ("gt/poly_gt_img_1.txt", "x: [[1 2]], y: [[1 2]], ornt: [u'm'], transcriptions: [u'a']\n"),
        ("gt/poly_gt_img_1.txt", "x: [[1 9 9]], y: [[1 1 9]], ornt: [u'm'], transcriptions: [__import__('os')]\n"),
        ("gt/poly_gt_img_1.mat", "no matrix"),
        ("labels.json", "{}"),
        ("labels.json", '{"imgs": {"9": {"file_name": "img_1.jpg"}}, "anns": {"1": {"image_id": 9}}}'),
        ("labels.json", '{"imgs": {"9": {"file_name": "img_1.jpg"}}, "anns": {"1": {"image_id": 8}}}'),
        ("labels.jsonl", "{}\n"),
        ("labels.jsonl", '{"image": "img_1.jpg", "words": [{"text": "a", "polygon": [[1]]}]}\n'),
        ("labels.jsonl", '{"image": "absent.jpg", "words": []}\n'),
        ("labels.jsonl", ""),
        ("labels.csv", "a,b"),
    ],
)
def test_broken_labels(tmp_path: pathlib.Path, pictures: pathlib.Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    with pytest.raises(ValueError, match="Received: ") as caught:
        read_labels(str(path.parent if path.parent.name == "gt" else path), str(pictures))
    assert "\n" not in str(caught.value)
