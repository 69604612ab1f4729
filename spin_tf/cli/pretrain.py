"""Trains under JAX, without TensorFlow, on generated words and packed real ones.

bin/pretrain.py --config=FILE --model_dir=DIR [--set key=value]... [--fonts=DIR] [--lexicon=FILE] [--minutes=N]

The configuration is that of bin/train.py; its `data.train` may be empty. Killed and started again with the same
command, it goes on from its last checkpoint. DIR/weights-*.npz is what training.init_from of bin/train.py takes.
"""

from __future__ import annotations

import importlib.util
import os
import sys

from absl import flags

from spin_tf import config as config_module
from spin_tf._extras import require
from spin_tf.charset import Charset
from spin_tf.cli._run import UserError, flags_only, log_progress

_CONFIG = flags.DEFINE_string("config", None, "YAML file, or the name of a recipe such as quickstart", required=True)
_MODEL_DIR = flags.DEFINE_string(
    "model_dir", None, "Folder of checkpoints, weights and config.yaml; an unfinished run goes on.", required=True
)
_SET = flags.DEFINE_multi_string("set", [], "key=value, overrides the file; dotted keys, may be repeated.")
_FONTS = flags.DEFINE_string("fonts", None, "Folder of fonts; default: those of the system, or Pillow's own.")
_LEXICON = flags.DEFINE_list(
    "lexicon", None, "Word lists, one word a line, comma separated; default: a small vocabulary."
)
_BACKGROUNDS = flags.DEFINE_string("backgrounds", None, "Folder of photographs to put behind words; default: textures.")
_GENERATED = flags.DEFINE_float(
    "generated", 1.0, "Share of generated words in a batch; the rest comes from data.train.", 0.0, 1.0
)
_WORKERS = flags.DEFINE_integer("workers", 1, "Processes that make words; the words do not depend on it.", 1)
_MINUTES = flags.DEFINE_float("minutes", None, "Time for the whole run, short for --set training.minutes=N.", 0.0)


def main(argv: list[str]) -> int:
    flags_only(argv)
    # Keras reads its backend when it is first imported.
    os.environ["KERAS_BACKEND"] = "jax"
    if "keras" in sys.modules and sys.modules["keras"].backend.backend() != "jax":
        raise UserError("Keras was loaded with another backend before; start bin/pretrain.py in a process of its own.")
    minutes = [] if _MINUTES.value is None else [f"training.minutes={_MINUTES.value}"]
    config = config_module.load(_CONFIG.value, [*_SET.value, *minutes])
    if importlib.util.find_spec("jax") is None:
        raise UserError('Pretraining needs jax: pip install "jax[cpu]" (or "jax[cuda12]"). Received: no module jax')
    require("keras", "Pretraining", "train")
    from spin_tf.synthesis import SynthesisConfig
    from spin_tf.synthesis.alphabet import DrawableWords, characters_of
    from spin_tf.synthesis.fonts import CHARACTERS, find_fonts
    from spin_tf.synthesis.labels import MAX_LENGTH
    from spin_tf.synthesis.textures import find_photographs
    from spin_tf.training.jax_loop import JaxTrainer
    from spin_tf.training.jax_words import WordStream
    from spin_tf.training.run_state import TrainingError

    charset = Charset.from_spec(config.model.charset)
    characters = None if set(charset.characters) <= set(CHARACTERS) else characters_of(charset)
    lexicon = None
    if _LEXICON.value:
        found = DrawableWords.read(_LEXICON.value, Charset.from_spec("94") if characters is None else charset)
        lexicon = found.words
        print(found.summary(), end="\n" if found.left_out else "", file=sys.stderr)
    settings = {
        "fonts": find_fonts(_FONTS.value) if _FONTS.value else None,
        "lexicon": lexicon,
        "characters": characters,
        "backgrounds": find_photographs(_BACKGROUNDS.value) if _BACKGROUNDS.value else None,
        "size": tuple(config.model.image_size),
        "config": SynthesisConfig(),
        "max_length": min(config.model.max_length, MAX_LENGTH),
    }
    log_progress()
    try:
        with WordStream(config, settings, _GENERATED.value, _WORKERS.value) as words:
            trainer = JaxTrainer(config, _MODEL_DIR.value, words)
            loss = trainer.train()
    except TrainingError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    print(f"step {trainer.step}: loss {loss:.4f}; weights in {_MODEL_DIR.value}/weights-*.npz")
    return 128 + trainer.stopped_by if trainer.stopped_by else 0
