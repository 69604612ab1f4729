"""Decoding inside the graph: the numbers of `preprocess`, or a reason."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest
import tensorflow as tf

from spin_tf.contract.constants import TURNS
from spin_tf.contract.errors import ImageError
from spin_tf.contract.preprocessing import Preprocessing
from spin_tf.contract.turning import turned_views
from spin_tf.data.images import decode_image
from spin_tf.export.encoded_images import Views, views_of
from spin_tf.export.image_formats import REASONS
from spin_tf.export.reading_graph import read_encoded
from tests import strip_model
from tests.contract import make_cases
from tests.contract.make_cases import CASES, EXPECTED
from tests.export import image_files

PREPROCESSING = Preprocessing((32, 100), (32, 200))
_graph = tf.function(
    lambda files: tuple(views_of(files, PREPROCESSING)), input_signature=[tf.TensorSpec((None,), tf.string)]
)


def look(files: list[bytes]) -> tuple[list[dict[int, np.ndarray]], list[str]]:
    """What the graph makes of files: the views of each by degrees, none where it is refused, and the reasons."""
    result = Views(*(value.numpy() for value in _graph(tf.constant(files, tf.string))))
    views: list[dict[int, np.ndarray]] = [{} for _ in files]
    for view, owner, turn in zip([*result.narrow, *result.wide], result.owners, result.turns, strict=True):
        views[result.files[owner]][TURNS[turn]] = view
    return views, [REASONS[code] for code in result.reasons]


def same(actual: dict[int, np.ndarray], file: bytes) -> bool:
    expected = {degrees: view for degrees, (view,) in turned_views(decode_image(file), PREPROCESSING).items()}
    return actual.keys() == expected.keys() and all(
        actual[t].shape == expected[t].shape and np.abs(actual[t] - expected[t]).max() <= 1e-5 for t in expected
    )


def test_every_kind_of_file_is_read_as_recognizer_reads_it_or_refused_by_reason() -> None:
    """All in one batch, so that each has broken and refused neighbours; tall and large images go another way."""
    files = {name: (data, "") for name, data in image_files.readable().items()}
    files |= image_files.refused() | image_files.broken()
    names = list(files)
    random.Random(0).shuffle(names)
    views, reasons = look([files[name][0] for name in names])
    assert dict(zip(names, reasons, strict=True)) == {name: files[name][1] for name in names}
    for name, actual in zip(names, views, strict=True):
        assert same(actual, files[name][0]) if files[name][1] == "" else not actual, name
    assert sum(len(actual) == 3 for actual in views) >= 5


def test_what_is_refused_is_read_by_recognizer_and_what_is_broken_is_not() -> None:
    for data, _ in image_files.refused().values():
        decode_image(data)
    for name, (data, _) in image_files.broken().items():
        with pytest.raises(ImageError):
            decode_image(data)
            pytest.fail(name)


@pytest.mark.parametrize("files", [[], [b""], [b"", b"text", b"\xff\xd8\xff"]])
def test_batches_without_an_image(files: list[bytes]) -> None:
    views, reasons = look(files)
    assert views == [{}] * len(files)
    assert len(reasons) == len(files) and all(reasons)


def test_damaged_files_are_never_read_otherwise() -> None:
    """Random damage to real kinds of file: read as `Recognizer` reads it, or refused."""
    rng = random.Random(4)
    sources = list(image_files.readable().values())
    files = []
    for _ in range(400):
        data = bytearray(rng.choice(sources))
        for _ in range(rng.randrange(1, 4)):
            data[rng.randrange(min(len(data), 900))] = rng.randrange(256)
        files.append(bytes(data[: rng.choice([len(data), rng.randrange(len(data)) + 1])]))
    views, reasons = look(files)
    read = 0
    for file, actual, reason in zip(files, views, reasons, strict=True):
        assert bool(actual) == (reason == "")
        if not actual:
            continue
        try:
            decode_image(file)
        except ImageError:
            # Pillow gives up where the checksum of a comment is wrong; libpng does not.
            continue
        read += 1
        assert same(actual, file)
    assert read > 20


def test_cases_are_read_as_expected() -> None:
    """Views of both sizes and all turns in one batch, and a batch without a wide one."""
    files = json.loads(EXPECTED.read_text(encoding="utf-8"))["files"]
    readers = [tf.function(strip_model.read_strips, autograph=False)] * 2
    read = tf.function(
        lambda encoded: read_encoded(encoded, readers, strip_model.CHARSET, make_cases.PREPROCESSING), autograph=False
    )
    for names in (list(files), ["plain.png", "broken_text.png", "tall.png"]):
        answer = read(tf.constant([(CASES / name).read_bytes() for name in names]))
        for i, name in enumerate(names):
            served = files[name]["served"]
            assert (answer["valid"][i], answer["reason"][i]) == (served == "", served.encode())
            if served == "" and files[name]["lossless"]:
                expected = files[name]["words"]["tall"]
                assert (answer["words"][i], answer["turned"][i]) == (expected["text"].encode(), expected["turned"]), (
                    name
                )
                np.testing.assert_allclose(answer["confidence"][i], expected["confidence"], rtol=1e-3, err_msg=name)


def test_cases_are_seen_as_expected() -> None:
    files = json.loads(EXPECTED.read_text(encoding="utf-8"))["files"]
    graph = tf.function(lambda encoded: tuple(views_of(encoded, make_cases.PREPROCESSING)), autograph=False)
    result = Views(*(v.numpy() for v in graph(tf.constant([(CASES / name).read_bytes() for name in files]))))
    assert [REASONS[code] for code in result.reasons] == [case["served"] for case in files.values()]
    seen: dict[str, dict[str, np.ndarray]] = {}
    for view, owner, turn in zip([*result.narrow, *result.wide], result.owners, result.turns, strict=True):
        seen.setdefault(list(files)[result.files[owner]], {})[str(TURNS[turn])] = view
    for name, case in files.items():
        if case["served"] == "":
            expected = {degrees: view for degrees, view in case["views"].items() if degrees != "180"}
            assert seen[name].keys() == expected.keys(), name
            for degrees, view in expected.items():
                assert list(seen[name][degrees].shape[:2]) == view["size"], name
                tolerance = 1e-5 if case["lossless"] else 0.02
                np.testing.assert_allclose(seen[name][degrees][::8, ::16, 0], view["sample"], rtol=0, atol=tolerance)
