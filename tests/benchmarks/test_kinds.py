"""benchmarks/kinds.py: what is drawn follows from the seed, is what its label says, and is counted as it should be."""

from __future__ import annotations

import io
import json
import pathlib
import random
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, ImageFont

from benchmarks import kinds_displays, kinds_drawing, kinds_forms, kinds_texts
from benchmarks.kinds_fonts import Font, FontShelf
from benchmarks.kinds_report import KindResult, contact_sheet, make_tables
from benchmarks.kinds_table import KINDS
from spin_tf.synthesis.vocabulary import COMMON_WORDS
from tests.synthesis import box_font

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
SCRIPT = REPOSITORY / "benchmarks" / "kinds.py"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Pillow's own font as a collection of one family, a list that names it, and English words."""
    folder = tmp_path_factory.mktemp("kinds")
    font = ImageFont.load_default(20)
    assert isinstance(font, ImageFont.FreeTypeFont) and isinstance(font.path, io.BytesIO)
    (folder / "fonts" / "aileron").mkdir(parents=True)
    (folder / "fonts" / "aileron" / "Aileron-Regular.ttf").write_bytes(font.path.getvalue())
    (folder / "held_out.txt").write_text("# one\naileron\n")
    (folder / "words.txt").write_text("\n".join([*COMMON_WORDS, "kindergarten"]))
    return folder


@pytest.fixture(scope="module")
def font(folder: pathlib.Path) -> str:
    return str(folder / "fonts" / "aileron" / "Aileron-Regular.ttf")


def run(folder: pathlib.Path, output: pathlib.Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # A process of its own: absl's flags belong to the process, and other scripts have some of the same name.
    flags = {"fonts": folder / "fonts", "held_out": folder / "held_out.txt", "words": folder / "words.txt"}
    given = [f"--{name}={value}" for name, value in flags.items()]
    command = [sys.executable, str(SCRIPT), *given, f"--output={output}", "--nopeer", *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def test_draws_reads_and_reports(folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    arguments = ("--kinds=capitalised,digits_8", "--num=2", "--save_crops")
    assert run(folder, first, *arguments).returncode == 0
    document = folder / "page.md"
    document.write_text("before\n<!-- measured by benchmarks/kinds.py -->\nold\n<!-- until here -->\nafter\n")
    result = run(folder, second, *arguments, "--num=1", "--kinds=digits_8,dot_matrix", f"--update={document}")
    assert result.returncode == 0, result.stderr
    assert "| numbers: digits 8 | 1 |" in document.read_text() and "old" not in document.read_text()
    assert document.read_text().startswith("before\n") and document.read_text().endswith("-->\nafter\n")
    assert document.with_suffix(".png").exists()

    summary = json.loads((first / "kinds.json").read_text())
    labels = dict(line.split("\t") for line in (first / "crops" / "labels.tsv").read_text().splitlines())
    assert list(labels) == [f"{kind}_00{i}.png" for kind in ("capitalised", "digits_8") for i in (0, 1)]
    assert [crop["label"] for crop in summary["crops"]] == list(labels.values())
    counts = summary["readers"]["spin_tf, bundled model"]["kinds"]
    # Clean words of a plain font: a model that ships reads them.
    assert [counts[kind]["correct"] for kind in ("capitalised", "digits_8")] == [2, 2]
    assert "| **all crops** | 4 | 100.0 (51 to 100) |" in (first / "kinds.md").read_text()
    # Another number of crops and other kinds beside it change nothing of a kind.
    name = "digits_8_000.png"
    assert (first / "crops" / name).read_bytes() == (second / "crops" / name).read_bytes()


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--fonts=absent", "No such folder of fonts. Received: fonts='absent'"),
        ("--kinds=digits_8,digit", "Received: kinds=digit"),
        ("--held_out=absent.txt", "absent.txt"),
        (f"--update={REPOSITORY / 'LICENSE'}", "A document has one place for tables between"),
        ("--kinds=handwriting", "handwriting: No held-out font that fits this kind draws all of a label."),
    ],
)
def test_mistakes_are_told_in_one_line(
    folder: pathlib.Path, tmp_path: pathlib.Path, argument: str, message: str
) -> None:
    result = run(folder, tmp_path, "--num=1", argument)
    assert result.returncode == 1 and message in result.stderr and result.stderr.count("\n") == 1


def test_what_counts_as_right(folder: pathlib.Path) -> None:
    code = (
        "import kinds; from kinds import *; from spin_tf.charset import Charset\n"
        "kind = {kind.name: kind for kind in KINDS}['two_words']\n"
        "pairs = [('AB 12', 'AB12', .95), ('Uhr', 'uhr', .99), ('Größe', 'Grosse', .5), ('9\\u201317', '9-17', .9),\n"
        "         ('uriașă', 'uria\\u015fă', .3), ('12:30', '12\\uff1a30', .2), ('„Nu“', 'Nu', 1.),\n"
        "         ('“so”', '\"so\"', .5)]\n"
        "crops = [Crop(kind, label, '', b'') for label, _, _ in pairs]\n"
        "readings = [Reading(text, sure) for _, text, sure in pairs]\n"
        "for spaces, charset in ((False, '94'), (True, '94'), (False, '36')):\n"
        "    result = count(crops, readings, Charset.from_spec(charset), spaces)[kind.name]\n"
        "    print(json.dumps(result.to_dict()))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=SCRIPT.parent, capture_output=True, text=True, check=True)
    plain, spaced, folded = map(json.loads, done.stdout.splitlines())
    assert (plain["crops"], plain["correct"], plain["correct_with_spaces"]) == (8, 5, 4)
    assert (plain["sure"], plain["sure_correct"]) == (4, 2)
    # Größe and uriașă; quotation marks of any kind are straight ones to this charset.
    assert (plain["unwritable"], plain["unwritable_sure"]) == (2, 0)
    assert spaced["correct"] == 4
    # This charset has no capitals: Uhr is right; it has no hyphen, colon and quotation mark either.
    assert (folded["correct"], folded["unwritable"]) == (5, 6)


def test_labels_follow_the_rules_of_their_kinds(folder: pathlib.Path) -> None:
    words = kinds_texts.Words(str(folder / "words.txt"))
    texts = {
        kind.name: [kind.text(random.Random(i), words) for i in range(60)] for kind in KINDS if kind.group != "accents"
    }
    for text in texts["iban"]:
        moved = text[4:] + text[:4]
        assert int("".join(str(int(c, 36)) for c in moved)) % 97 == 1
    for text in texts["codes"]:
        groups = [set(group) for group in kinds_texts.ALIKE]
        # Whoever reads a 0 can compare it with the O beside it.
        assert all(group <= set(text) for group in groups if group & set(text)), text
    for number in (16, 18, 20, 22, 25):
        assert {len(text) for text in texts[f"letters_{number}"]} == {number}
    for name in ("lower_case", "capitalised", "upper_case"):
        assert all(3 <= len(text) <= 12 for text in texts[name])
    assert all(text.islower() for text in texts["lower_case"]) and all(text.isupper() for text in texts["upper_case"])
    assert all(sum(sign in text for sign in "€£¥") == 1 for name in ("euro", "pound", "yen") for text in texts[name])
    assert all(int(minutes) < 60 for text in texts["seven_segments"] for minutes in re.findall(r":(\d\d)", text))
    assert all(" " in text for text in texts["two_words"])
    wanted = set("".join(text for kind in texts.values() for text in kind)) - {" "}
    assert wanted <= set(kinds_texts.CHARACTERS)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.group != "accents"], ids=lambda kind: kind.name)
