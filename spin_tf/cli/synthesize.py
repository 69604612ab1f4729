"""Draws words from fonts into TFRecords, or on a contact sheet to look at.

bin/synthesize.py --output=data/words --num_words=20000 [--fonts=DIR] [--lexicon=FILE] [--backgrounds=DIR]
bin/synthesize.py --contact_sheet=sheet.png --num_words=100
bin/synthesize.py --output=data/latin --charset=latin --languages=eu --size=32,128 --wide_size=32,256 --fonts=DIR
bin/synthesize.py --output=data/greek --charset=chars:αβγδεζηθικλμνξοπρστυφχψω --fonts=DIR

The same seed draws the same words. Without --fonts those of the system are taken, without --lexicon words of signs.
"""

from __future__ import annotations

import contextlib
import functools
import io
import multiprocessing
import sys
from collections.abc import Iterable, Iterator
from random import Random

from absl import flags
from PIL import Image

from spin_tf._files import check_output_file, write_atomically
from spin_tf._processes import ignore_interrupts, without_interrupts
from spin_tf._progress import ProgressBar
from spin_tf.charset import Charset
from spin_tf.cli._run import UserError, flags_only
from spin_tf.contract.preprocessing import IMAGE_SIZE
from spin_tf.synthesis import SynthesisConfig, WordSynthesizer
from spin_tf.synthesis.alphabet import DrawableWords, characters_of
from spin_tf.synthesis.figures import integer, pick
from spin_tf.synthesis.fonts import CHARACTERS, FontLibrary, find_fonts, select_families, system_fonts
from spin_tf.synthesis.labels import MAX_LENGTH, USUAL_LENGTH, cases
from spin_tf.synthesis.languages import frequent_words, split_words
from spin_tf.synthesis.probabilities import LabelShares
from spin_tf.synthesis.synthesizer import contact_sheet
from spin_tf.synthesis.textures import find_photographs
from spin_tf.synthesis.vocabulary import COMMON_WORDS

_OUTPUT = flags.DEFINE_string("output", None, "Prefix of the shards PREFIX-00000-of-000NN.tfrecord.")
_NUM_WORDS = flags.DEFINE_integer("num_words", 10000, "How many words to make.", lower_bound=1)
_FONTS = flags.DEFINE_string("fonts", None, "Folder of fonts; default: those of the system, or Pillow's own.")
_LEXICON = flags.DEFINE_list(
    "lexicon", None, "Word lists, one word a line, comma separated; default: a small vocabulary."
)
_CHARSET = flags.DEFINE_string(
    "charset",
    None,
    "Characters of words: 36, 62, 68, 94, latin, file:PATH or chars:...; default: the lexicon's and printable ASCII.",
)
_BACKGROUNDS = flags.DEFINE_string("backgrounds", None, "Folder of photographs to put behind words; default: textures.")
_SEED = flags.DEFINE_integer("seed", 0, "The same seed gives the same words.", lower_bound=0)
_WORKERS = flags.DEFINE_integer("workers", 1, "Processes; the words do not depend on it.", lower_bound=1)
_NUM_SHARDS = flags.DEFINE_integer("num_shards", 8, "Number of TFRecord files.", lower_bound=1)
_SIZE = flags.DEFINE_list("size", [*map(str, IMAGE_SIZE)], "Height and width of the images.")
_WIDE_SIZE = flags.DEFINE_list(
    "wide_size", None, "Height and width of images of crops more than five times as wide as high; default: --size."
)
_MAX_LENGTH = flags.DEFINE_integer("max_length", USUAL_LENGTH, "Longest label.", 1, MAX_LENGTH)
_SHARES = flags.DEFINE_list(
    "shares",
    [],
    "Shares of labels by kind, for example signs=0.1,long=0.1,codes=0.05,accents=0.2; words=1: words alone.",
)
_LANGUAGES = flags.DEFINE_list(
    "languages", [], "Also draw the frequent words of these languages (wordfreq's codes: de,fr,...; or eu for all)."
)
_LANGUAGE_WORDS = flags.DEFINE_integer("language_words", 10000, "Words of each language.", lower_bound=1)
_WORD_SPLIT = flags.DEFINE_enum(
    "word_split",
    "all",
    ["all", "train", "held_out"],
    "Which words of the languages: 1 in 20 is held out, by its letters.",
)
_EXCLUDE_FONTS = flags.DEFINE_string("exclude_fonts", None, "File of families of fonts to leave out, one a line.")
_ONLY_FONTS = flags.DEFINE_string("only_fonts", None, "File of families of fonts to draw from alone, one a line.")
_WITHOUT = flags.DEFINE_list("without", [], "Families of effects to leave out, for ablations, comma separated.")
_EFFECTS = flags.DEFINE_list("effects", [], "Families of effects with another probability: colour_only=0.02,...")
_STRENGTH = flags.DEFINE_float("strength", 1.0, "How frequent effects are: 0 is plain words, 1 the usual share.")
_CONTACT_SHEET = flags.DEFINE_string(
    "contact_sheet", None, "Draw the words on one picture instead of writing TFRecords."
)

