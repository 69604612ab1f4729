#!/usr/bin/env python3
"""How fast words are made on one core, and what each family of effects costs.

    benchmarks/synthesis.py [--fonts=DIR] [--backgrounds=DIR] [--words=2000] [--families] [--stages] [--workers=N]

Time is processor time of one process, so that a busy machine disturbs it little. Fonts are drawn once, on first use;
that time is told apart from the words'. --workers=N is measured by the clock instead: batches of 512 words, as training
under JAX gets them from N processes.
"""

from __future__ import annotations

import io
import pathlib
import sys
import time

from absl import app, flags
from PIL import Image

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from spin_tf.charset import Charset
from spin_tf.config import Config, ModelConfig, TrainingConfig
from spin_tf.synthesis import SynthesisConfig, WordSynthesizer, camera, layout, scene, warping
from spin_tf.synthesis.alphabet import DrawableWords
from spin_tf.synthesis.fonts import GlyphFont, find_fonts
from spin_tf.synthesis.probabilities import family_names
from spin_tf.synthesis.textures import find_photographs
from spin_tf.training.jax_words import WordStream

_FONTS = flags.DEFINE_string("fonts", None, "Folder of fonts; default: those of the system, or Pillow's own.")
_LEXICON = flags.DEFINE_string("lexicon", None, "Word list; default: a small vocabulary.")
_BACKGROUNDS = flags.DEFINE_string("backgrounds", None, "Folder of photographs; default: textures.")
_WORDS = flags.DEFINE_integer("words", 2000, "Words to time, three times; the best time counts.", lower_bound=10)
_STAGES = flags.DEFINE_bool("stages", False, "Also tell what part of a word's time each stage takes.")
_WORKERS = flags.DEFINE_integer("workers", 0, "Also time batches from this many processes.", lower_bound=0)
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


def shares_of_stages(synthesizer: WordSynthesizer, count: int) -> dict[str, float]:
    """Processor time of each stage, by the time of the whole word."""
    spent: dict[str, float] = {}

    def timed(stage: str, owner: object, name: str) -> None:
        function = getattr(owner, name)

        def call(*arguments: object, **options: object) -> object:
            start = time.process_time()
            try:
                return function(*arguments, **options)
            finally:
                spent[stage] = spent.get(stage, 0.0) + time.process_time() - start

        setattr(owner, name, call)

    timed("label and font", synthesizer, "_choose")
    timed("text plane: glyphs", layout, "set_text")
    timed("text plane: glyphs", layout, "change_weight")
    timed("pose", warping, "warp_plane")
    timed("scene", scene, "paint")
    timed("camera", camera, "photograph")
    start = time.process_time()
    for seed in range(count):
        synthesizer.word(seed)
    whole = time.process_time() - start
    return {stage: seconds / whole for stage, seconds in spent.items()}


def stream_speed(settings: dict[str, object], workers: int, batch_size: int = 512) -> float:
    """Words a second by the clock, from processes that have drawn their fonts."""
    config = Config(ModelConfig(charset="94"), training=TrainingConfig(batch_size=batch_size))
    with WordStream(config, settings, workers=workers) as words:
        for step in range(40 * workers):
            words.batch(step)
        start = time.perf_counter()
        for step in range(40 * workers, 60 * workers):
            words.batch(step)
        return 20 * workers * batch_size / (time.perf_counter() - start)


def main(argv: list[str]) -> None:
    if len(argv) > 1:
        raise app.UsageError(f"There are only flags. Received: {argv[1:]}")
    fonts = find_fonts(_FONTS.value) if _FONTS.value else None
    lexicon = DrawableWords.read([_LEXICON.value], Charset.from_spec("94")).words if _LEXICON.value else None
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
    if _WORKERS.value:
        settings = {"fonts": fonts, "lexicon": lexicon, "backgrounds": backgrounds}
        speed = stream_speed(settings, _WORKERS.value)
        print(f"batches from {_WORKERS.value} processes: {speed:.0f} words a second by the clock")
    if _FAMILIES.value:
        print(f"{'without':20s} ms a word")
        for family in family_names():
            ablated = SynthesisConfig().without(family)
            other = WordSynthesizer(fonts, lexicon, backgrounds, config=ablated)
            # The glyphs that are drawn already serve every configuration.
            other.fonts = synthesizer.fonts
            print(f"{family:20s} {1e3 * seconds_per_word(other, _WORDS.value, 2):.2f}")
    if _STAGES.value:
        # Last: the clocks that it puts in stay there.
        for stage, share in shares_of_stages(synthesizer, _WORDS.value).items():
            print(f"{stage:20s} {share:.0%}")


def _draw(font: GlyphFont) -> bool:
    try:
        return bool(font.glyphs)
    except OSError:
        return False


if __name__ == "__main__":
    app.run(main)