def test_every_kind_draws_ink_within_its_ground(kind, font: str, folder: pathlib.Path) -> None:  # type: ignore[no-untyped-def]
    words = kinds_texts.Words(str(folder / "words.txt"))
    rng = random.Random(5)
    text = kind.text(rng, words)
    if kind.fits is not None and not Font(font).draws(text):
        text = "Word"
    image = np.asarray(kind.draw(rng, font, text), np.float32)
    assert image.ndim == 3 and image.shape[2] == 3
    spread = image.std((0, 1)).max()
    assert spread > 4
    # The outermost pixels are ground, but for pictures with noise and textures.
    if kind.name not in {"red_and_green", "other_hues", "noisy", "textured_ground", "blurred"}:
        frame = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
        assert np.abs(frame - np.median(frame, 0)).mean() < 0.15 * np.abs(image - np.median(frame, 0)).max()


@pytest.mark.parametrize("draw", [kinds_drawing.red_on_green, kinds_drawing.other_hues])
def test_colours_alone_leave_no_word_in_grey(draw: kinds_drawing.Drawing, font: str) -> None:
    for seed in range(8):
        image = draw(random.Random(seed), font, "Wide")
        grey = np.asarray(image.convert("L"), np.float32)
        # What is left is the noise: 3 levels in each of three colours.
        assert grey.std() < 3
        assert np.asarray(image, np.float32).std((0, 1)).max() > 15


