"""Words are pure functions of their seed, show their label, and every family of effects does something."""

from __future__ import annotations

import dataclasses
import hashlib
import pathlib
import random
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from spin_tf.synthesis import SynthesisConfig, WordSynthesizer
from spin_tf.synthesis.fonts import CHARACTERS, GlyphFont, find_fonts
from spin_tf.synthesis.layout import paste, set_line
from spin_tf.synthesis.probabilities import LabelShares, family_names

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
NOTHING = SynthesisConfig().without(*family_names())


@pytest.fixture(scope="module")
def fonts(shared: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> list[str] | None:
    """A few real fonts where there are some; None is the fonts of the system or Pillow's own."""
    folder = shared / "data" / "fonts"
    return find_fonts(folder)[::40] if folder.is_dir() else None


@pytest.fixture(scope="module")
def backgrounds(tmp_path_factory: pytest.TempPathFactory) -> list[pathlib.Path]:
    folder = tmp_path_factory.mktemp("backgrounds")
    noise = np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)
    for i in range(3):
        Image.fromarray(noise).resize((300, 200), Image.Resampling.BICUBIC).save(folder / f"{i}.jpg")
    (folder / "broken.jpg").write_bytes(b"no picture")
    return sorted(folder.iterdir())


@pytest.fixture(scope="module")
def synthesizer(fonts: list[str] | None, backgrounds: list[pathlib.Path]) -> WordSynthesizer:
    return WordSynthesizer(fonts, backgrounds=backgrounds)


def digest(words: list[tuple[np.ndarray, str]]) -> str:
    return hashlib.sha256(b"".join(image.tobytes() + label.encode() for image, label in words)).hexdigest()


def test_word_has_the_promised_form(synthesizer: WordSynthesizer) -> None:
    for seed in range(150):
        image, label = synthesizer.word(seed)
        assert image.shape == (32, 100) and image.dtype == np.uint8
        assert 1 <= len(label) <= 25 and set(label) <= set(CHARACTERS)
        assert image.std() > 5, f"seed {seed}: there is nothing on the picture of {label}"


def test_seed_decides_the_word_in_any_process_and_order(synthesizer: WordSynthesizer) -> None:
    code = (
        "import hashlib, sys\n"
        "from spin_tf.synthesis import WordSynthesizer\n"
        "fonts, backgrounds = (part.split('|') if part else None for part in sys.argv[1:])\n"
        "synthesizer = WordSynthesizer(fonts, backgrounds=backgrounds)\n"
        "words = [synthesizer.word(seed) for seed in reversed(range(30))][::-1]\n"
        "print(hashlib.sha256(b''.join(image.tobytes() + label.encode() for image, label in words)).hexdigest())\n"
    )
    paths = [font.path for font in synthesizer.fonts.fonts if font.path]
    arguments = ["|".join(paths), "|".join(synthesizer.photographs.paths)]
    result = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    words = [synthesizer.word(seed) for seed in range(30)]
    assert result.stdout.strip() == digest(words)
    assert digest(words) != digest([synthesizer.word(seed) for seed in range(30, 60)])


def test_generators_stand_in_for_a_seed(synthesizer: WordSynthesizer) -> None:
    for make in (random.Random, np.random.default_rng):
        one, two, other = make(5), make(5), make(6)
        words = [synthesizer.word(one) for _ in range(5)]
        assert digest(words) == digest([synthesizer.word(two) for _ in range(5)])
        assert digest(words) != digest([synthesizer.word(other) for _ in range(5)])
        assert len({label for _, label in words}) > 1


@pytest.mark.parametrize("family", family_names())
def test_family_changes_pixels_and_nothing_else(family: str, fonts: list[str] | None) -> None:
    # What stands around a word shows where the crop leaves room for it.
    base = NOTHING
    if family in ("neighbours", "lines"):
        base = dataclasses.replace(NOTHING, loose_crop=1.0, rotation=1.0)
    # Faces of codes, numbers and apostrophes need such labels.
    labels = {"monospace": LabelShares(0, 0, 1, 0, 0), "typographic": LabelShares(0, 0, 0, 0, 1)}.get(family)
    lexicon = {"typographic": ["don't", "men's"], "seven_segment": ["10:45", "88.5"]}.get(family)
    few = _two_faces(fonts) if family == "monospace" else fonts and fonts[:2]
    off = WordSynthesizer(few, lexicon, config=base, shares=labels)
    on = WordSynthesizer(few, lexicon, config=dataclasses.replace(base, **{family: 1.0}), shares=labels)
    changed = 0
    for seed in range(24):
        (before, label), (after, same) = off.word(seed), on.word(seed)
        assert label == same
        changed += not np.array_equal(before, after)
    # A few families leave most words alone: small capitals need capitals, a vertical word must be short.
    assert changed >= (1 if family == "vertical" else 2 if family in ("small_capitals", "lines") else 9)


