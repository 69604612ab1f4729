"""What the exports of a trained model share: their flags, the model, and the words that a file must read as it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from absl import flags

from spin_tf._extras import require

if TYPE_CHECKING:
    from spin_tf.models import SPINRecognizer

HELP_TITLE = "what is exported"

_MODEL = flags.DEFINE_string("model", None, "model_dir of bin/train.py, or .keras file.", required=True)
CHECK_DATA = flags.DEFINE_multi_string(
    "check_data", [], "TFRecords of words that the file must read as the model does; by default generated words."
)
CHECK_WORDS = flags.DEFINE_integer("check_words", 200, "How many words are checked.", lower_bound=1)


def open_model() -> SPINRecognizer:
    """The model that --model names."""
    require("tensorflow", "Export", "train")
    from spin_tf.models import load_model

    return load_model(_MODEL.value)


def check_images(model: SPINRecognizer) -> np.ndarray:
    """The words that are checked, as the input of a model."""
    from spin_tf.export.check_inputs import check_words

    return check_words(CHECK_DATA.value, CHECK_WORDS.value, model.image_size)
