"""Reads word images: one line an image, in the order given; the images of a folder come sorted by name.

bin/recognize.py [--model=PATH] [--format=text|jsonl] [--save_rectified=DIR] FILE_OR_FOLDER...
bin/recognize.py --server=http://HOST:8501/v1/models/NAME [--format=text|jsonl] FILE_OR_FOLDER...
bin/recognize.py --pattern='[A-Z]{2}[0-9]{2,4}' | --allowlist=0-9A-Z | --lexicon=FILE | --n_best=3 | --effort=high ...

Text lines are path<TAB>word<TAB>confidence, and as many more words and confidences as --n_best asks for; where nothing
that is allowed can be read, the word is empty and stderr says so. A tab or line end in a path is written \\t or \\n,
a backslash doubled. Files that cannot be read, and folders without images, go to stderr with the reason; the others are
answered, and the exit code is 1.
"""

from __future__ import annotations

import pathlib

from absl import flags

from spin_tf._files import check_output_folder
from spin_tf.cli import _reading, _server
from spin_tf.cli._arguments import find_images
from spin_tf.cli._lines import format_word, show_path
from spin_tf.cli._run import UserError, without_native_chatter
from spin_tf.cli._streams import say
from spin_tf.recognizer import ReadError, Recognizer

_FORMAT = flags.DEFINE_enum("format", "text", ["text", "jsonl"], "jsonl adds every character with confidence and place")
_SAVE_RECTIFIED = flags.DEFINE_string(
    "save_rectified", None, "folder for the images as the model's transformation made them; needs a .keras model"
)

flags.adopt_module_key_flags(_reading)
flags.adopt_module_key_flags(_server)


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
    found = list(find_images(argv[1:]))
    paths = [path for path, problem in found if not problem]
    if not paths:
        raise UserError("; ".join(f"{problem}. Received: {path}" for path, problem in found))
    _server.forbid_beside_server(*_reading.LOCAL, _SAVE_RECTIFIED)
    recognizer = _server.open_server() or _reading.open_recognizer()
    if _SAVE_RECTIFIED.value and not recognizer.can_rectify:
        raise UserError(
            "--save_rectified needs a .keras model or a model_dir: exported models only hold the way to the word. "
            f"Received: model={_reading.model_name() or 'the bundled model'}"
        )
    if _SAVE_RECTIFIED.value:
        check_output_folder(_SAVE_RECTIFIED.value)
    readable = []
    with without_native_chatter():
        words = iter(recognizer.read_many(paths))
        for path, problem in found:
            word = ReadError(problem) if problem else next(words)
            if isinstance(word, ReadError):
                say(f"{show_path(path)}: {word.reason}")
                continue
            print(format_word(path, word, _FORMAT.value))
            if word.reason:
                say(f"{show_path(path)}: {word.reason}")
            readable.append(path)
        if _SAVE_RECTIFIED.value and isinstance(recognizer, Recognizer):
            save_rectified(recognizer, readable, pathlib.Path(_SAVE_RECTIFIED.value))
    return 0 if len(readable) == len(found) else 1