def _two_faces(fonts: list[str] | None) -> list[str] | None:
    """One monospaced font, and one that is not."""
    if fonts is None:
        pytest.skip("no collection of fonts")
    folder = pathlib.Path(fonts[0]).parents[1]
    return [str(folder / "ubuntumono" / "UbuntuMono-Regular.ttf"), str(folder / "abel" / "Abel-Regular.ttf")]


def test_family_that_is_off_leaves_the_others_alone(fonts: list[str] | None) -> None:
    """With blur off, words that were not blurred are the same to the last bit."""
    everything = WordSynthesizer(fonts)
    ablated = WordSynthesizer(fonts, config=SynthesisConfig().without("blur"))
    same = sum(np.array_equal(everything.word(seed)[0], ablated.word(seed)[0]) for seed in range(200))
    share = 1 - (1 - SynthesisConfig().clean) * SynthesisConfig().blur
    assert abs(same / 200 - share) < 0.12


def test_picture_shows_its_label(fonts: list[str] | None) -> None:
    """Without effects a picture is its label, drawn plainly: it looks like that label more than like another's."""
    config = dataclasses.replace(NOTHING, dark_text=0.0)
    path = fonts[0] if fonts else None
    synthesizer = WordSynthesizer(None if path is None else [path], config=config)
    font: GlyphFont = synthesizer.fonts.fonts[0]
    words = [synthesizer.word(seed) for seed in range(60)]
    labels = [label for _, label in words]
    assert len(set(labels)) > 40
    if len(synthesizer.fonts.fonts) > 1:
        synthesizer.fonts.fonts, synthesizer.fonts._cumulative = [font], np.ones(1)
        words = [synthesizer.word(seed) for seed in range(60)]
        labels = [label for _, label in words]
    drawn = np.stack([plain(font, label) for label in labels])
    right = 0
    for i, (image, _) in enumerate(words):
        scores = [np.corrcoef(image.ravel(), other.ravel())[0, 1] for other in drawn]
        right += labels[int(np.argmax(scores))] == labels[i]
    assert right >= 55


def plain(font: GlyphFont, label: str) -> np.ndarray:
    line = set_line(font, label)
    grow = max(0, 16 - (line.bottom - line.top))
    mask = np.zeros((line.bottom - line.top + grow + 4, line.right - line.left + 4), np.uint8)
    paste(mask, line, 2 - line.left, 2 - line.top + grow // 2)
    return np.asarray(Image.fromarray(mask).resize((100, 32), Image.Resampling.BILINEAR), np.float32)


def test_size_of_the_image(fonts: list[str] | None) -> None:
    image, _ = WordSynthesizer(fonts, size=(48, 160)).word(1)
    assert image.shape == (48, 160)
    with pytest.raises(ValueError, match=r"Received: size=\(4, 100\)"):
        WordSynthesizer(fonts, size=(4, 100))


def test_lexicon_is_used(fonts: list[str] | None) -> None:
    synthesizer = WordSynthesizer(fonts, lexicon=["quixotry"])
    labels = [synthesizer.word(seed)[1].lower() for seed in range(100)]
    assert 30 < sum("quixotry" in label for label in labels) < 90


def test_config_refuses_what_is_no_probability() -> None:
    with pytest.raises(ValueError, match=r"Received: blur=1\.5"):
        SynthesisConfig(blur=1.5)
    with pytest.raises(ValueError, match=r"Received: families=\['blurr'\]"):
        SynthesisConfig().without("blurr")
    assert SynthesisConfig().without("blur", "noise").blur == 0
    with pytest.raises(ValueError, match=r"Received: strength=-1"):
        SynthesisConfig().scaled(-1)


def test_strength_scales_all_effects() -> None:
    usual = SynthesisConfig()
    assert usual.scaled(1.0) == usual
    assert usual.scaled(0.0) == dataclasses.replace(NOTHING, clean=usual.clean, dark_text=usual.dark_text)
    assert usual.scaled(0.5).blur == usual.blur / 2
    assert usual.scaled(100).neighbours == 1.0


def test_speed(synthesizer: WordSynthesizer) -> None:
    """At least 200 words in a second of one core's time; 700 and more are usual, but other machines are slower."""
    for seed in range(150):
        synthesizer.word(seed)
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        for seed in range(150):
            synthesizer.word(seed)
        best = min(best, (time.process_time() - start) / 150)
    assert best < 1 / 200
