"""Writes words with the project's own synthesis, reads them with the bundled model and shows both side by side.

bin/demo.py [--output=build/demo] [--num_words=12]

Where the research data lie beside the clone (../shared/data/real), a few photographed words are read as well.
"""

from __future__ import annotations

import pathlib
import time

from absl import flags
from PIL import Image

from spin_tf.cli._run import UserError, as_called, flags_only, without_native_chatter
from spin_tf.evaluation.metrics import normalize
from spin_tf.recognizer import ReadError, Recognizer
from spin_tf.synthesis.vocabulary import is_word

_OUTPUT = flags.DEFINE_string("output", "build/demo", "folder for the word images")
_NUM_WORDS = flags.DEFINE_integer("num_words", 12, "words to write", lower_bound=1)
_SEED = flags.DEFINE_integer("seed", 1, "the same seed writes the same words", lower_bound=0)
_REAL = flags.DEFINE_string("real", None, "folder of real words; by default ../shared/data/real")
_MODEL = flags.DEFINE_string("model", None, "what reads; the bundled model by default")

_NUM_REAL = 8
_REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


def write_words(folder: pathlib.Path, num_words: int, seed: int) -> list[tuple[pathlib.Path, str]]:
    """Writes generated words as PNG files; returns their paths and labels."""
    # Here, not above: finding the fonts of the system takes a moment.
    from spin_tf.synthesis import WordSynthesizer

    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("word_*.png"):
        path.unlink()
    synthesizer = WordSynthesizer()
    words: list[tuple[pathlib.Path, str]] = []
    number = seed << 40
    while len(words) < num_words:
        image, label = synthesizer.word(number)
        number += 1
        # Words that are spelt and cased as people do: others would look like mistakes of the reader.
        cased = label in (label.lower(), label.upper(), label.capitalize())
        if is_word(label) and cased and any(map(str.isalnum, label)):
            path = folder / f"word_{len(words):03d}.png"
            Image.fromarray(image).save(path)
            words.append((path, label))
    return words


def find_real_words(folder: pathlib.Path, num_words: int) -> list[tuple[pathlib.Path, str]]:
    """Returns photographed words that no model was trained on: those of svt/ that validation.txt names.

    Args:
        folder: holds validation.txt (one path a line) and svt/labels.txt (file<TAB>text).
        num_words: how many, spread over the list.
    """
    if not ((folder / "validation.txt").is_file() and (folder / "svt" / "labels.txt").is_file()):
        return []
    held_out = set((folder / "validation.txt").read_text(encoding="utf-8-sig").split())
    lines = (folder / "svt" / "labels.txt").read_text(encoding="utf-8-sig").splitlines()
    pairs = [line.split("\t", 1) for line in lines if "\t" in line]
    words = [(folder / "svt" / name, text) for name, text in pairs if f"svt/{name}" in held_out]
    return words[:: max(1, len(words) // num_words)][:num_words]


def show(recognizer: Recognizer, words: list[tuple[pathlib.Path, str]]) -> int:
    """Prints label, reading and confidence of each word; returns how many were read right."""
    right = 0
    print(f"{'':<6} {'written':<22} {'read as':<22} confidence")
    for (path, label), word in zip(words, recognizer.read_many(path for path, _ in words), strict=True):
        if isinstance(word, ReadError):
            raise UserError(f"{path}: {word.reason}")
        same = normalize(label) == normalize(word.text)
        right += same
        print(f"{'right' if same else 'wrong':<6} {label:<22} {word.text:<22} {word.confidence:10.2f}")
    return right


def main(argv: list[str]) -> int:
    flags_only(argv)
    start = time.perf_counter()
    with without_native_chatter():
        recognizer = Recognizer(_MODEL.value)
    print(f"Loaded the model in {time.perf_counter() - start:.2f} s; it reads {recognizer.charset.characters}")
    folder = pathlib.Path(_OUTPUT.value)
    words = write_words(folder, _NUM_WORDS.value, _SEED.value)
    print(f"\nWords written by the project's synthesis, in {folder}:")
    right, count = show(recognizer, words), len(words)
    real = find_real_words(pathlib.Path(_REAL.value or _REPOSITORY.parent / "shared/data/real"), _NUM_REAL)
    if real:
        print("\nPhotographed words of Street View Text, held out from training:")
        right, count = right + show(recognizer, real), count + len(real)
    print(f"\n{right} of {count} words right (case and punctuation aside).")
    print(as_called(f"Read one of them, or your own: bin/recognize.py {words[0][0]}"))
    return 0
