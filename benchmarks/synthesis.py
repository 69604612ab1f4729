#!/usr/bin/env python3
"""How fast words are made on one core, and what each family of effects costs.

    benchmarks/synthesis.py [--fonts=DIR] [--backgrounds=DIR] [--words=2000] [--families]

Time is processor time of one process, so that a busy machine disturbs it little. Fonts are drawn once, on first use;
that time is told apart from the words'.
"""

from __future__ import annotations

import io
import pathlib
import sys
import time

from absl import app, flags
from PIL import Image

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from spin_tf.synthesis import SynthesisConfig, WordSynthesizer
from spin_tf.synthesis.config import family_names
from spin_tf.synthesis.fonts import GlyphFont, find_fonts
from spin_tf.synthesis.labels import read_lexicon
from spin_tf.synthesis.scene import find_photographs

_FONTS = flags.DEFINE_string("fonts", None, "Folder of fonts; default: those of the system, or Pillow's own.")
_LEXICON = flags.DEFINE_string("lexicon", None, "Word list; default: a small vocabulary.")
_BACKGROUNDS = flags.DEFINE_string("backgrounds", None, "Folder of photographs; default: textures.")
_WORDS = flags.DEFINE_integer("words", 2000, "Words to time, three times; the best time counts.", lower_bound=10)
_FAMILIES = flags.DEFINE_bool("families", False, "Also time the words without each family of effects.")


def seconds_per_word(synthesizer: WordSynthesizer, count: int, rounds: int = 3) -> float:
    """Processor seconds of one word: the best of some rounds over the same words."""
    best = float("inf")
    for _ in range(rounds):
        start = time.process_time()
        for seed in range(count):
            synthesizer.word(seed)
        best = min(best, (time.process_time() - start) / count)
    return best


def main(argv: list[str]) -> None:
    if len(argv) > 1:
        raise app.UsageError(f"There are only flags. Received: {argv[1:]}")
    fonts = find_fonts(_FONTS.value) if _FONTS.value else None
    lexicon = read_lexicon(_LEXICON.value) if _LEXICON.value else None
    backgrounds = find_photographs(_BACKGROUNDS.value) if _BACKGROUNDS.value else None
    synthesizer = WordSynthesizer(fonts, lexicon, backgrounds)

    start = time.process_time()
    usable = sum(1 for font in synthesizer.fonts.fonts if _draw(font))
    drawing = time.process_time() - start
    print(f"fonts drawn, once a process: {usable} in {drawing:.1f} s")
    whole = seconds_per_word(synthesizer, _WORDS.value)
    print(f"words: {1 / whole:.0f} a second of one core, {1e3 * whole:.2f} ms each")
    image = Image.fromarray(synthesizer.word(0)[0])
    start = time.process_time()
    for _ in range(1000):
        image.save(io.BytesIO(), "PNG", compress_level=1)
    print(f"writing one as PNG: {time.process_time() - start:.2f} ms")
    if _FAMILIES.value:
        print(f"{'without':20s} ms a word")
        for family in family_names():
            ablated = SynthesisConfig().without(family)
            other = WordSynthesizer(fonts, lexicon, backgrounds, config=ablated)
            # The glyphs that are drawn already serve every configuration.
            other.fonts = synthesizer.fonts
            print(f"{family:20s} {1e3 * seconds_per_word(other, _WORDS.value, 2):.2f}")


def _draw(font: GlyphFont) -> bool:
    try:
        return bool(font.glyphs)
    except OSError:
        return False


if __name__ == "__main__":
    app.run(main)