_CHUNK = 100
_SHEET_LIMIT = 2000
_synthesizer: WordSynthesizer | None = None


def main(argv: list[str]) -> int:
    """Makes words as the flags say."""
    flags_only(argv)
    if (_OUTPUT.value is None) == (_CONTACT_SHEET.value is None):
        raise UserError("Say where the words go: either --output=PREFIX or --contact_sheet=FILE.")
    for path in (_CONTACT_SHEET.value, _OUTPUT.value and f"{_OUTPUT.value}.tfrecord"):
        if path is not None:
            check_output_file(path)
    settings = _settings()
    # A wrong folder, lexicon or family must be told before any process starts.
    synthesizer = WordSynthesizer(**settings)  # type: ignore[arg-type]
    if _CONTACT_SHEET.value is not None:
        count = min(_NUM_WORDS.value, _SHEET_LIMIT)
        seeds = (word_seed(_SEED.value, i) for i in range(count))
        sheet = contact_sheet(synthesizer.word(seed)[0] for seed in seeds)
        write_atomically(_CONTACT_SHEET.value, sheet.save)
        print(f"{_CONTACT_SHEET.value}: {count} words")
        return 0
    from spin_tf.data.records.tfrecord import ShardWriter, WordExample

    with ShardWriter(_OUTPUT.value, _NUM_SHARDS.value) as writer, _chunks(settings, synthesizer) as chunks:
        for words in _progress(chunks, _NUM_WORDS.value):
            for png, label in words:
                writer.write(WordExample(png, label, f"synth/{_SEED.value}/{writer.num_records}", "png"))
    print(f"{_OUTPUT.value}: {writer.num_records} words in {_NUM_SHARDS.value} shards")
    return 0


def word_seed(seed: int, index: int) -> int:
    """The seed of word `index` of a data set."""
    return (seed << 40) + index


