"""Words of other alphabets, from the lexicon or the charset to a trained model; and what cannot be drawn is said."""

# ruff: noqa: RUF001 (letters that look like Latin ones are what is tested)
from __future__ import annotations

import pathlib
import random
import subprocess
import sys
import unicodedata

import numpy as np
import pytest

from spin_tf.charset import Charset
from spin_tf.data.records.tfrecord import RecordIndex
from spin_tf.synthesis import WordSynthesizer
from spin_tf.synthesis.alphabet import DrawableWords, characters_of
from spin_tf.synthesis.fonts import CHARACTERS, FontLibrary, GlyphFont
from spin_tf.synthesis.labels import LabelSampler
from tests.synthesis import box_font

CYRILLIC = "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"
GREEK = "αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώ"
LATIN = "áàâäãåæçčďéèêëěíîïłñňóôöőøřšťúůüűýžß"
REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


def both_cases(letters: str) -> str:
    return "".join(dict.fromkeys(letters + "".join(c.upper() for c in letters if len(c.upper()) == 1)))


def synthesize(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(REPOSITORY / "bin" / "synthesize.py"), *map(str, arguments)]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)


def lexicon_of(tmp_path: pathlib.Path, *words: str) -> str:
    path = tmp_path / "words.txt"
    path.write_text("\n".join(words), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("letters", [CYRILLIC, GREEK, LATIN, both_cases(CYRILLIC), both_cases(GREEK) + "0123456789"])
def test_labels_hold_the_characters_of_the_charset_and_all_of_them(letters: str) -> None:
    characters = characters_of(Charset.from_spec(f"chars:{letters}"))
    rng = random.Random(0)
    words = ["".join(rng.choices(letters, k=rng.randrange(1, 9))) for _ in range(200)]
    sampler = LabelSampler(words, 25, characters)
    labels = [sampler.sample(random.Random(i)) for i in range(3000)]
    assert set("".join(labels)) == set(letters)
    assert np.mean([any(c.isalpha() for c in label) for label in labels]) > 0.8
    small = [label for label in labels if len(label) > 1]
    assert len(set(small)) > 500
    if letters == both_cases(CYRILLIC):
        assert 0.3 < np.mean([label.isupper() for label in small]) < 0.7


def test_a_charset_that_folds_case_is_drawn_in_both() -> None:
    assert set(characters_of(Charset.from_spec("36"))) == set("0123456789") | set(
        both_cases("abcdefghijklmnopqrstuvwxyz")
    )
    assert characters_of(Charset.from_spec("94")) == CHARACTERS


@pytest.mark.parametrize("refused", ["שלום", "سلام", "नमस्ते", "ไทย", "e\u0301", "а́"])
def test_scripts_that_need_shaping_are_refused_with_a_sentence(tmp_path: pathlib.Path, refused: str) -> None:
    with pytest.raises(ValueError, match="Right-to-left and joined scripts"):
        characters_of(Charset("".join(dict.fromkeys(refused))))
    path = lexicon_of(tmp_path, refused * 3 + "\u0300x")
    with pytest.raises(ValueError, match="Right-to-left and joined scripts"):
        DrawableWords.read([path])


def test_the_lexicon_decides_and_what_is_left_out_is_counted(tmp_path: pathlib.Path) -> None:
    words = [
        "café",
        unicodedata.normalize("NFD", "naïve"),
        "привет",
        "tea",
        "λόγος",
        "two words",
        "x" * 41,
        "שלום",
        "# no",
    ]
    path = lexicon_of(tmp_path, *words)
    lexicon = DrawableWords.read([path])
    assert lexicon.words == ["café", "naïve", "привет", "tea", "λόγος"]
    assert set(lexicon.characters) >= set(CHARACTERS) | set("éÉïприветПλός")
    assert {reason: len(found) for reason, found in lexicon.left_out.items()} == {
        "with a space": 1,
        "longer than 40 characters": 1,
        "right-to-left or joined script": 1,
    }
    assert "3 words of the lexicon are left out" in lexicon.summary() and "'two words'" in lexicon.summary()
    narrow = DrawableWords.read([path], Charset.from_spec("94"))
    assert narrow.words == ["tea"]
    assert "outside the charset (é), first 'café'" in narrow.summary()
    with pytest.raises(ValueError, match=r"No word.*outside the charset"):
        DrawableWords.read([lexicon_of(tmp_path, "привет")], Charset.from_spec("36"))


def test_a_font_draws_what_it_has(tmp_path: pathlib.Path) -> None:
    latin = str(box_font.write(tmp_path / "latin.ttf", "abcdefghijkl"))
    cyrillic = str(box_font.write(tmp_path / "cyrillic.ttf", both_cases("абвгде")))
    font = GlyphFont(cyrillic, both_cases(CYRILLIC))
    assert set(font.glyphs) == set(both_cases("абвгде")) and not font.unicase
    masks = [glyph.mask for glyph in font.glyphs.values()]
    assert all(not np.array_equal(a, b) for i, a in enumerate(masks) for b in masks[:i])
    library = FontLibrary([latin, cyrillic], "абвгдж")
    assert library.missing() == "ж"
    assert {library.pick(u / 20).path for u in range(20)} == {cyrillic}
    with pytest.raises(ValueError, match="None of the fonts can draw 'жзик'"):
        FontLibrary([latin, cyrillic], "жзик").pick(0.5)
    synthesizer = WordSynthesizer([latin, cyrillic], ["где", "еда"], characters="абвгде")
    for seed in range(40):
        image, label = synthesizer.word(seed)
        assert image.shape == (32, 100) and set(label) <= set("абвгде")


@pytest.mark.integration
def test_words_of_a_charset_train_a_model_and_are_read(tmp_path: pathlib.Path) -> None:
    """Fonts, a charset and training suffice: ten steps on Cyrillic words, from the command to a reading."""
    from spin_tf.models import load_model
    from spin_tf.training.loop import Trainer
    from tests.training import tiny

    characters = both_cases(CYRILLIC)
    box_font.write(tmp_path / "fonts" / "one.ttf", characters.replace("ъ", "").replace("Ъ", ""))
    words = lexicon_of(tmp_path, *["где", "еда", "вода", "мост", "улица", "рынок", "подъезд", "café"])
    flags = [f"--fonts={tmp_path / 'fonts'}", "--num_words=120", "--num_shards=2", f"--lexicon={words}"]
    result = synthesize(f"--output={tmp_path / 'synth'}", f"--charset=chars:{characters}", *flags)
    assert result.returncode == 0, result.stderr
    assert "no font draws Ъъ" in result.stderr
    assert "outside the charset (a c f é), first 'café'" in result.stderr
    assert "no font draws (ъ), first 'подъезд'" in result.stderr
    index = RecordIndex(f"{tmp_path / 'synth'}-*")
    labels = [index.read_example(i).text for i in range(len(index))]
    assert len(labels) == 120 and set("".join(labels)) <= set(characters) - {"ъ", "Ъ"}

    files = f"{{synth: {{files: ['{tmp_path}/synth-*'], augmentation: 0.0}}}}"
    config = tiny.config(
        tmp_path,
        f"model.charset=chars:{characters}",
        "training.steps=10",
        f"data.train={files}",
        "data.validation={}",
        tiny.PLAIN,
    )
    trainer = Trainer(config, str(tmp_path / "run"))
    assert sum(trainer.words.sizes) > 60
    trainer.train()
    model = load_model(str(tmp_path / "run"))
    assert model.charset.characters == characters
    probabilities = model.predict_words(np.zeros((1, *model.image_size, 1), "float32"))[0]
    assert probabilities.shape[-1] == len(characters) + 2


def test_sizes_and_places_of_output_are_checked_before_the_work(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text("")
    for arguments, message in (
        ((f"--output={tmp_path / 'x'}", "--size=100000,100000"), "8 to 2048 pixels"),
        ((f"--output={tmp_path / 'file' / 'x'}", "--num_words=1000000"), "cannot be written"),
        ((f"--contact_sheet={tmp_path / 'file' / 'x.png'}", "--num_words=2000"), "cannot be written"),
        ((f"--contact_sheet={tmp_path}", "--num_words=2000"), "is a folder of that name"),
    ):
        result = synthesize(*arguments)
        assert result.returncode == 2 and message in result.stderr, result.stderr
        assert len(result.stderr.splitlines()) == 1
