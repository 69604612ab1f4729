"""Small data sets in the official structure of each format, with real pictures."""

from __future__ import annotations

import io
import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from spin_tf.charset import Charset
from spin_tf.data.conversion.convert import convert, publish
from spin_tf.data.conversion.plan import Conversion
from spin_tf.data.conversion.word_reader import Checks
from spin_tf.data.records.tfrecord import RecordIndex, ShardWriter, WordExample, parse_example

# The words of each image: text and x, y, width, height.
Tagged = Mapping[str, Sequence[tuple[str, Sequence[float]]]]


def picture(width: int = 40, height: int = 16, seed: int = 0, format: str = "PNG") -> bytes:
    """A picture of coarse noise."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height // 4 + 1, width // 4 + 1, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(np.kron(pixels, np.ones((4, 4, 1), np.uint8))[:height, :width]).save(stream, format)
    return stream.getvalue()


def write(path: pathlib.Path, content: str | bytes) -> pathlib.Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def tagged_rectangles(folder: pathlib.Path, name: str, images: Tagged) -> str:
    """SVT's and ICDAR 2003's XML."""
    lines = ["<?xml version='1.0' encoding='ISO-8859-1'?>", "<tagset>"]
    for image, words in images.items():
        write(folder / image, picture(120, 80, format="JPEG"))
        lines += [f"<image><imageName>{image}</imageName><address>1 Way</address><lex>A,B</lex>"]
        lines += ['<Resolution x="120" y="80"/><taggedRectangles>']
        for text, (x, y, width, height) in words:
            box = f'height="{height}" width="{width}" x="{x}" y="{y}" offset="0.0" rotation="0.0" userName="admin"'
            lines.append(f"<taggedRectangle {box}><tag>{text}</tag><segmentation/></taggedRectangle>")
        lines.append("</taggedRectangles></image>")
    return str(write(folder / name, "\n".join([*lines, "</tagset>"]).encode("iso-8859-1")))


def make(source: str, folder: pathlib.Path) -> tuple[str, list[tuple[str, str | None]]]:
    """Makes the sample of a source; returns its input and the ids and labels expected of it, in order."""
    folder.mkdir(parents=True, exist_ok=True)
    if source in ("tsv", "csv", "jsonl", "svtp", "cute80", "icdar", "mjsynth"):
        return _label_file(source, folder)
    if source in ("art", "cocotext", "cocotext_words"):
        return _challenge(source, folder)
    if source == "born_digital":
        images, truth = folder / "Challenge1_Training_Task12_Images", folder / "Challenge1_Training_Task1_GT"
        write(images / "img_2.png", picture(60, 40))
        write(images / "img_10.jpg", picture(60, 40, format="JPEG"))
        write(truth / "gt_img_2.txt", '0, 0, 19, 9, "a, b"\r\n20, 10, 29, 19, "\\"q\\""\r\n')
        write(truth / "gt_img_10.txt", '-2, 30, 39, 39, "C"\n')
        name = images.name
        return str(folder), [
            (f"{name}/img_2.png#word1", "a, b"),
            (f"{name}/img_2.png#word2", '"q"'),
            (f"{name}/img_10.jpg#word1", "C"),
        ]
    if source == "iiit5k":
        import scipy.io

        rows = [("train/1_1.png", "YOU"), ("train/1_2.png", "2B"), ("train/2_1.png", "007")]
        kind = [("ImgName", "O"), ("GroundTruth", "O"), ("smallLexi", "O"), ("mediumLexi", "O")]
        data = np.array([(name, text, np.empty((1, 0), object), np.empty((1, 0), object)) for name, text in rows], kind)
        for name, _ in rows:
            write(folder / name, picture())
        scipy.io.savemat(folder / "traindata.mat", {"traindata": data.reshape(1, -1)})
        return str(folder / "traindata.mat"), list(rows)
    if source == "svt":
        words: Tagged = {
            "img/a.jpg": [("LIVING", (5, 5, 60, 20)), ("ROOM", (5, 40, 30, 10))],
            "img/b.jpg": [("Thé", (0, 0, 120, 80))],
        }
        path = tagged_rectangles(folder, "train.xml", words)
        return path, [(f"{image}#word{i}", w[0]) for image, ws in words.items() for i, w in enumerate(ws, 1)]
    if source == "icdar2003":
        photographs: Tagged = {
            "apanar/IMG_1.JPG": [("Handle", (2.0, 3.0, 50.5, 20.0)), ("with", (60.0, 3.0, 40.0, 20.0))]
        }
        return tagged_rectangles(folder, "words.xml", photographs), [
            ("apanar/IMG_1.JPG#word1", "Handle"),
            ("apanar/IMG_1.JPG#word2", "with"),
        ]
    if source == "synthtext":
        return _synthtext(folder)
    if source == "lmdb":
        import lmdb

        labels = ["One", "two, 2", "Drei"]
        with lmdb.open(str(folder / "lmdb"), map_size=1 << 22) as database, database.begin(write=True) as transaction:
            transaction.put(b"num-samples", b"3")
            for i, word in enumerate(labels, 1):
                transaction.put(f"image-{i:09d}".encode(), picture(seed=i))
                transaction.put(f"label-{i:09d}".encode(), word.encode())
        return str(folder / "lmdb"), [(f"image-{i:09d}", word) for i, word in enumerate(labels, 1)]
    assert source == "tfrecord"
    with ShardWriter(str(folder / "foreign"), 2) as writer:
        for i in range(3):
            writer.write(WordExample(picture(seed=i), f"word{i}", "", ""))
    names = [f"foreign-0000{shard}-of-00002.tfrecord#{number}" for shard, number in ((0, 1), (0, 2), (1, 1))]
    return str(folder / "foreign-*"), [(name, None) for name in names]


def _challenge(source: str, folder: pathlib.Path) -> tuple[str, list[tuple[str, str | None]]]:
    """ArT's cropped words, COCO-Text's scenes, and the words that ICDAR 2017 cut out of them."""
    if source == "cocotext_words":
        for number in (1000343, 1000346):
            write(folder / "val_words" / f"{number}.jpg", picture(format="JPEG"))
        path = write(folder / "val_words_gt.txt", "1000343,|a, b|\n1000346,Tea\n")
        return str(path), [("val_words/1000343.jpg", "a, b"), ("val_words/1000346.jpg", "Tea")]
    if source == "art":
        labels = {}
        for i, text in enumerate(["Curved Text", "two"]):
            write(folder / "train_task2_images" / f"res_{i}.jpg", picture(format="JPEG"))
            labels[f"res_{i}"] = [{"transcription": text, "points": [], "language": "Latin", "illegibility": False}]
        path = write(folder / "train_task2_labels.json", json.dumps(labels))
        return str(path), [("res_0#word1", "Curved Text"), ("res_1#word1", "two")]
    write(folder / "COCO_train2014_000000000001.jpg", picture(60, 40, format="JPEG"))
    word = {"image_id": 1, "legibility": "legible", "language": "english", "class": "machine printed"}
    words = {
        "11": word | {"utf8_string": "boxed", "bbox": [2.5, 3.5, 30.0, 12.0]},
        "12": {"image_id": 1, "utf8_string": "tilted", "points": [5, 20, 50, 22, 50, 36, 5, 34]},
    }
    pictures = {"1": {"id": 1, "set": "val", "file_name": "COCO_train2014_000000000001.jpg", "width": 60, "height": 40}}
    path = write(
        folder / "cocotext.v2.json", json.dumps({"imgs": pictures, "anns": words, "imgToAnns": {"1": [11, 12]}})
    )
    name = "val/COCO_train2014_000000000001.jpg"
    return str(path), [(f"{name}#11", "boxed"), (f"{name}#12", "tilted")]


def _label_file(source: str, folder: pathlib.Path) -> tuple[str, list[tuple[str, str | None]]]:
    words = [("w/1.png", "Tiredness"), ("w/2.png", "kills"), ("w/3.png", "JOINT")]
    if source in ("tsv", "csv", "jsonl", "icdar"):
        words += [("w/4.png", 'say "hi", you'), ("w/5.png", "Größe 2"), ("w/6.png", "\\back\\")]
    if source == "mjsynth":
        words = [
            ("1/2/11_Slinking_5.jpg", "Slinking"),
            ("1/2/12_MONIKER_77.jpg", "MONIKER"),
            ("3/1/9_don't_8.jpg", "don't"),
        ]
    for i, (name, _) in enumerate(words):
        write(folder / name, picture(seed=i, format="JPEG" if name.endswith("jpg") else "PNG"))
    if source == "tsv":
        lines = "".join(f"{name}\t{text}\n" for name, text in words)
    elif source == "csv":
        lines = "\ufefffilename,words\r\n" + "".join('{},"{}"\r\n'.format(n, t.replace('"', '""')) for n, t in words)
    elif source == "jsonl":
        lines = "".join(json.dumps({"file_name": name, "text": text, "extra": 1}) + "\n" for name, text in words)
    elif source == "icdar":
        escaped = [(name, text.replace("\\", "\\\\").replace('"', '\\"')) for name, text in words]
        lines = "\ufeff" + "".join(f'{name}, "{text}"\r\n' for name, text in escaped)
    elif source == "svtp":
        lines = "".join(f"{name} {text}\n" for name, text in words)
    elif source == "cute80":
        lines = "".join(f"{name} {text} 1 {text}\n" for name, text in words)
    else:
        lines = "".join(f"./{name} {i}\n" for i, (name, _) in enumerate(words))
    return str(write(folder / f"labels.{source}", lines)), list(words)


def _synthtext(folder: pathlib.Path) -> tuple[str, list[tuple[str, str | None]]]:
    """gt.mat as MATLAB has it: cell arrays of 1 x pictures, boxes 2 x 4 x words in single precision."""
    import scipy.io

    write(folder / "8" / "ballet_1.jpg", picture(200, 120, format="JPEG"))
    write(folder / "9" / "sea_2.jpg", picture(200, 120, format="JPEG"))
    boxes = np.empty((1, 2), object)
    corners = [
        [(10, 10), (90, 20), (88, 50), (8, 40)],
        [(100, 60), (180, 60), (180, 90), (100, 90)],
        # A quarter of this one lies left of the picture, most of the next one below it.
        [(-10, 60), (40, 60), (40, 80), (-10, 80)],
        [(20, 115), (80, 115), (80, 135), (20, 135)],
    ]
    boxes[0, 0] = np.array(corners, np.float32).transpose(2, 1, 0)
    boxes[0, 1] = np.array([(5, 5), (60, 5), (60, 30), (5, 30)], np.float32).T
    texts, names = np.empty((1, 2), object), np.empty((1, 2), object)
    texts[0, 0] = np.array(["Lines:\nI lost ", "kevin"])
    texts[0, 1] = np.array(["alone"])
    names[0, 0], names[0, 1] = "8/ballet_1.jpg", "9/sea_2.jpg"
    scipy.io.savemat(folder / "gt.mat", {"wordBB": boxes, "txt": texts, "imnames": names, "charBB": boxes})
    words = [("8/ballet_1.jpg", i, word) for i, word in enumerate(["Lines:", "I", "lost", "kevin"], 1)]
    return str(folder / "gt.mat"), [(f"{n}#word{i}", w) for n, i, w in [*words, ("9/sea_2.jpg", 1, "alone")]]


CHECKS = Checks(Charset.from_spec("94").to_dict())


def words_of(prefix: object) -> list[WordExample]:
    return [parse_example(record) for record in RecordIndex(f"{prefix}-*.tfrecord")]


def run(source: str, inputs: list[str], output: pathlib.Path, workers: int = 1, **options: Any) -> dict[str, Any]:
    conversion = Conversion(source, inputs, str(output), **{"checks": CHECKS, "num_shards": 3, **options})
    statistics = convert(conversion, workers)
    publish(conversion)
    return statistics.to_report()