def _settings() -> dict[str, object]:
    size = _size("size", _SIZE.value)
    wide_size = None if _WIDE_SIZE.value is None else _size("wide_size", _WIDE_SIZE.value)
    fonts = lexicon = backgrounds = found = None
    charset = None if _CHARSET.value is None else Charset.from_spec(_CHARSET.value)
    characters = None if charset is None else characters_of(charset)
    if _FONTS.value is not None:
        fonts = find_fonts(_FONTS.value)
        if not fonts:
            raise UserError(f"No .ttf, .otf or .ttc file in the folder of fonts. Received: fonts={_FONTS.value!r}")
    for path, keep in ((_EXCLUDE_FONTS.value, False), (_ONLY_FONTS.value, True)):
        if path is not None:
            fonts = select_families(system_fonts() if fonts is None else fonts, path, keep)
    words: list[str] = []
    if _LANGUAGES.value:
        words = frequent_words(_LANGUAGES.value, _LANGUAGE_WORDS.value, charset)
        words = {"all": words, **split_words(words)}[_WORD_SPLIT.value]
    if _LEXICON.value is not None or words:
        found = DrawableWords.read(_LEXICON.value or (), charset, words)
        characters = found.characters
    if characters is not None and characters != CHARACTERS:
        missing = FontLibrary(fonts, characters).missing()
        if missing:
            print(f"no font draws {missing[:60]}{'...' if len(missing) > 60 else ''}", file=sys.stderr)
        found = None if found is None else found.without(missing)
        characters = "".join(c for c in characters if c not in missing)
        if not characters:
            raise UserError(f"No font draws a character of the charset. Received: charset={_CHARSET.value!r}")
        if found is None:
            lexicon = _words_of(characters)
    if found is not None:
        lexicon = found.words
        if found.left_out:
            print(found.summary(), file=sys.stderr)
    if _BACKGROUNDS.value is not None:
        backgrounds = find_photographs(_BACKGROUNDS.value)
        if not backgrounds:
            raise UserError(f"No picture in the folder of backgrounds. Received: backgrounds={_BACKGROUNDS.value!r}")
    return {
        "fonts": fonts,
        "lexicon": lexicon,
        "backgrounds": backgrounds,
        "size": size,
        "characters": characters,
        "max_length": _MAX_LENGTH.value,
        "wide_size": wide_size,
        "shares": LabelShares.parse(_SHARES.value),
        "config": _config(),
    }


def _config() -> SynthesisConfig:
    """Families that are named with a probability keep it, whatever the strength."""
    config = SynthesisConfig().without(*_WITHOUT.value).scaled(_STRENGTH.value)
    return config.with_effects(_EFFECTS.value)


def _size(name: str, value: list[str]) -> tuple[int, ...]:
    try:
        return tuple(int(n) for n in value)
    except ValueError as error:
        raise UserError(f"--{name} takes height,width. Received: {name}={','.join(value)}") from error


def _words_of(characters: str) -> list[str] | None:
    """Words without a lexicon: those of signs (None) where they can be written, else random ones, always the same."""
    allowed = set(characters)
    if any(allowed.issuperset(form) for word in COMMON_WORDS for form in cases(word)):
        return None
    rng = Random(0)
    letters = [c for c in characters if c.isalpha()] or list(characters.strip())
    return ["".join(pick(rng, letters) for _ in range(integer(rng, 1, 12))) for _ in range(5000)]


@contextlib.contextmanager
def _chunks(settings: dict[str, object], synthesizer: WordSynthesizer) -> Iterator[Iterable[list[tuple[bytes, str]]]]:
    total, seed = _NUM_WORDS.value, _SEED.value
    ranges = [(seed, start, min(start + _CHUNK, total)) for start in range(0, total, _CHUNK)]
    if _WORKERS.value == 1:
        yield map(functools.partial(_make, synthesizer), ranges)
        return
    # Spawned, not forked: the same on every platform, and safe beside libraries that hold threads.
    context = multiprocessing.get_context("spawn")
    with without_interrupts():
        pool = context.Pool(_WORKERS.value, _start_worker, (settings,))
    with pool:
        yield pool.imap(_make_in_worker, ranges)


def _start_worker(settings: dict[str, object]) -> None:
    global _synthesizer
    ignore_interrupts()
    _synthesizer = WordSynthesizer(**settings)  # type: ignore[arg-type]


def _make_in_worker(span: tuple[int, int, int]) -> list[tuple[bytes, str]]:
    if _synthesizer is None:
        raise RuntimeError("The worker process was not started through _start_worker.")
    return _make(_synthesizer, span)


def _make(synthesizer: WordSynthesizer, span: tuple[int, int, int]) -> list[tuple[bytes, str]]:
    seed, start, stop = span
    words = []
    for index in range(start, stop):
        image, label = synthesizer.word(word_seed(seed, index))
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "PNG", compress_level=1)
        words.append((buffer.getvalue(), label))
    return words


def _progress(chunks: Iterable[list[tuple[bytes, str]]], total: int) -> Iterator[list[tuple[bytes, str]]]:
    done = 0
    with ProgressBar(total, "words") as bar:
        for words in chunks:
            yield words
            done += len(words)
            bar.move_to(done)
