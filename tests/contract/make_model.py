"""Trains the tiny model of tests/contract/cases: it reads hexadecimal digits in the bitmap font of the cases.

python -m tests.contract.make_model [STEPS]     writes tiny.tflite (minutes)

It is frozen: who trains it anew changes the words of expected.json.
"""

from __future__ import annotations

import sys

import keras
import numpy as np
import tensorflow as tf

from spin_tf.charset import Tokenizer
from spin_tf.contract.preprocessing import prepare
from spin_tf.export import tflite
from spin_tf.models import SPINRecognizer
from spin_tf.reading.litert import SIGNATURE
from tests.contract.make_cases import MODEL, PREPROCESSING, picture

CONFIG = {
    "name": "tiny",
    "charset": "chars:0123456789ABCDEF",
    "max_length": 20,
    "image_size": list(PREPROCESSING.image_size),
    "wide_image_size": list(PREPROCESSING.wide_image_size or ()),
    "transformation": {"name": "none"},
    "backbone": {"name": "resnet32", "width": 16, "num_blocks": [1, 1, 1, 1]},
    "encoder": {"units": 12, "features": [16]},
    "decoder": {"units": 24},
}
BATCH = 32


def word(rng: np.random.Generator, wide: bool) -> tuple[np.ndarray, str]:
    """A view of one of the sizes, and its label."""
    while True:
        length = int(rng.integers(12, 21)) if wide else int(rng.integers(1, 11))
        text = "".join(rng.choice(list("0123456789ABCDEF"), length))
        channels = int(rng.choice([1, 3]))
        ground, ink = rng.integers(0, 256, (2, channels))
        if np.abs(ground - ink).max() > 60:
            scale, noise = int(rng.integers(1, 4)), int(rng.choice([2, 6, 20, 40]))
            above, below, left, right = (int(margin) for margin in rng.integers(1, 9, 4))
            margins = above, below, left, right
            image = picture(text, tuple(ground), tuple(ink), scale, margins, noise, int(rng.integers(1 << 30)))
            view = prepare(image, PREPROCESSING)
            if (view.shape[1] == PREPROCESSING.image_size[1]) != wide:
                return view, text


def main(steps: int) -> None:
    keras.utils.set_random_seed(1)
    rng = np.random.default_rng(1)
    model = SPINRecognizer(CONFIG)
    tokenizer = Tokenizer(model.charset, model.config["max_length"])
    schedule = keras.optimizers.schedules.CosineDecay(0.0, steps, 0.0, warmup_target=4e-3, warmup_steps=steps // 20)
    optimizer = keras.optimizers.AdamW(schedule, clipnorm=5.0)

    @tf.function(reduce_retracing=False)
    def step(images: tf.Tensor, tokens: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            logits = model(images, tokens[:, :-1], training=True)
            losses = keras.losses.sparse_categorical_crossentropy(tokens[:, 1:], logits, from_logits=True)
            counted = tf.cast(tokens[:, 1:] > 0, tf.float32)
            loss = tf.reduce_sum(losses * counted) / tf.reduce_sum(counted)
        optimizer.apply(tape.gradient(loss, [v.value for v in model.trainable_variables]), model.trainable_variables)
        return loss

    for number in range(steps):
        words = [word(rng, number % 4 == 3) for _ in range(BATCH)]
        tokens = np.stack([tokenizer.encode(text) for _, text in words])
        loss = step(tf.constant(np.stack([view for view, _ in words])), tf.constant(tokens))
        if number % 50 == 0 or number == steps - 1:
            print(number, f"{float(loss):.4f}", flush=True)
    # The two that every reader knows: the graphs of the others are larger than the weights.
    endpoints = tflite._endpoints
    tflite._endpoints = lambda *arguments: {k: v for k, v in endpoints(*arguments).items() if k.startswith(SIGNATURE)}
    model.save(MODEL.with_suffix(".keras"))
    MODEL.write_bytes(tflite.convert(model))
    print(MODEL.stat().st_size, "bytes")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3000)
