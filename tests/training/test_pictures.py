"""What TensorBoard shows: no picture of attention is empty, whatever the model reads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from spin_tf.charset import Charset, Tokenizer
from spin_tf.training import watching

TOKENIZER = Tokenizer(Charset.from_spec("36"), 5)
STEPS, TIME = 6, 8


class Model:
    """Reads given tokens, and looks at the time step of each step's number."""

    def __init__(self, *tokens: list[int]) -> None:
        self.tokens = tokens

    def rectify(self, images: np.ndarray) -> dict[str, Any]:
        return {"image": images}

    def read(self, images: np.ndarray) -> dict[str, Any]:
        probabilities = np.zeros((len(images), STEPS, TOKENIZER.vocabulary_size), "float32")
        for row, tokens in zip(probabilities, self.tokens, strict=True):
            row[np.arange(STEPS), tokens + [0] * (STEPS - len(tokens))] = 1
        attention = np.broadcast_to(np.eye(STEPS, TIME, dtype="float32"), (len(images), STEPS, TIME))
        return {"probabilities": probabilities, "attention": attention}


def lights(picture: np.ndarray) -> list[float]:
    """Of each row of light, where it is brightest, as a share of the width."""
    crop = picture[32 * 3 :, watching._LABEL :, 0]
    rows = [crop[i : i + watching._ROW] for i in range(watching._GAP, len(crop) - 1, watching._ROW)]
    return [float(row.max(0).argmax() / row.shape[1]) for row in rows if row.max() > 200]


A, END, PADDING = 12, Tokenizer.END_ID, Tokenizer.PADDING_ID


@pytest.mark.parametrize(
    "tokens",
    [([END], [END]), ([A, A + 1, END], [A, END]), ([A] * STEPS, [END]), ([PADDING] * STEPS, [PADDING, A, END])],
)
def test_every_step_is_a_row_of_light(tokens: tuple[list[int], ...]) -> None:
    """A model that reads nothing yet ends words at once, or pads them: what it looked at is seen all the same."""
    images = np.zeros((len(tokens), 32, 100, 1), "float32")
    drawn = watching.draw_words(Model(*tokens), images, TOKENIZER)
    assert {name: len(made) for name, made in drawn.items()} == {"rectification": 2, "attention": 2}
    assert [len(lights(picture)) for picture in drawn["attention"]] == [len(row) for row in tokens]
    for picture in drawn["attention"]:
        for step, place in enumerate(lights(picture)):
            assert place == pytest.approx((step + 0.5) / TIME, abs=1 / TIME)
    # As high as the longest word needs, and no higher.
    (height,) = {picture.shape[0] for picture in drawn["attention"]}
    assert height == 32 * 3 + watching._GAP + watching._ROW * max(map(len, tokens))


def test_without_words_nothing_is_drawn() -> None:
    assert watching.draw_words(Model(), np.zeros((0, 32, 100, 1), "float32"), TOKENIZER) == {}
