"""The page holds everything inside, and nothing that it shows can leave its place."""

from __future__ import annotations

import base64
import dataclasses
import html.parser
import io
import re

import numpy as np
import pytest
from PIL import Image

from spin_tf.contract.word import Word
from spin_tf.explanation.page import make_page, make_words
from spin_tf.explanation.pictures import draw_control_points, draw_light, draw_place
from spin_tf.explanation.trace import Stages, Step, Trace

VOID = {"meta", "img", "br"}


class Page(html.parser.HTMLParser):
    """Every element in its place, the texts, and the pictures."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.pictures: list[Image.Image] = []
        self.alts: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        values = dict(attributes)
        assert not any(name.startswith("on") for name in values) and "href" not in values
        if tag not in VOID:
            self.open.append(tag)
        if tag == "img":
            kind, content = (values["src"] or "").split(",")
            assert kind == "data:image/png;base64"
            self.pictures.append(Image.open(io.BytesIO(base64.b64decode(content))))
            self.alts.append(values["alt"] or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, text: str) -> None:
        self.texts.append(text)


PIXELS = np.linspace(-1, 1, 3200, dtype=np.float32).reshape(32, 100)
POINTS = np.stack([np.tile(np.linspace(-1.3, 1.3, 10), 2), np.repeat([-1.1, 1.1], 10)], axis=1)
OFFSET = (PIXELS + 1) / 2
STAGES = Stages(OFFSET, 0.25, PIXELS / 2, POINTS, PIXELS)
STEPS = (
    Step("<", 0.75, (("<", 0.75), ("&", 0.2), ("b", 0.05)), 0.25, np.eye(32, 100, dtype=np.float32)),
    Step("", 0.8, (("", 0.8), ("x", 0.2), ("(nothing)", 0.0001)), 0.75, np.ones((32, 100), np.float32)),
)
WORD = Word("<", 0.6, ())
TRACE = Trace("<i>name", WORD, "<script>", Image.new("RGB", (60, 30)), (30, 60), PIXELS, STAGES, STEPS, True, 1)


def text_of(page: Page) -> str:
    return " ".join(" ".join(page.texts).split())


def test_all_stages_and_steps_are_shown() -> None:
    page = Page(make_page([TRACE], "<b>model", {"name": "spin & co"}, 3))
    assert "script" not in page.tags and "link" not in page.tags
    assert page.tags.count("article") == 1
    # The crop, what the model gets, offset, SPN, control points, rectified; two steps.
    assert len(page.pictures) == 8 and all(page.alts)
    assert page.pictures[0].size == (60, 30) and page.pictures[1].size == (100, 32)
    text = text_of(page)
    for shown in ("“<”", "<i>name", "label “<script>”", "<b>model · spin & co · 1 of 3 words shown", "gate 25.0 %"):
        assert shown in text
    for name in ("The crop", "AIN", "SPN", "TPS", "0.750 \u00d7 0.800 = 0.600", "< 0.1 %", "looks"):
        assert name in text
    assert "cannot be shown" not in text


def test_offset_is_drawn_over_its_whole_range() -> None:
    stages = dataclasses.replace(STAGES, offset=0.4 + OFFSET / 100)
    page = Page(make_words([dataclasses.replace(TRACE, stages=stages)]))
    assert page.pictures[2].getextrema() == (0, 255)
    assert "0.400 (black) to 0.410 (white)" in text_of(page)
    faint = dataclasses.replace(STAGES, offset=OFFSET / 10_000)
    page = Page(make_words([dataclasses.replace(TRACE, stages=faint)]))
    assert "all below 0.001; gate" in text_of(page) and page.pictures[2].getextrema() == (0, 255)


def test_exported_models_say_what_is_missing() -> None:
    steps = tuple(dataclasses.replace(step, light=None) for step in STEPS)
    page = Page(make_words([dataclasses.replace(TRACE, stages=None, steps=steps)]))
    assert len(page.pictures) == 4
    assert "cannot be shown" in text_of(page) and "(the line)" in text_of(page)
    # What is not there is not explained either.
    assert [name for name in ("AIN", "SPN", "TPS", "The crop", "spelling") if name in text_of(page)] == [
        "The crop",
        "spelling",
    ]


@pytest.mark.parametrize(("part", "name"), [("offset", "(AIN)"), ("chromatic", "(SPN)"), ("control_points", "(TPS)")])
def test_a_stage_that_a_model_lacks_is_not_explained(part: str, name: str) -> None:
    lacking = dataclasses.replace(TRACE, stages=dataclasses.replace(STAGES, **{part: None}))  # type: ignore[arg-type]
    assert name not in text_of(Page(make_words([lacking])))
    assert name in text_of(Page(make_words([lacking, TRACE])))


@pytest.mark.parametrize(
    ("changes", "remark"),
    [
        ({"word": Word("", 0.6, (), reason="too <unsure>")}, "Not answered: too <unsure>."),
        ({"follows_word": False}, "found in another way"),
        ({"word": Word("<", 0.6, (), turned=90)}, "turned by 90 degrees counter-clockwise"),
        ({"word": Word("<", 0.6, (), turned=-90)}, "turned by 90 degrees clockwise"),
        ({"word": Word("<", 0.6, (), truncated=True)}, "more may follow"),
        ({"num_views": 6}, "6 views"),
    ],
)
def test_remarks(changes: dict[str, object], remark: str) -> None:
    page = Page(make_words([dataclasses.replace(TRACE, **changes)]))  # type: ignore[arg-type]
    assert remark in text_of(page)


def test_the_product_is_only_shown_where_it_is_the_confidence() -> None:
    other = dataclasses.replace(TRACE, word=Word("<", 0.3, ()))
    assert "the confidence of the word" not in text_of(Page(make_words([other])))


def test_a_character_that_was_not_among_the_best_is_shown_too() -> None:
    step = Step("q", 0.01, (("a", 0.5), ("b", 0.3), ("c", 0.1)), 0.5, None)
    text = make_words([dataclasses.replace(TRACE, steps=(step,))])
    assert re.findall(r'class="bar( chosen)?"><span>(.)', text) == [("", "a"), ("", "b"), ("", "c"), (" chosen", "q")]


def test_control_points_are_where_they_are_said_to_be() -> None:
    picture = np.asarray(draw_control_points(np.full((32, 100, 1), 0.2, np.float32), POINTS))
    assert picture.shape == (32 * 3 + 48, 100 * 3 + 48, 3)
    red = (picture[..., 0] > 200) & (picture[..., 2] < 100)
    blue = (picture[..., 2] > 200) & (picture[..., 0] < 100)
    assert red.any() and blue.any()
    # y is 1.1: 0.05 of the crop's height beyond its edge.
    assert np.flatnonzero(red.any(axis=1)).mean() == pytest.approx(24 - 0.05 * 96, abs=1)
    assert np.flatnonzero(blue.any(axis=1)).mean() == pytest.approx(24 + 1.05 * 96, abs=1)
    plain = np.asarray(draw_control_points(np.full((32, 100, 1), 0.2, np.float32), np.zeros((0, 2))))
    assert len(np.unique(plain)) == 2


def test_light_and_place() -> None:
    grey = np.full((32, 100), 0.4, np.float32)
    light = np.zeros((32, 100), np.float32)
    light[:, 60:70] = 0.3
    lit = np.asarray(draw_light(grey, light)).astype(int)
    assert lit[:, 60:70].min() > lit[:, :60, 0].max()
    assert np.asarray(draw_light(grey, np.zeros_like(light))).max() < 90
    for x, expected in ((0.0, 0), (0.5, 150), (1.0, 299), (7.0, 299)):
        picture = np.asarray(draw_place(grey, x)).astype(int)
        columns = np.flatnonzero((picture[..., 0] - picture[..., 2]).max(axis=0) > 50)
        assert abs(columns.mean() - expected) <= 1.5
