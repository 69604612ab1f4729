"""The options of reading as a user of `Recognizer` meets them, on a tiny model whose every reading is known."""

from __future__ import annotations

import pathlib
import pickle
import re
from typing import Any

import numpy as np
import pytest

from spin_tf.charset import Charset
from spin_tf.contract.preprocessing import Preprocessing
from spin_tf.contract.turning import turned_views
from spin_tf.contract.views import views, vote
from spin_tf.contract.word import Word
from spin_tf.decoding.options import PER_IMAGE, OptionNames, Options
from spin_tf.decoding.stepping import read_stepwise
from spin_tf.recognizer import Recognizer
from tests import strip_model as strips
from tests.decoding.tiny_steps import TinySteps, all_words

CHARSET = Charset("abB1")
MAX_LENGTH = 3


class TinyModel(TinySteps):
    """A stepping model as `load_word_model` returns one."""

    can_step = True

    def __init__(self) -> None:
        super().__init__(len(CHARSET.characters), seed=5, sharpness=2.0)
        self._known: dict[bytes, dict[str, float]] = {}
        self.metadata = {"charset": CHARSET.to_dict(), "image_size": [32, 100], "max_length": MAX_LENGTH}

    def predict_words(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return read_stepwise(self, images)

    def words(self, image: np.ndarray) -> dict[str, float]:
        """The probability of every reading of one preprocessed image."""
        key = image.tobytes()
        if key not in self._known:
            logs = all_words(self, self.encode(image[None]), 0, CHARSET.characters, MAX_LENGTH)
            self._known[key] = {text: float(np.exp(value)) for text, value in logs.items()}
        return self._known[key]


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> TinyModel:
    model = TinyModel()
    monkeypatch.setattr("spin_tf.recognizer.load_word_model", lambda *_: model)
    return model


@pytest.fixture(scope="module")
def crops() -> list[np.ndarray]:
    rng = np.random.default_rng(4)
    return [np.kron(rng.integers(0, 256, (4, 10)), np.ones((8, 10))).astype(np.uint8) for _ in range(6)]


def known(model: TinyModel, crop: np.ndarray) -> dict[str, float]:
    return model.words(views(crop, Preprocessing((32, 100), number=1), 1)[0])


def test_n_best_are_the_models_readings_with_its_probabilities(model: TinyModel, crops: list[np.ndarray]) -> None:
    for crop, word in zip(crops, Recognizer(n_best=3).read(crops), strict=True):
        expected = sorted(known(model, crop).items(), key=lambda item: -item[1])[:3]
        readings = [word, *word.alternatives]
        assert [reading.text for reading in readings] == [text for text, _ in expected]
        np.testing.assert_allclose([r.confidence for r in readings], [p for _, p in expected], rtol=1e-3)
        for reading in readings:
            assert "".join(c.character for c in reading.characters) == reading.text
            assert reading.truncated == (len(reading.text) > MAX_LENGTH)


def test_a_beam_of_one_reads_as_without_options(model: TinyModel, crops: list[np.ndarray]) -> None:
    plain = Recognizer().read(crops)
    # A bonus of nothing goes through the search.
    searched = Recognizer(beam_width=1, n_best=1, lexicon=["a"], lexicon_weight=0.0).read(crops)
    assert [word.text for word in plain] == [word.text for word in Recognizer(beam_width=1).read(crops)]
    assert {word.truncated for word in plain} == {len(word.text) > MAX_LENGTH for word in plain}
    for a, b in zip(plain, searched, strict=True):
        assert b.confidence >= a.confidence - 1e-6


@pytest.mark.parametrize(
    ("options", "allows"),
    [
        ({"allowlist": "a-b"}, lambda text: set(text) <= set("ab")),
        ({"pattern": "[a-z]{2}1"}, lambda text: text in ("aa1", "ab1", "ba1", "bb1")),
        ({"pattern": ".*1", "allowlist": "b1"}, lambda text: set(text) <= set("b1") and text.endswith("1")),
        ({"lexicon": ["bB", "1", "nope"], "case": "exact"}, lambda text: text in ("bB", "1")),
        ({"lexicon": ["ab", "11"], "pattern": r"\d+"}, lambda text: text == "11"),
    ],
)
def test_constraints_answer_the_best_that_they_allow(
    model: TinyModel, crops: list[np.ndarray], options: dict[str, Any], allows: Any
) -> None:
    for crop, word in zip(crops, Recognizer(**options, min_probability=0.0).read(crops), strict=True):
        allowed = {text: p for text, p in known(model, crop).items() if allows(text) and len(text) <= MAX_LENGTH}
        assert word.text == max(allowed, key=lambda text: allowed[text])
        assert word.confidence == pytest.approx(allowed[word.text], rel=1e-3)
        assert word.reason == ""


def test_nothing_is_invented(model: TinyModel, crops: list[np.ndarray]) -> None:
    best = [max(known(model, crop)[text] for text in ("1b1", "bbb")) for crop in crops]
    floor = float(np.median(best))
    words = Recognizer(lexicon=["1b1", "bbb"], case="exact", min_probability=floor, n_best=2).read(crops)
    assert [word.text != "" for word in words] == [p >= floor for p in best]
    for word in words:
        if not word.text:
            assert (word.confidence, word.characters, word.alternatives) == (0.0, (), ())
            assert word.reason == f"no word: no reading that is allowed reaches a confidence of {floor:g}"
    # Without a constraint too.
    assert all(word.reason for word in Recognizer(min_probability=0.999).read(crops))


def test_a_lexicon_is_answered_in_its_own_spelling(model: TinyModel, crops: list[np.ndarray]) -> None:
    for crop, word in zip(crops, Recognizer(lexicon=["B1", "Ba"], min_probability=0).read(crops), strict=True):
        probabilities = known(model, crop)
        spellings = {"B1": ("B1", "b1"), "Ba": ("Ba", "ba")}
        best = {text: max(probabilities[s] for s in ways) for text, ways in spellings.items()}
        assert word.text == max(best, key=lambda text: best[text])
        assert word.confidence == pytest.approx(best[word.text], rel=1e-3)
        assert "".join(c.character for c in word.characters) == word.text


def test_a_weight_favours_the_lexicon_and_leaves_the_rest_readable(model: TinyModel, crops: list[np.ndarray]) -> None:
    words = ["a1", "b", "bB"]
    for weight in (0.0, 1.0, 50.0):
        found = Recognizer(lexicon=words, lexicon_weight=weight, case="exact").read(crops)
        for crop, word in zip(crops, found, strict=True):
            worth = {t: p * np.exp(weight * (t in words)) for t, p in known(model, crop).items()}
            assert word.text == max(worth, key=lambda text: worth[text])
            # The confidence stays the model's.
            assert word.confidence == pytest.approx(known(model, crop)[word.text], rel=1e-3)


def test_every_image_may_have_words_of_its_own(model: TinyModel, crops: list[np.ndarray]) -> None:
    recognizer = Recognizer(lexicon=PER_IMAGE, min_probability=0.0)
    lexicons = [["a"], ["b1", "x"], None, ["1", "a"], ["11"], ["ab"]]
    words = list(recognizer.read_many(crops, lexicons))
    for crop, word, lexicon in zip(crops, words, lexicons, strict=True):
        assert isinstance(word, Word)
        probabilities = known(model, crop)
        among = probabilities if lexicon is None else [text for text in lexicon if text in probabilities]
        assert word.text == max(among, key=lambda text: probabilities[text])
    with pytest.raises(ValueError, match="holds no word of up to 3 characters"):
        list(recognizer.read_many(crops[:1], [["xyz"]]))


@pytest.mark.parametrize("options", [{"effort": 2}, {"effort": 6}, {"effort": "high", "n_best": 2}])
def test_effort_adds_what_the_views_say(model: TinyModel, crops: list[np.ndarray], options: dict[str, Any]) -> None:
    num = Options(**options).num_views
    for crop, word in zip(crops, Recognizer(**options).read(crops), strict=True):
        sums: dict[str, float] = {}
        for view in views(crop, Preprocessing((32, 100), number=1), num):
            ranked = sorted(model.words(view).items(), key=lambda item: -item[1])[:2]
            if options.get("n_best", 1) == 1:
                # Without other options each view is read greedily.
                probabilities, _ = model.predict_words(view[None])
                tokens = probabilities[0].argmax(-1)
                text = "".join(CHARSET.characters[t - 2] for t in tokens[: [*tokens, 1].index(1)])
                ranked = [(text, model.words(view)[text])]
            for text, p in ranked:
                sums[text] = sums.get(text, 0.0) + p / num
        assert word.text == max(sums, key=lambda text: sums[text])
        assert word.confidence == pytest.approx(sums[word.text], rel=1e-3)


@pytest.mark.parametrize(
    "options",
    [
        {"pattern": "[abB1]{2,3}", "n_best": 2, "min_probability": 0.0},
        {"pattern": "[abB]{2}", "n_best": 2, "effort": 3, "min_probability": 0.0},
        {"lexicon": ["ab1", "BB", "1a"], "case": "exact", "min_probability": 0.0},
    ],
)
def test_wide_and_turned_crops_are_read_with_all_options(model: TinyModel, options: dict[str, Any]) -> None:
    """Views of two sizes and of four directions, in one batch: each crop is read as its definition says.

    Words are of two letters at least: one alone counts in no turned view.
    """
    model.metadata |= {"preprocessing": 2, "wide_image_size": [32, 200]}
    rng = np.random.default_rng(8)
    cells = [(4, 10), (4, 30), (10, 4), (30, 4), (4, 9), (3, 31), (4, 30)]
    crops = [np.kron(rng.integers(0, 256, shape), np.ones((8, 8))).astype(np.uint8) for shape in cells]
    crops += [np.rot90(crop, 2) for crop in crops]
    recognizer = Recognizer(turn="auto", num_threads=1, **options)
    words = recognizer.read(crops)
    preprocessing = Preprocessing((32, 100), (32, 200))
    seen = set()
    for crop, word in zip(crops, words, strict=True):
        best: tuple[float, int, str] | None = None
        for degrees, looks in turned_views(crop, preprocessing, "auto", recognizer.options.num_views).items():
            sums: dict[str, float] = {}
            for view in looks:
                seen.add((degrees, view.shape[1]))
                allowed = {text: p for text, p in model.words(view).items() if is_allowed(text, options)}
                for text in sorted(allowed, key=lambda text: -allowed[text])[: options.get("n_best", 1)]:
                    sums[text] = sums.get(text, 0.0) + allowed[text] / len(looks)
            text = max(sums, key=lambda text: sums[text])
            if (degrees == 0 or len(text) > 1) and (best is None or sums[text] > best[0]):
                best = sums[text], degrees, text
        assert best is not None
        assert (word.turned, word.text) == best[1:]
        assert word.confidence == pytest.approx(best[0], rel=1e-3)
        assert all(other.turned == word.turned for other in word.alternatives)
    assert 180 in {word.turned for word in words} and len(seen) == 8


def is_allowed(text: str, options: dict[str, Any]) -> bool:
    if "pattern" in options and not re.fullmatch(options["pattern"], text):
        return False
    return text in options.get("lexicon", [text])


def test_voting() -> None:
    def word(text: str, confidence: float) -> Word:
        return Word(text, confidence, ())

    answer = vote([[word("a", 0.4), word("b", 0.3)], [word("b", 0.5)], []], n_best=2)
    assert (answer.text, answer.confidence) == ("b", pytest.approx(0.8 / 3))
    assert [(w.text, w.confidence) for w in answer.alternatives] == [("a", pytest.approx(0.4 / 3))]
    # One view that is sure enough is not enough for all of them.
    assert vote([[word("a", 0.5)], []], min_probability=0.3).reason
    assert vote([[word("", 0.5)]]).reason == ""


def test_tall_crops_are_turned_with_all_their_readings(model: TinyModel, crops: list[np.ndarray]) -> None:
    tall = [np.rot90(crop) for crop in crops]
    words = Recognizer(n_best=2).read(tall)
    for word in words:
        assert all(other.turned == word.turned for other in word.alternatives)
    assert any(word.turned for word in words)


def test_models_that_only_read_greedily_say_so(strip_model: pathlib.Path) -> None:
    for options in ({"pattern": "a"}, {"n_best": 2}, {"lexicon": ["a"]}, {"beam_width": 2}, {"allowlist": "a"}):
        with pytest.raises(ValueError, match=r"step by step.*Received: model="):
            Recognizer(strip_model, **options)  # type: ignore[arg-type]
    word = Recognizer(strip_model, effort="high").read(strips.draw("abc"))
    assert word.text == "abc"
    assert Recognizer(strip_model, min_probability=0.9999).read(strips.draw("abc")).reason


def test_names_are_written_down_once_each() -> None:
    assert set(OptionNames.__annotations__) == set(Options.__dataclass_fields__)
    with pytest.raises(TypeError, match="beams"):
        Options(beams=2)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_best": 0}, "n_best=0"),
        ({"beam_width": 0}, "beam_width=0"),
        ({"case": "lower"}, "case='lower'"),
        ({"lexicon_weight": 1.0}, "lexicon_weight=1.0"),
        ({"lexicon": ["a"], "lexicon_weight": -1.0}, "lexicon_weight=-1.0"),
        ({"lexicon": ["a"], "lexicon_weight": float("nan")}, "lexicon_weight=nan"),
        ({"min_probability": 1.0}, "min_probability=1.0"),
        ({"effort": 4}, "effort=4"),
        ({"effort": "low"}, "effort='low'"),
    ],
)
def test_values_that_are_not_allowed(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"Received: {message}"):
        Options(**options)


def test_constraints_that_cannot_be_met_together(model: TinyModel) -> None:
    with pytest.raises(ValueError, match=r"No word of the pattern.*allowlist='b'"):
        Recognizer(pattern="a+", allowlist="b")
    with pytest.raises(ValueError, match="holds no word"):
        Recognizer(pattern="a+", lexicon=["b", "ba"])
    with pytest.raises(FileNotFoundError):
        Recognizer(lexicon="absent.txt")


def test_pickles_find_their_lexicon_from_other_folders(
    model: TinyModel, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "words.txt").write_text("ab\n1\n")
    monkeypatch.chdir(tmp_path)
    pickled = pickle.dumps(Recognizer(lexicon="words.txt", n_best=2))
    monkeypatch.chdir("/")
    assert pickle.loads(pickled).options == Options(lexicon=str(tmp_path / "words.txt"), n_best=2)
