"""Faces, grounds and colours that usual words do not have: displays, wide ground, wide images, ink of another hue."""

from __future__ import annotations

import dataclasses
import pathlib
from random import Random

import numpy as np
import pytest
from PIL import Image

from spin_tf.contract.pixels import to_grey
from spin_tf.synthesis import SynthesisConfig, WordSynthesizer, camera, fonts, layout, segments, warping
from spin_tf.synthesis.fonts import FontLibrary, Glyph, GlyphFont, select_families
from spin_tf.synthesis.probabilities import LabelShares, Streams, family_names
from spin_tf.synthesis.synthesizer import contact_sheet
from tests.synthesis import box_font

NOTHING = SynthesisConfig().without(*family_names())
WORDS_ALONE = LabelShares(0, 0, 0, 0, 1, 0)


def synthesizer(words: list[str], size: tuple[int, int] = (32, 128), **families: float) -> WordSynthesizer:
    config = dataclasses.replace(NOTHING, **families)
    return WordSynthesizer(None, words, None, size, config, 40, wide_size=(32, 256), shares=WORDS_ALONE)


@pytest.mark.parametrize("face", range(6))
def test_every_digit_of_a_display_looks_like_no_other(face: int) -> None:
    font = segments.font(Random(face))
    assert font.supports("0123456789-.:°'")
    masks = [np.zeros((40, 40), np.uint8) for _ in range(10)]
    for digit, mask in enumerate(masks):
        layout.paste(mask, layout.set_line(font, str(digit)), 2, 34)
    assert all(np.abs(a.astype(int) - b).mean() > 4 for i, a in enumerate(masks) for b in masks[:i])
    # An 8 has all that an 0 has, and more; a 1 stands at the right of its place.
    assert (masks[8] >= masks[0]).all() and masks[1][:, :10].max() < 60 < masks[1][:, 10:].max()


def test_displays_show_numbers_and_no_words() -> None:
    assert segments.can_draw("12:45") and segments.can_draw("-3.5°C") and segments.can_draw("88.8")
    assert not any(map(segments.can_draw, ("sea", "12m", "CE", "8B", "O5")))
    label = "10:45"
    plain, display = synthesizer([label]), synthesizer([label], seven_segment=1.0)
    assert plain.word(3)[1] == display.word(3)[1] == label
    assert not np.array_equal(plain.word(3)[0], display.word(3)[0])
    assert np.array_equal(synthesizer(["sea"]).word(3)[0], synthesizer(["sea"], seven_segment=1.0).word(3)[0])


def test_long_words_get_wide_images_and_others_do_not() -> None:
    long, short = synthesizer(["donaudampfschifffahrtskapitaen"]), synthesizer(["sea"])
    assert {long.word(seed)[0].shape for seed in range(20)} == {(32, 256)}
    assert {short.word(seed)[0].shape for seed in range(20)} == {(32, 128)}
    # The stored image is on the same side of the limit as the crop, so that a reader treats it alike.
    assert 128 / 32 < warping.WIDE < 256 / 32
    without = WordSynthesizer(None, ["donaudampfschifffahrtskapitaen"], None, (32, 128), None, 40, shares=WORDS_ALONE)
    assert {without.word(seed)[0].shape for seed in range(20)} == {(32, 128)}
    with pytest.raises(ValueError, match=r"Received: wide_size=\(32, 4\)"):
        WordSynthesizer(wide_size=(32, 4))


def test_what_is_drawn_wide_has_letters_of_some_width() -> None:
    """All effects of pose: a word of 25 letters keeps three pixels and a half a letter, nine times of ten."""
    poses = "rotation curve wave shear perspective wide_ground condense letter_spacing loose_crop"
    config = dataclasses.replace(SynthesisConfig(), **dict.fromkeys(poses.split(), 1.0))
    maker = WordSynthesizer(None, ["donaudampfschifffahrtskap"], config=config, size=(32, 128), wide_size=(32, 256))
    widths = []
    for seed in range(60):
        streams = Streams(seed, config)
        plane = layout.set_text("donaudampfschifffahrtskap", maker.fonts.pick(0.5), maker.fonts.pick, str, streams)
        crop = warping.warp_plane(plane, streams, 512)
        shown = 256 if crop.true_width > warping.WIDE * crop.true_height else 128
        widths.append((plane.box[2] - plane.box[0]) / crop.true_width * shown / 25)
    assert np.quantile(widths, 0.1) > 3.5 and np.median(widths) > 5


