"""Reads word images: one line an image, in the order given; the images of a folder come sorted by name.

bin/recognize.py [--model=PATH] [--format=text|jsonl] [--save_rectified=DIR] FILE_OR_FOLDER...
bin/recognize.py --server=http://HOST:8501/v1/models/NAME [--format=text|jsonl] FILE_OR_FOLDER...
bin/recognize.py --pattern='[A-Z]{2}[0-9]{2,4}' | --allowlist=0-9A-Z | --lexicon=FILE | --n_best=3 | --effort=high ...

Text lines are path<TAB>word<TAB>confidence, and as many more words and confidences as --n_best asks for; where nothing
that is allowed can be read, the word is empty and stderr says so. Files that cannot be read go to stderr with the
reason, the others are answered, and the exit code is 1.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
import sys
from collections.abc import Iterator

from absl import flags

from spin_tf.cli import _reading, _server
from spin_tf.cli._run import UserError
from spin_tf.recognizer import ReadError, Recognizer, Word

_FORMAT = flags.DEFINE_enum("format", "text", ["text", "jsonl"], "jsonl adds every character with confidence and place")
_SAVE_RECTIFIED = flags.DEFINE_string(
    "save_rectified", None, "folder for the images as the model's transformation made them; needs a .keras model"
)

flags.adopt_module_key_flags(_reading)
flags.adopt_module_key_flags(_server)

# Other files beside the images of a folder (labels, notes) are no mistake; a file named by the user is always tried.
_SUFFIXES = {".jpg", ".jpeg", ".png", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".pbm", ".pnm"}


def find_images(arguments: list[str]) -> Iterator[str]:
    """Yields the files named by the arguments; of a folder, its image files by name, without those of folders in it.

    Raises:
        UserError: a folder holds no image file.
    """
    for argument in arguments:
        folder = pathlib.Path(argument)
        if not folder.is_dir():
            yield argument
            continue
        images = sorted(
            str(path)
            for path in folder.iterdir()
            if path.suffix.lower() in _SUFFIXES and not path.name.startswith(".") and not path.is_dir()
        )
        if not images:
            raise UserError(f"the folder holds no image files ({', '.join(sorted(_SUFFIXES))}). Received: {argument}")
        yield from images


def format_word(path: str, word: Word, output_format: str) -> str:
    """Returns the output line of a word, without its line end."""
    if output_format == "jsonl":
        return json.dumps({"path": path, **dataclasses.asdict(word)}, ensure_ascii=False)
    readings = "\t".join(f"{reading.text}\t{reading.confidence:.4f}" for reading in (word, *word.alternatives))
    return f"{path}\t{readings}"


def save_rectified(recognizer: Recognizer, paths: list[str], folder: pathlib.Path) -> None:
    """Writes what the model's transformation makes of each image to `folder`, as PNG files of the same names."""
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    taken: set[str] = set()
    for path in paths:
        stem = name = pathlib.Path(path).stem
        number = 2
        while name in taken:
            name, number = f"{stem}-{number}", number + 1
        taken.add(name)
        Image.fromarray(recognizer.rectify(path)).save(folder / f"{name}.png")


def main(argv: list[str]) -> int:
    if len(argv) < 2:
        raise UserError("name the image files or folders to read, for example: bin/recognize.py word.png")
    paths = list(find_images(argv[1:]))
    _server.forbid_beside_server(*_reading.LOCAL, _SAVE_RECTIFIED)
    recognizer = _server.open_server() or _reading.open_recognizer()
    if _SAVE_RECTIFIED.value and not recognizer.can_rectify:
        raise UserError(
            "--save_rectified needs a .keras model or a model_dir: exported models only hold the way to the word. "
            f"Received: model={_reading.model_name() or 'the bundled model'}"
        )
    readable = []
    for path, word in zip(paths, recognizer.read_many(paths), strict=True):
        if isinstance(word, ReadError):
            print(f"{path}: {word.reason}", file=sys.stderr)
        else:
            print(format_word(path, word, _FORMAT.value))
            if word.reason:
                print(f"{path}: {word.reason}", file=sys.stderr)
            readable.append(path)
    if _SAVE_RECTIFIED.value and isinstance(recognizer, Recognizer):
        save_rectified(recognizer, readable, pathlib.Path(_SAVE_RECTIFIED.value))
    return 0 if len(readable) == len(paths) else 1
