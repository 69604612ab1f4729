"""Fonts: what cannot draw a label is not used for it; without any there is Pillow's own."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest
from PIL import ImageFont

from spin_tf.synthesis import WordSynthesizer, fonts
from spin_tf.synthesis.font_families import draws_pictures, font_weight
from spin_tf.synthesis.fonts import CAP_HEIGHT, CHARACTERS, FontLibrary, Glyph, GlyphFont


def test_glyphs_have_one_scale() -> None:
    font = GlyphFont(None)
    assert set("AEHORSTaeorst0123") <= set(font.glyphs)
    assert abs(font.glyphs["H"].mask.shape[0] - CAP_HEIGHT) <= 2
    assert font.glyphs["H"].top == -font.glyphs["H"].mask.shape[0]
    assert font.glyphs["H"].advance >= font.glyphs["i"].advance
    assert not font.unicase


def test_glyph_that_is_missing_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A font answers for what it lacks with its .notdef box, or with nothing."""
    box = np.full((20, 10), 255, np.uint8)
    draw = fonts._draw_glyph

    def some_missing(font: ImageFont.FreeTypeFont, character: str) -> Glyph | None:
        if character in "~^\uffff":
            return Glyph(box, 0, -20, 12.0)
        return None if character == "|" else draw(font, character)

    monkeypatch.setattr(fonts, "_draw_glyph", some_missing)
    font = GlyphFont(None)
    assert set(CHARACTERS) - set(font.glyphs) >= set("~^|")
    assert font.supports("Word") and not font.supports("Wor~d")
    synthesizer = WordSynthesizer(lexicon=["sea"])
    synthesizer.fonts.fonts, synthesizer.fonts._cumulative = [font], np.ones(1)
    labels = [synthesizer.word(seed)[1] for seed in range(150)]
    assert not set("".join(labels)) & set("~^|")


def test_unicase_font_gets_capital_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = fonts._draw_glyph
    monkeypatch.setattr(fonts, "_draw_glyph", lambda font, character: draw(font, character.upper()))
    synthesizer = WordSynthesizer()
    font = GlyphFont(None)
    synthesizer.fonts.fonts, synthesizer.fonts._cumulative = [font], np.ones(1)
    labels = [synthesizer.word(seed)[1] for seed in range(100)]
    assert font.unicase
    assert all(label == label.upper() for label in labels)


def test_without_system_fonts_there_is_pillows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "system_fonts", list)
    library = FontLibrary()
    assert [font.path for font in library.fonts] == [None]
    image, label = WordSynthesizer().word(3)
    assert image.std() > 5 and label


def test_useless_system_fonts_give_way_to_pillows(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    monkeypatch.setattr(fonts, "system_fonts", lambda: [str(tmp_path / "broken.ttf")])
    assert FontLibrary().pick(0.5).path is None


def test_files_that_are_no_fonts(tmp_path: pathlib.Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("b.ttf", "sub/a.OTF", "licence.txt"):
        (tmp_path / name).write_bytes(b"no font")
    paths = fonts.find_fonts(tmp_path)
    assert [pathlib.Path(path).name for path in paths] == ["b.ttf", "a.OTF"]
    with pytest.raises(ValueError, match="None of the fonts can draw letters"):
        FontLibrary(paths).pick(0.1)
    with pytest.raises(ValueError, match=r"Received: fonts=\[\]"):
        FontLibrary([])
    with pytest.raises(FileNotFoundError, match="Received: fonts="):
        fonts.find_fonts(tmp_path / "missing")


def test_weights_follow_the_family() -> None:
    assert (
        font_weight("/fonts/OpenSans-Bold.ttf") > font_weight("/fonts/Unknown-Regular.ttf") > font_weight("Monoton.ttf")
    )
    assert draws_pictures("/fonts/NotoColorEmoji.ttf") and not draws_pictures("/fonts/NotoSans.ttf")