def test_wide_ground_is_even_and_moves_the_word_off_the_middle() -> None:
    on, off = synthesizer(["SEA"], wide_ground=1.0, neighbours=1.0), synthesizer(["SEA"], neighbours=0.0)
    empty, shifts = [], []
    for seed in range(80):
        columns = np.flatnonzero(np.ptp(on.word(seed)[0].astype(int), axis=0) > 20)
        whole = np.flatnonzero(np.ptp(off.word(seed)[0].astype(int), axis=0) > 20)
        width = on.word(seed)[0].shape[1]
        empty.append(1 - (columns[-1] - columns[0]) / width)
        shifts.append(abs(columns[-1] + columns[0] - width) / width)
        assert (whole[-1] - whole[0]) / off.word(seed)[0].shape[1] > 0.75
    # Neighbours are left away, or the ground would not be empty. Up to two widths beside: two thirds are ground then.
    assert np.mean(empty) > 0.35 and max(empty) > 0.6 and max(shifts) > 0.4


def test_ground_leaves_letters_high_enough() -> None:
    config = dataclasses.replace(NOTHING, wide_ground=1.0)
    corners = np.array([[-45.0, -15], [45, 15]])
    for seed in range(300):
        left, top, right, bottom = warping.choose_crop(corners, Streams(seed, config))
        assert left <= -45 and right >= 45 and top <= -15 and bottom >= 15
        assert 30 / (bottom - top) * 32 > 7 and right - left <= 15 * 30 + 2 * 30


def test_ink_of_another_hue_has_the_brightness_of_its_ground() -> None:
    on, off = synthesizer(["SEA"], colour_only=1.0), synthesizer(["SEA"])
    for seed in range(12):
        (image, label), (grey, same) = on.word(seed), off.word(seed)
        assert label == same and image.shape == (32, 128, 3) and image.dtype == np.uint8
        spread = to_grey(image).std()
        assert spread < 8 and image.reshape(-1, 3).std(0).max() > 4 * spread
        # The main axis of the colours has the word.
        points = image.reshape(-1, 3).astype(np.float64)
        axis = np.linalg.svd(points - points.mean(0), full_matrices=False)[2][0]
        assert abs(np.corrcoef((points @ axis).ravel(), grey.ravel())[0, 1]) > 0.9


def test_pairs_of_colours_lie_inside_and_apart() -> None:
    for seed in range(200):
        first, second = camera.pair(Random(seed))
        assert min(first.min(), second.min()) >= -0.01 and max(first.max(), second.max()) <= 255.01
        weights = np.array([0.299, 0.587, 0.114])
        assert abs(weights @ first - weights @ second) < 0.5 and np.abs(first - second).max() > 40


def test_sheets_hold_images_of_several_sizes_and_colours() -> None:
    tiles = [np.zeros((32, 128), np.uint8), np.zeros((32, 256), np.uint8), np.zeros((32, 128, 3), np.uint8)]
    sheet = contact_sheet(tiles, columns=2)
    assert sheet.mode == "RGB" and sheet.size == (2 * 259 + 3, 2 * 35 + 3)
    pixels = np.asarray(sheet.convert("L"))
    assert pixels[10, 20] == 0 and pixels[10, 200] == 255 and pixels[10, 300] == 0 and pixels[45, 20] == 0
    assert contact_sheet(tiles[:1]).mode == "L"


def test_codes_take_fonts_that_tell_their_characters_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    font = GlyphFont(None)
    assert font.tells_apart("I1l0O")
    glyphs = dict(font.glyphs)
    glyphs["l"] = Glyph(glyphs["I"].mask, *glyphs["l"][1:])
    font._glyphs = glyphs
    assert not font.tells_apart("Il") and font.tells_apart("I1") and font.tells_apart("hello")
    maker = WordSynthesizer(None, ["sea"], config=NOTHING, shares=LabelShares(0, 0, 1, 0, 0, 0))
    other = GlyphFont(None)
    maker.fonts.fonts, maker.fonts._cumulative = [font, other], np.array([1.0, 2.0])
    chosen = [maker._choose(Streams(seed, NOTHING)) for seed in range(200)]
    assert all(used is other for label, used in chosen if {"I", "l"} <= set(label))
    assert any(used is font for _, used in chosen)


def test_monospaced_fonts_are_found(shared: pathlib.Path) -> None:
    folder = shared / "data" / "fonts"
    if not folder.is_dir():
        pytest.skip("no collection of fonts")
    paths = [str(p) for family in ("ubuntumono", "oxygen", "abel") for p in sorted((folder / family).glob("*.ttf"))]
    library = FontLibrary(paths)
    assert {pathlib.Path(library.pick_monospaced(u / 10).path or "").parent.name for u in range(10)} == {"ubuntumono"}
    proportional = FontLibrary([p for p in paths if "Mono" not in p])
    assert proportional.pick_monospaced(0.5) is proportional.pick(0.5)
    config = dataclasses.replace(NOTHING, monospace=1.0)
    maker = WordSynthesizer(paths, ["sea"], config=config, shares=LabelShares(0, 0, 1, 0, 0, 0))
    used = {maker._choose(Streams(seed, config))[1] for seed in range(30)}
    assert all(font.is_monospaced for font in used)


