"""A reader that is dropped is gone at once: nobody waits for Python's collector, which may come late or never."""

from __future__ import annotations

import contextlib
import gc
import pathlib
import pickle
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from spin_tf import Recognizer
from spin_tf.decoding.options import PER_IMAGE
from spin_tf.reading import litert
from spin_tf.reading.litert import LiteRTInterpreter
from spin_tf.reading.remote import RemoteRecognizer, ServerError

IMAGE = np.full((32, 100), 255, np.uint8)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[weakref.ref[Any]]]:
    """Every interpreter that is made, while nothing collects circles."""
    references: list[weakref.ref[Any]] = []

    class Watched(LiteRTInterpreter):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            references.append(weakref.ref(self))
            super().__init__(*arguments, **options)

    monkeypatch.setattr(litert, "LiteRTInterpreter", Watched)
    gc.collect()
    gc.disable()
    try:
        yield references
    finally:
        gc.enable()


def _read_one(recognizer: Recognizer) -> None:
    recognizer.read(IMAGE)


def _read_a_list(recognizer: Recognizer) -> None:
    recognizer.read([IMAGE] * 40)


def _stop_in_the_middle(recognizer: Recognizer) -> None:
    for _ in recognizer.read_many([IMAGE] * 200):
        break


def _fail(recognizer: Recognizer) -> None:
    with contextlib.suppress(ValueError):
        recognizer.read(b"no image")


def _fail_in_a_list(recognizer: Recognizer) -> None:
    with contextlib.suppress(ValueError):
        recognizer.read([IMAGE, b"no image", *[IMAGE] * 100])  # type: ignore[type-var]


def _read_elsewhere(recognizer: Recognizer) -> None:
    pickle.loads(pickle.dumps(recognizer)).read(IMAGE)


@pytest.mark.parametrize("use", [_read_one, _read_a_list, _stop_in_the_middle, _fail, _fail_in_a_list, _read_elsewhere])
def test_whatever_it_was_used_for(
    made: list[weakref.ref[Any]], use: Callable[[Recognizer], None], known_words: pathlib.Path
) -> None:
    use(Recognizer(known_words, num_threads=2))
    assert made and all(reference() is None for reference in made)


@pytest.mark.parametrize("options", [{"lexicon": ["sale"]}, {"pattern": "[a-z]+", "n_best": 3}, {"effort": 2}])
def test_however_it_decodes(made: list[weakref.ref[Any]], options: dict[str, Any], known_words: pathlib.Path) -> None:
    Recognizer(known_words, num_threads=2, **options).read([IMAGE] * 3)
    assert made and all(reference() is None for reference in made)


def test_words_of_single_images(made: list[weakref.ref[Any]], known_words: pathlib.Path) -> None:
    list(Recognizer(known_words, num_threads=1, lexicon=PER_IMAGE).read_many([IMAGE] * 2, [["sale"], ["exit"]]))
    assert made and all(reference() is None for reference in made)


def test_one_that_was_never_made(
    made: list[weakref.ref[Any]], known_words: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    with contextlib.suppress(ValueError):
        Recognizer(known_words, pattern="[")
    (tmp_path / "damaged.tflite").write_bytes(known_words.read_bytes()[200:])
    with contextlib.suppress(ValueError):
        Recognizer(tmp_path / "damaged.tflite")
    assert made and all(reference() is None for reference in made)


def test_one_behind_a_server() -> None:
    gc.collect()
    gc.disable()
    try:
        recognizer = RemoteRecognizer("http://127.0.0.1:9/v1/models/spin", retry_seconds=0)
        with contextlib.suppress(ServerError):
            recognizer.read([IMAGE] * 100)
        transport = weakref.ref(recognizer._transport)
        del recognizer
        assert transport() is None
    finally:
        gc.enable()