def test_ground_is_as_wide_as_it_says(font: str) -> None:
    def columns_of_ink(draw: kinds_drawing.Drawing) -> tuple[int, int, int]:
        image = np.asarray(draw(random.Random(3), font, "House").convert("L"), np.float32)
        ink = np.flatnonzero(np.abs(image - image[0, 0]).max(0) > 40)
        return int(ink[0]), int(ink[-1] - ink[0]), int(image.shape[1] - ink[-1])

    left, ink, right = columns_of_ink(kinds_drawing.ground_right)
    assert right == pytest.approx(ink, rel=0.1) and left < 0.2 * ink
    left, ink, right = columns_of_ink(kinds_drawing.ground_left)
    assert left == pytest.approx(ink, rel=0.1) and right < 0.2 * ink


def test_directions_are_turned_words(font: str) -> None:
    def drawn(draw: kinds_drawing.Drawing) -> np.ndarray:
        return np.asarray(draw(random.Random(11), font, "Lamp"))

    upright = drawn(kinds_drawing.plain)
    assert np.array_equal(np.rot90(drawn(kinds_forms.upside_down), 2), upright)
    turned = drawn(kinds_forms.turned)
    assert any(np.array_equal(np.rot90(turned, quarters), upright) for quarters in (1, 3))
    stacked = drawn(kinds_forms.stacked)
    assert stacked.shape[0] > 2 * stacked.shape[1]


def test_segments_light_up_as_digits_do() -> None:
    # Ghosts of unlit segments and the slant differ; 8 lights all that any other digit does.
    light = {}
    for text in ("8", "1", "7"):
        image = np.asarray(kinds_displays.seven_segments(random.Random(2), "", text).convert("L"), np.float32)
        ground = np.median(np.concatenate([image[0], image[-1]]))
        light[text] = int((np.abs(image - ground) > 60).sum())
    assert light["1"] < light["7"] < light["8"]


def test_fonts_are_asked_what_they_can_draw(folder: pathlib.Path, font: str) -> None:
    shelf = FontShelf(folder / "fonts", ["aileron"])
    assert shelf.pick(random.Random(0), "Word 12", lambda font: font.is_plain).path == font
    only = shelf.fonts[0]
    assert only.draws("Az09#|") and not only.draws("Šárka") and not only.draws("5€")
    assert only.tells_apart("0O1Il5S8B2Z")
    glyphs = only._font.glyphs
    glyphs["I"], glyphs["0"] = glyphs["l"], glyphs["O"]
    assert not only.tells_apart("1IlA") and not only.tells_apart("A0O") and only.tells_apart("5S8BI0")
    with pytest.raises(ValueError, match=r"No held-out font .* Received: 'ő'"):
        shelf.pick(random.Random(0), "ő", lambda font: True)
    with pytest.raises(ValueError, match="No font of the held-out families"):
        FontShelf(folder / "fonts", ["other"])


def test_a_letter_that_the_file_lacks_is_not_drawn(tmp_path: pathlib.Path) -> None:
    """The synthesis has another glyph for it; here a box would stand in its place."""
    old = Font(str(box_font.write(tmp_path / "old.ttf", "aistşţST")))
    assert old.draws("stai") and not old.draws("stați") and not old.draws("aș")


def test_tables_leave_stacked_letters_out_of_the_means() -> None:
    kinds = [kind for kind in KINDS if kind.group == "directions"]
    results = {}
    for reader, correct in (("ours", (1, 1, 0)), ("peer", (1, 0, 1))):
        results[reader] = {kind.name: KindResult() for kind in kinds}
        for kind, right in zip(kinds, correct, strict=True):
            results[reader][kind.name].score.add("a", "a" if right else "b", "exact")
    assert [kind.is_extra for kind in kinds] == [False, False, True]
    text = make_tables(kinds, results, "peer", with_spaces=False)
    (mean,) = [line for line in text.splitlines() if line.startswith("| **mean of kinds**")]
    assert "**100.0**" in mean and "**50.0**" in mean and "+50.0" in mean


def test_the_page_shows_all_kinds() -> None:
    page = (REPOSITORY / "docs" / "kinds.md").read_text(encoding="utf-8")
    _, measured, _ = re.split("<!-- measured by benchmarks/kinds.py -->\n|<!-- until here -->\n", page)
    shown = re.findall(r"^\| ([^|]*?: [^|]*?)(?: \(not in the means\))? \| 40 \|", measured, re.MULTILINE)
    assert shown == [f"{kind.group}: {kind.title}" for kind in KINDS]
    assert f"draws {len(KINDS)} kinds" in page
    assert (REPOSITORY / "docs" / "kinds.png").stat().st_size < 300_000


def test_contact_sheets_show_every_kind() -> None:
    kinds = KINDS[:7]
    crops = {kind.name: [Image.new("RGB", (80, 30), (200, 0, 0))] for kind in kinds}
    sheet = np.asarray(contact_sheet(kinds, crops).convert("RGB"))
    red = (sheet == (200, 0, 0)).all(-1)
    assert red.sum() == 7 * 80 * 30