def test_families_of_a_list_are_left_out_or_taken_alone(tmp_path: pathlib.Path) -> None:
    paths = ["/f/roboto/Roboto-Bold.ttf", "/f/robotoslab/RobotoSlab.ttf", "/f/x/Abel.otf", "Abel Pro-Thin.ttf"]
    listing = tmp_path / "families.txt"
    listing.write_text("# a comment\nRoboto\n\nabel\n")
    assert select_families(paths, listing, True) == [paths[0], paths[2]]
    assert select_families(paths, listing, False) == [paths[1], paths[3]]
    listing.write_text("lato\n")
    with pytest.raises(ValueError, match="No font is of a family in the list"):
        select_families(paths, listing, False)
    listing.write_text("roboto\n")
    with pytest.raises(ValueError, match="All fonts are of a family"):
        select_families(paths[:1], listing, False)


def test_the_held_out_families_are_sixty_of_the_collection(shared: pathlib.Path) -> None:
    listing = pathlib.Path(__file__).resolve().parents[2] / "benchmarks" / "held_out_fonts.txt"
    families = [line for line in listing.read_text().splitlines() if not line.startswith("#")]
    assert len(families) == len(set(families)) == 60 and families == sorted(families)
    folder = shared / "data" / "fonts"
    if folder.is_dir():
        assert all(list((folder / family).glob("*.ttf")) for family in families)


def test_a_font_that_drops_accents_does_not_draw_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some fonts show the plain letter for one with an accent; of the collection, Playball for a capital A and ring."""
    draw = fonts._draw_glyph
    monkeypatch.setattr(
        fonts, "_draw_glyph", lambda font, character: draw(font, "a" if character == "á" else character)
    )
    font = GlyphFont(None, "aáeö")
    assert set(font.glyphs) >= set("ae") and "á" not in font.glyphs and not font.supports("á")


def test_letters_with_a_comma_below_are_drawn_by_their_older_code_points(tmp_path: pathlib.Path) -> None:
    old = GlyphFont(str(box_font.write(tmp_path / "old.ttf", "stşţST")), "stșțȘ")
    assert set(old.glyphs) == {"s", "t", "ș", "ț"} and old.substituted == {"ș", "ț"}
    assert not np.array_equal(old.glyphs["ș"].mask, old.glyphs["s"].mask)


def test_print_has_its_own_marks(tmp_path: pathlib.Path) -> None:
    marks = "\u2018\u2019\u201c\u201d"
    path = str(box_font.write(tmp_path / "x.ttf", "'\"donts" + marks))
    ascii_font, latin_font = GlyphFont(path, "'\"donts"), GlyphFont(path, "'\"donts" + marks)
    assert layout.typographic("don't", ascii_font) == "don\u2019t" == layout.typographic("don't", latin_font)
    assert layout.typographic('"dot"', ascii_font) == "\u201cdot\u201d"
    # Labels of these characters have marks of their own.
    assert layout.typographic('"dot"', latin_font) == '"dot"' and layout.typographic("'t", latin_font) == "'t"
    assert layout.typographic("don't", GlyphFont(str(box_font.write(tmp_path / "y.ttf", "'dont")), "'dont")) == "don't"


def test_effects_by_name() -> None:
    config = SynthesisConfig().with_effects(["wide_ground=0.5", "blur=0"])
    assert (config.wide_ground, config.blur, config.noise) == (0.5, 0, SynthesisConfig().noise)
    for item, message in (("blurr=1", "blurr"), ("blur", "effects='blur'"), ("blur=2", r"blur=2\.0")):
        with pytest.raises(ValueError, match=message):
            SynthesisConfig().with_effects([item])


def test_accents_stay_larger_in_poor_pictures() -> None:
    """Strokes of accents are a few pixels: what resolution leaves of them is more than of plain letters."""
    config = dataclasses.replace(NOTHING, low_resolution=1.0)

    def detail(word: str) -> float:
        maker = WordSynthesizer(None, [word], config=config, size=(32, 128), characters="OÖ", shares=WORDS_ALONE)
        images = [maker.word(seed)[0].astype(np.float32) for seed in range(30)]
        return float(np.mean([np.abs(np.diff(image, axis=1)).max() for image in images]))

    assert detail("ÖÖÖÖ") > detail("OOOO")


def test_wide_pictures_are_written_as_they_are(tmp_path: pathlib.Path) -> None:
    image, _ = synthesizer(["donaudampfschifffahrtskapitaen"]).word(1)
    Image.fromarray(image).save(tmp_path / "x.png")
    assert Image.open(tmp_path / "x.png").size == (256, 32)


def test_a_space_takes_room() -> None:
    widths = {}
    for word, characters in (("OO", "O"), ("O O", "O ")):
        maker = WordSynthesizer(None, [word], config=NOTHING, size=(32, 128), characters=characters, shares=WORDS_ALONE)
        image, label = maker.word(3)
        assert label == word
        dark = np.flatnonzero(np.ptp(image, axis=0) > 60)
        widths[word] = np.diff(dark).max() / image.shape[1]
    assert widths["O O"] > widths["OO"] + 0.05
