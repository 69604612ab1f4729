"""Bytes of image files to words inside a graph: what `Recognizer.read_many` does, charset and decoding included."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from spin_tf.charset import Charset, Tokenizer
from spin_tf.export.encoded_images import views_of
from spin_tf.export.image_formats import REASONS
from spin_tf.models import SPINRecognizer

_TURNS = (0, 90, -90)


Reading = Callable[[Any], tuple[Any, Any]]


def row_reader(model: SPINRecognizer) -> Reading:
    """A function of images (n, height, width, 1), where n may be 0, to probabilities (n, steps, classes) and positions
    (n, steps). It is traced once, whatever calls it."""

    def read(images: Any) -> tuple[Any, Any]:
        number = tf.shape(images)[0]
        # The model's layers do not take an empty batch.
        missing = tf.maximum(1 - number, 0)
        result = model.read(tf.pad(images, [[0, missing], [0, 0], [0, 0], [0, 0]]), stop_at_end=True)
        return result["probabilities"][:number], result["positions"][:number]

    signature = [tf.TensorSpec((None, *model.image_size, 1), tf.float32)]
    reader: Reading = tf.function(read, input_signature=signature, autograph=False)
    return reader


def read_encoded(encoded: Any, read: Reading, charset: Charset, image_size: tuple[int, int]) -> dict[str, Any]:
    """Reads a batch of image files.

    Args:
        encoded: string (n,), n may be 0.
        read: what `row_reader` makes of the model.
        charset, image_size: of the model.

    Returns:
        dict of `words` string (n,) UTF-8, `confidence` float32 (n,), `valid` bool (n,), `reason` string (n,) (one of
        `REASONS`, empty where valid), `character_confidences` and `positions` float32 (n, steps) (the first entries
        belong to the characters of the word, the others are 0) and `turned` int32 (n,), as in `Word`. Words are empty
        and numbers 0 where `valid` is false.
    """
    views = views_of(encoded, image_size)
    num_upright, num_turned = tf.size(views.files), tf.size(views.turned_rows)
    rows = tf.concat([views.upright, tf.reshape(views.turned, (-1, *image_size, 1))], axis=0)
    probabilities, positions = read(rows)

    tokens = tf.argmax(probabilities, axis=-1, output_type=tf.int32)
    best = tf.reduce_max(probabilities, axis=-1)
    ends = tf.cast(tokens == Tokenizer.END_ID, tf.int32)
    counts = tf.cumsum(ends, axis=1, exclusive=True) == 0
    confidence = tf.reduce_prod(tf.where(counts, tf.cast(best, tf.float64), 1.0), axis=1)
    spells = counts & (tokens >= Tokenizer.FIRST_CHARACTER_ID)
    lengths = tf.reduce_sum(tf.cast(spells, tf.int32), axis=1)

    # The surest of the readings of a file; one letter alone does not run anywhere. argmax takes the first of equals.
    turned_confidence = tf.where(lengths > 1, confidence, -1.0)[num_upright:]
    beside = tf.tensor_scatter_nd_update(
        tf.fill([num_upright, 2], tf.constant(-1.0, tf.float64)),
        views.turned_rows[:, None],
        tf.reshape(turned_confidence, (-1, 2)),
    )
    turn = tf.argmax(tf.concat([confidence[:num_upright, None], beside], axis=1), axis=1, output_type=tf.int32)
    own = tf.range(num_upright)
    first_turned = tf.tensor_scatter_nd_update(own, views.turned_rows[:, None], num_upright + 2 * tf.range(num_turned))
    chosen = tf.where(turn == 0, own, first_turned + turn - 1)

    # Characters come first, whatever else (the start token) a step may have read among them.
    tokens, best, positions, spells, confidence, lengths = (
        tf.gather(values, chosen) for values in (tokens, best, positions, spells, confidence, lengths)
    )
    order = tf.argsort(tf.cast(~spells, tf.int32), axis=1, stable=True)
    filled = tf.sequence_mask(lengths, tf.shape(tokens)[1])
    tokens, best, positions = (
        tf.where(filled, tf.gather(values, order, batch_dims=1), tf.zeros((), values.dtype))
        for values in (tokens, best, positions)
    )
    vocabulary = tf.constant([""] * Tokenizer.FIRST_CHARACTER_ID + list(charset.characters))
    words = tf.strings.reduce_join(tf.gather(vocabulary, tokens), axis=1)

    # Back to the order of the files; those without a row get the one of zeros behind the last.
    places = tf.fill([tf.size(encoded)], num_upright)
    places = tf.tensor_scatter_nd_update(places, views.files[:, None], own)

    def in_order(values: Any) -> Any:
        blank = tf.fill(tf.concat([[1], tf.shape(values)[1:]], axis=0), tf.zeros((), values.dtype))
        return tf.gather(tf.concat([values, blank], axis=0), places)

    return {
        "words": in_order(words),
        "confidence": in_order(tf.cast(confidence, tf.float32)),
        "valid": views.reasons == 0,
        "reason": tf.gather(tf.constant(REASONS), views.reasons),
        "character_confidences": in_order(best),
        "positions": in_order(positions),
        "turned": in_order(tf.gather(tf.constant(_TURNS), turn)),
    }
