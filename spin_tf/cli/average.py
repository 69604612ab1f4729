"""Averages the weights of models that were trained on from the same weights: often better than each of them.

bin/average.py --config=FILE --model=MODEL --model=MODEL... [--share=NUMBER...] --output=FILE.keras

--config is that of the training: from its words, augmented as there, the average gets batch statistics of its own.
"""

from __future__ import annotations

from absl import flags

from spin_tf import config as config_module
from spin_tf._extras import require
from spin_tf._files import write_atomically
from spin_tf.cli._run import UserError, flags_only

_CONFIG = flags.DEFINE_string("config", None, "configuration of the training, for its data.train", required=True)
_MODELS = flags.DEFINE_multi_string("model", None, ".keras file, model_dir or folder of weights", required=True)
_SHARES = flags.DEFINE_multi_float("share", None, "of each --model, in their order; equal ones by default")
_OUTPUT = flags.DEFINE_string("output", None, ".keras file to write", required=True)
_SET = flags.DEFINE_multi_string("set", [], "key=value, overrides the file; dotted keys, may be repeated")


def main(argv: list[str]) -> int:
    flags_only(argv)
    if not _OUTPUT.value.endswith(".keras"):
        raise UserError(f"what is written is a .keras file. Received: --output={_OUTPUT.value}")
    require("tensorflow", "Averaging", "train")
    from spin_tf.charset import Tokenizer
    from spin_tf.data.feeding.pipeline import TrainingWords
    from spin_tf.models import load_model
    from spin_tf.training.averaging import NUM_BATCHES, average_models, recalibrate

    config = config_module.load(_CONFIG.value, _SET.value)
    model = average_models([load_model(path) for path in _MODELS.value], _SHARES.value)
    tokenizer = Tokenizer(model.charset, model.config["max_length"])
    for source in config.data.train.values():
        # The mixture as it is at the end of the training.
        if source.final_weight is not None:
            source.weight = source.final_weight
    words = TrainingWords(config.data, tokenizer, config.training.batch_size, NUM_BATCHES, config.training.seed)
    recalibrate(model, (batch["image"] for batch in words.dataset(model.preprocessing, 0, NUM_BATCHES)))
    write_atomically(_OUTPUT.value, model.save)
    print(f"the average of {len(_MODELS.value)} models written to {_OUTPUT.value}; calibrate it before it is exported")
    return 0
