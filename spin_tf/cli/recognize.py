"""Reads word images: one line an image, in the order given; the images of a folder come sorted by name.

bin/recognize.py [--model=PATH] [--format=text|jsonl] [--save_rectified=DIR] FILE_OR_FOLDER...
bin/recognize.py [--model=PATH] --explain=DIR FILE_OR_FOLDER...
bin/recognize.py --server=http://HOST:8501/v1/models/NAME [--format=text|jsonl] FILE_OR_FOLDER...
bin/recognize.py --pattern='[A-Z]{2}[0-9]{2,4}' | --allowlist=0-9A-Z | --lexicon=FILE | --n_best=3 | --effort=high ...

Text lines are path<TAB>word<TAB>confidence, and as many more words and confidences as --n_best asks for; where nothing
that is allowed can be read, the word is empty and stderr says so. A tab or line end in a path is written \\t or \\n,
a backslash doubled. Files that cannot be read, and folders without images, go to stderr with the reason; the others are
answered, and the exit code is 1. `-` is an image on standard input, and a pipe that is named is read as well; of a
file with several frames or pages the first is read, which stderr says. --explain writes DIR/explain.html: for each word
what every stage of the model made of it, where the model looked for each character and what else it thought of. Words
that are hardly more than a guess are named on stderr; --min_confidence leaves them out. What looks like a whole
photograph is answered too, and stderr names the command for those.
"""

from __future__ import annotations

import os
import pathlib

from absl import flags

from spin_tf._files import check_output_folder, write_text
from spin_tf.cli import _reading, _server
from spin_tf.cli._images import Sources, find_some_images
from spin_tf.cli._lines import UNSURE, UnsureWords, format_word, show_path
from spin_tf.cli._run import UserError, as_called, without_native_chatter
from spin_tf.cli._streams import say
from spin_tf.data.formats import further_frames
from spin_tf.photo.hint import photograph_hint
from spin_tf.recognizer import ReadError, Recognizer, Word

_FORMAT = flags.DEFINE_enum("format", "text", ["text", "jsonl"], "jsonl adds every character with confidence and place")
_SAVE_RECTIFIED = flags.DEFINE_string(
    "save_rectified", None, "folder for the images as the model's transformation made them; needs a .keras model"
)
_EXPLAIN = flags.DEFINE_string("explain", None, "folder for explain.html, a page of how each word was read")

# Some 50 kB each: a page of a whole data set would open in no browser.
MAX_EXPLAINED = 100

_TURN = _reading.define_turn()
flags.adopt_module_key_flags(_reading)
flags.adopt_module_key_flags(_server)


def save_rectified(recognizer: Recognizer, paths: list[str], folder: pathlib.Path, sources: Sources) -> None:
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
        Image.fromarray(recognizer.rectify(sources.image(path))).save(folder / f"{name}.png")


def write_explanation(recognizer: Recognizer, words: list[tuple[str, Word]], num_read: int, sources: Sources) -> None:
    """Writes explain.html of the first words of `num_read`; says how many are left out, and which images are gone."""
    from spin_tf.explanation.page import make_page
    from spin_tf.explanation.trace import trace

    traces = []
    for path, word in words:
        try:
            traces.append(trace(recognizer, sources.image(path), word, show_path(path)))
        except (OSError, ValueError) as error:
            say(f"{show_path(path)}: not explained: {ReadError.from_error(error).reason}")
    if len(words) < num_read:
        say(f"explain.html holds the first {len(words)} of {num_read} words")
    page = make_page(traces, _reading.model_name() or "the bundled model", recognizer.metadata, num_read)
    # A name that is no text has halves of characters.
    write_text(os.path.join(_EXPLAIN.value, "explain.html"), page, errors="backslashreplace")


def main(argv: list[str]) -> int:
    if len(argv) < 2:
        raise UserError("name the image files or folders to read, for example: bin/recognize.py word.png")
    found = find_some_images(argv[1:])
    _server.forbid_beside_server(*_reading.LOCAL, _TURN, _SAVE_RECTIFIED, _EXPLAIN)
    recognizer = _server.open_server() or _reading.open_recognizer()
    if _SAVE_RECTIFIED.value and not recognizer.can_rectify:
        raise UserError(
            "--save_rectified needs a .keras model, a model_dir or a .tflite file with the signature rectify. "
            f"Received: model={_reading.model_name() or 'the bundled model'}"
        )
    for folder in filter(None, (_SAVE_RECTIFIED.value, _EXPLAIN.value)):
        check_output_folder(folder)
    # A threshold of the user's own has said what shall become of such words.
    advice = "" if _server.is_asked() else f"--min_confidence={UNSURE:g} leaves such words out"
    unsure = UnsureWords(advice)
    sources = Sources(found, keep=bool(_SAVE_RECTIFIED.value or _EXPLAIN.value))
    readable: list[str] = []
    explained: list[tuple[str, Word]] = []
    with without_native_chatter():
        words = iter(recognizer.read_many(sources))
        for path, problem, is_pipe in found:
            word = ReadError(problem) if problem else next(words)
            if isinstance(word, ReadError):
                say(f"{show_path(path)}: {word.reason}")
                continue
            print(format_word(path, word, _FORMAT.value))
            if word.reason:
                say(f"{show_path(path)}: {word.reason}")
            if not is_pipe and (more := further_frames(path)):
                say(f"{show_path(path)}: only the first of its {more} is read")
            if not is_pipe and (hint := photograph_hint(path, word)):
                say(as_called(f"{show_path(path)}: {hint}"))
            else:
                unsure.add(path, word)
            readable.append(path)
            if _EXPLAIN.value and len(explained) < MAX_EXPLAINED:
                explained.append((path, word))
        if not _reading.has_min_confidence():
            unsure.tell()
        if _SAVE_RECTIFIED.value and isinstance(recognizer, Recognizer):
            save_rectified(recognizer, readable, pathlib.Path(_SAVE_RECTIFIED.value), sources)
        if _EXPLAIN.value and isinstance(recognizer, Recognizer):
            write_explanation(recognizer, explained, len(readable), sources)
    return 0 if len(readable) == len(found) else 1
