"""From the published checkpoint to the exported LiteRT file, and from an image file to a word."""

from __future__ import annotations

import pathlib
import pickle
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from spin_tf.charset import Tokenizer
from spin_tf.contract.preprocessing import preprocess
from spin_tf.export.tflite import convert
from spin_tf.importers.checkpoint import model_from_state_dict
from spin_tf.importers.naming import PADDLE
from spin_tf.importers.reference import ReferenceNetwork
from spin_tf.reading.litert import LiteRTInterpreter
from spin_tf.recognizer import Recognizer
from tests.published_checkpoint import published_state_dict, stored_goldens, word_images


def assert_meets(probabilities: np.ndarray, expected: np.ndarray) -> None:
    """Token ids equal and probabilities to 1e-3 up to the end of each word, where reading stops."""
    for ours, theirs in zip(probabilities, expected, strict=True):
        ends = np.flatnonzero(theirs.argmax(-1) == Tokenizer.END_ID)
        steps = ends[0] + 1 if len(ends) else len(theirs)
        np.testing.assert_array_equal(ours[:steps].argmax(-1), theirs[:steps].argmax(-1))
        np.testing.assert_allclose(ours[:steps], theirs[:steps], atol=1e-3)


@pytest.mark.slow
def test_exported_import_reads_what_the_published_network_reads() -> None:
    arrays, images = published_state_dict(PADDLE, 32), word_images()
    content = convert(model_from_state_dict(arrays))
    probabilities, positions = LiteRTInterpreter(content=content).predict_words(images.transpose(0, 2, 3, 1))
    assert_meets(probabilities, ReferenceNetwork(arrays).read(images))
    assert positions.min() >= 0 and positions.max() <= 1


def test_image_file_to_word(tmp_path: pathlib.Path) -> None:
    """Decoding, grey, size, range, network, characters: what the published pipeline makes of the same file."""
    arrays = published_state_dict(PADDLE, 32)
    rng = np.random.default_rng(1)
    model = model_from_state_dict(arrays)
    model.save(tmp_path / "model.keras")
    recognizer = Recognizer(tmp_path / "model.keras")
    for i in range(3):
        pixels = np.asarray(Image.fromarray(rng.integers(0, 256, (6, 15, 3), np.uint8)).resize((150, 48)))
        Image.fromarray(pixels).save(tmp_path / f"{i}.png")
        word = recognizer.read(tmp_path / f"{i}.png")
        probabilities = ReferenceNetwork(arrays).read(preprocess(pixels).transpose(2, 0, 1)[None])[0]
        assert word.text == Tokenizer(model.charset).decode(probabilities.argmax(-1))
        for character, row in zip(word.characters, probabilities, strict=False):
            assert abs(character.confidence - row.max()) < 1e-3


@pytest.mark.slow
def test_command_lines_meet_the_goldens(repository: pathlib.Path, tmp_path: pathlib.Path, shared: pathlib.Path) -> None:
    """The whole way with the published sizes: .pdparams, .keras, .tflite, and the stored numbers where they are."""
    stored = stored_goldens(shared)
    if stored is None:
        arrays, images = published_state_dict(PADDLE, 512), word_images()
        expected = ReferenceNetwork(arrays).read(images)
    else:
        arrays, images, expected = stored[0], stored[1]["images"], stored[1]["probabilities"]
    (tmp_path / "best_accuracy.pdparams").write_bytes(pickle.dumps(arrays, 2))
    for command in (
        ["import_checkpoint.py", f"--input={tmp_path / 'best_accuracy.pdparams'}", f"--output={tmp_path / 'ga.keras'}"],
        ["export_tflite.py", f"--model={tmp_path / 'ga.keras'}", f"--output={tmp_path / 'ga.tflite'}"],
    ):
        subprocess.run([sys.executable, str(repository / "bin" / command[0]), *command[1:]], check=True)
    content = (tmp_path / "ga.tflite").read_bytes()
    probabilities, _ = LiteRTInterpreter(content=content).predict_words(images.transpose(0, 2, 3, 1))
    assert_meets(probabilities, expected)
