"""Bytes of image files to words inside a graph: what `Recognizer.read_many` does, charset and decoding included."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import tensorflow as tf

from spin_tf._types import Tensor
from spin_tf.charset import Charset, Tokenizer
from spin_tf.contract.constants import TURNS
from spin_tf.contract.preprocessing import Preprocessing, Size
from spin_tf.export.encoded_images import views_of
from spin_tf.export.image_formats import REASONS
from spin_tf.models import SPINRecognizer

Reading = Callable[[Tensor], tuple[Tensor, Tensor]]


def row_reader(model: SPINRecognizer, size: Size) -> Reading:
    """A function of images (n, *size, 1), where n may be 0, to probabilities (n, steps, classes) and positions
    (n, steps). It is traced once, whatever calls it."""

    def read(images: Tensor) -> tuple[Tensor, Tensor]:
        number = tf.shape(images)[0]
        # The model's layers do not take an empty batch.
        missing = tf.maximum(1 - number, 0)
        result = model.read(tf.pad(images, [[0, missing], [0, 0], [0, 0], [0, 0]]), stop_at_end=True)
        return result["probabilities"][:number], result["positions"][:number]

    signature = [tf.TensorSpec((None, *size, 1), tf.float32)]
    reader: Reading = tf.function(read, input_signature=signature, autograph=False)
    return reader


def read_encoded(
    encoded: Tensor, readers: Sequence[Reading], charset: Charset, preprocessing: Preprocessing
) -> dict[str, Tensor]:
    """Reads a batch of image files.

    Args:
        encoded: string (n,), n may be 0.
        readers: what `row_reader` makes of the model for its `image_size`, and for its `wide_image_size` where it has
            one.
        charset, preprocessing: of the model.

    Returns:
        dict of `words` string (n,) UTF-8, `confidence` float32 (n,), `valid` bool (n,), `reason` string (n,) (one of
        `REASONS`, empty where valid), `character_confidences` and `positions` float32 (n, steps) (the first entries
        belong to the characters of the word, the others are 0) and `turned` int32 (n,), as in `Word`. Words are empty
        and numbers 0 where `valid` is false.
    """
    views = views_of(encoded, preprocessing)
    num_files = tf.size(views.files)
    probabilities, positions = readers[0](views.narrow)
    if len(readers) > 1:
        read_wide, nothing = readers[1], (probabilities[:0], positions[:0])
        wide = tf.cond(tf.shape(views.wide)[0] > 0, lambda: read_wide(views.wide), lambda: nothing)
        probabilities, positions = tf.concat([probabilities, wide[0]], 0), tf.concat([positions, wide[1]], 0)

    tokens = tf.argmax(probabilities, axis=-1, output_type=tf.int32)
    best = tf.reduce_max(probabilities, axis=-1)
    ends = tf.cast(tokens == Tokenizer.END_ID, tf.int32)
    counts = tf.cumsum(ends, axis=1, exclusive=True) == 0
    confidence = tf.reduce_prod(tf.where(counts, tf.cast(best, tf.float64), 1.0), axis=1)
    spells = counts & (tokens >= Tokenizer.FIRST_CHARACTER_ID)
    lengths = tf.reduce_sum(tf.cast(spells, tf.int32), axis=1)

    # The surest of the readings of a file; one letter alone does not run anywhere. argmax takes the first of equals.
    counted = tf.where((views.turns == 0) | (lengths > 1), confidence, -1.0)
    places = tf.stack([views.owners, views.turns], axis=1)
    shape = (num_files, len(TURNS))
    by_turn = tf.tensor_scatter_nd_update(tf.fill(shape, tf.constant(-1.0, tf.float64)), places, counted)
    rows = tf.scatter_nd(places, tf.range(tf.size(views.owners)), shape)
    turn = tf.argmax(by_turn, axis=1, output_type=tf.int32)
    chosen = tf.gather(rows, turn, batch_dims=1)

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
    places = tf.fill([tf.size(encoded)], num_files)
    places = tf.tensor_scatter_nd_update(places, views.files[:, None], tf.range(num_files))

    def in_order(values: Tensor) -> Tensor:
        blank = tf.fill(tf.concat([[1], tf.shape(values)[1:]], axis=0), tf.zeros((), values.dtype))
        return tf.gather(tf.concat([values, blank], axis=0), places)

    return {
        "words": in_order(words),
        "confidence": in_order(tf.cast(confidence, tf.float32)),
        "valid": views.reasons == 0,
        "reason": tf.gather(tf.constant(REASONS), views.reasons),
        "character_confidences": in_order(best),
        "positions": in_order(positions),
        "turned": in_order(tf.gather(tf.constant(TURNS), turn)),
    }
