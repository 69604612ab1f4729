"""Reads photographs: finds their words, reads them, and writes them in reading order.

bin/read_photo.py [--format=text|jsonl|hocr] [--annotate=DIR] FILE_OR_FOLDER...
bin/read_photo.py --detector=FILE.onnx | --detector=boxes.jsonl | --detector=FOLDER_OF_BOXES ...
bin/read_photo.py --region=LEFT,TOP,RIGHT,BOTTOM --min_height=12 --min_confidence=0.6 ...
bin/read_photo.py --pattern='[A-Z]{2}[0-9]{2,4}' | --allowlist=0-9A-Z | --lexicon=FILE | --n_best=3 | --effort=high ...

text: path<TAB>words, a line for each line of words. jsonl: a line for each photograph: path, width, height, turned, and
words with text, confidence, polygon (four [x, y] in pixels of the upright picture, clockwise from the upper left of the
word), line, the detector's score, and alternatives under --n_best. hocr: one HTML document, a page for each photograph.
--annotate=DIR also draws boxes and words on each picture, as DIR/NAME.jpg. A tab or line end in a path is written \\t
or \\n, a backslash doubled. Files that cannot be read, and folders without images, go to stderr with the reason; the
others are answered, and the exit code is 1.
"""

from __future__ import annotations

from absl import flags

from spin_tf._progress import ProgressBar
from spin_tf.cli import _photos
from spin_tf.cli._images import Sources, find_some_images
from spin_tf.cli._lines import format_photo, show_path
from spin_tf.cli._run import UserError, without_native_chatter
from spin_tf.cli._streams import say
from spin_tf.photo import hocr
from spin_tf.photo.annotate import Annotations
from spin_tf.recognizer import ReadError

flags.adopt_module_key_flags(_photos)

_FORMAT = flags.DEFINE_enum("format", "text", ["text", "jsonl", "hocr"], "what is written to stdout")
_ANNOTATE = flags.DEFINE_string("annotate", None, "folder for the photographs with boxes and words drawn on them")
_REGION = flags.DEFINE_list(
    "region", None, "LEFT,TOP,RIGHT,BOTTOM in pixels of the upright picture: only there words are looked for"
)


def parse_region(values: list[str] | None) -> tuple[float, float, float, float] | None:
    """The numbers of --region.

    Raises:
        UserError: not four numbers.
    """
    if values is None:
        return None
    try:
        left, top, right, bottom = map(float, values)
    except ValueError as error:
        raise UserError(f"a region is LEFT,TOP,RIGHT,BOTTOM. Received: --region={','.join(values)}") from error
    return left, top, right, bottom


def main(argv: list[str]) -> int:
    if len(argv) < 2:
        raise UserError("name the photographs or folders to read, for example: bin/read_photo.py street.jpg")
    region = parse_region(_REGION.value)
    found = find_some_images(argv[1:])
    annotations = Annotations(_ANNOTATE.value) if _ANNOTATE.value else None
    sources = Sources(found, keep=annotations is not None)
    reader = _photos.open_reader()
    num_read = 0
    with without_native_chatter(), ProgressBar(len(found), "photographs") as bar:
        photos = reader.read_many(sources, region)
        if _FORMAT.value == "hocr":
            print(hocr.begin())
        for done, (path, problem, _) in enumerate(found, start=1):
            photo = ReadError(problem) if problem else next(photos)
            if isinstance(photo, ReadError):
                say(f"{show_path(path)}: {photo.reason}")
            else:
                if text := format_photo(path, photo, _FORMAT.value, num_read):
                    print(text, flush=True)
                num_read += 1
                if annotations:
                    annotations.write(path, sources.image(path), photo)
            bar.move_to(done)
        if _FORMAT.value == "hocr":
            print(hocr.END)
    return 0 if num_read == len(found) else 1
