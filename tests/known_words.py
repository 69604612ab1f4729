"""A LiteRT model that reads the few words that it knows, drawn in Pillow's own font, so that tests of photographs and
commands need no trained model.

It compares a view with small pictures of its words: as a tight box of `tests.photo.pictures.draw_signs` shows them, as
its plate does, and as `tests.fuzz.images.word_picture` draws them. What resembles none of them, as words on a side or
upside down, is read with next to no confidence.

python -m tests.known_words  writes tests/known_words.tflite anew
"""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np

from spin_tf.charset import Charset
from spin_tf.reading.litert import ENCODE_SIGNATURE, SIGNATURE, STEP_SIGNATURE
from tests import strip_model

FILE = pathlib.Path(__file__).with_suffix(".tflite")
WORDS = ["Garden", "Street", "Market", "HOTEL", "HOTELS", "Monday", "Bakery", "House", "sale", "hello"]
# Of photographs with many words.
WORDS += [f"Word{number}" for number in range(8)]
CHARSET = Charset.from_spec("94")
METADATA: dict[str, Any] = {
    **strip_model.METADATA,
    "name": "known words",
    "charset": CHARSET.to_dict(),
    "max_length": max(map(len, WORDS)),
}
_CELL = (2, 4)
# As similar as a word must be to be as likely as none, and how much more likely it is the more similar it is.
_THRESHOLD, _SHARPNESS = 0.885, 80.0
# Every character can be read in every place; of what resembles no word, the most similar one is told as a guess.
_SMALLEST, _GUESS = 1e-3, 0.05


def pictures_of(word: str) -> list[np.ndarray]:
    """The three pictures by which a word is known, uint8 (height, width, 3)."""
    from spin_tf.data.conversion.cropping import cut_out
    from spin_tf.data.quadrilaterals import widen
    from tests.fuzz.images import word_picture
    from tests.photo.pictures import PlateDetector, draw_signs

    picture, places = draw_signs([(word, 60, 60, 60)], (900, 300))
    photograph = np.asarray(picture)
    crops = [cut_out(photograph, widen(one, 0.1)[0]) for one in (places, PlateDetector()(photograph)[0])]
    return [*(crop for crop in crops if crop is not None), np.asarray(word_picture(word))]


def features_of(view: np.ndarray) -> np.ndarray:
    """Means of cells of 2 x 4 pixels, centred and of length 1, float32 (400,)."""
    rows, columns = _CELL
    means = view.reshape(32 // rows, rows, 100 // columns, columns).mean(axis=(1, 3)).ravel()
    means = means - means.mean()
    return (means / np.linalg.norm(means)).astype(np.float32)


def write(path: pathlib.Path) -> None:
    """Converts the model to LiteRT and writes it with its metadata."""
    import tensorflow as tf

    from spin_tf.charset import Tokenizer
    from spin_tf.contract.preprocessing import Preprocessing
    from spin_tf.export.tflite import BATCH_SIZE

    preprocessing = Preprocessing.of(METADATA)
    known = np.array(
        [[features_of(preprocessing.view(image)) for image in pictures_of(word)] for word in WORDS], np.float32
    )
    tokenizer = Tokenizer(CHARSET, METADATA["max_length"])
    steps, classes = METADATA["max_length"] + 1, tokenizer.vocabulary_size
    table = np.zeros((len(WORDS), steps, classes), np.float32)
    places = np.full((len(WORDS), steps), 0.5, np.float32)
    for number, word in enumerate(WORDS):
        tokens = tokenizer.encode(word)[1:]
        tokens[len(word) :] = tokenizer.END_ID
        table[number] = (1 - _SMALLEST) * np.eye(classes)[tokens] + _SMALLEST / classes
        places[number, : len(word)] = (np.arange(len(word)) + 0.5) / len(word)

    def look(image: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        rows, columns = _CELL
        cells = tf.reduce_mean(tf.reshape(image, (32 // rows, rows, 100 // columns, columns)), axis=(1, 3))
        cells = tf.reshape(cells, (1, -1))
        cells -= tf.reduce_mean(cells)
        cells /= tf.sqrt(tf.reduce_sum(tf.square(cells))) + 1e-6
        similar = tf.matmul(cells, known.reshape(-1, known.shape[-1]), transpose_b=True)
        scores = _SHARPNESS * tf.reduce_max(tf.reshape(similar - _THRESHOLD, (len(WORDS), -1)), axis=1)[None]
        shares = tf.nn.softmax(scores)
        # How sure it is that there is one of its words.
        sure = _GUESS + (1 - _GUESS) * tf.sigmoid(tf.reduce_logsumexp(scores))
        probabilities = tf.reshape(tf.matmul(shares, table.reshape(len(table), -1)), (1, steps, classes))
        return sure * probabilities + (1 - sure) / classes, tf.matmul(shares, places)

    def read(image: tf.Tensor) -> dict[str, tf.Tensor]:
        return dict(zip(("probabilities", "positions"), look(image), strict=True))

    def encode(image: tf.Tensor) -> dict[str, tf.Tensor]:
        # One state a character.
        states, centres = look(image)
        return {"states": states, "projected": states[..., :1], "centres": centres}

    def step(
        states: tf.Tensor, projected: tf.Tensor, previous: tf.Tensor, output: tf.Tensor, cell: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        # The output counts the steps.
        attention = tf.one_hot(tf.cast(output[:, 0], tf.int32), steps)
        probabilities = tf.reduce_sum(attention[..., None] * states, axis=1)
        unused = 0 * (cell + projected[:, 0] + tf.cast(previous, tf.float32)[:, None])
        return {"probabilities": probabilities, "attention": attention, "output": output + 1, "cell": unused}

    def float32(name: str, *shape: int) -> tf.TensorSpec:
        return tf.TensorSpec(shape, tf.float32, name=name)

    one = [float32("image", 1, 32, 100, 1)]
    rows = [
        *(float32("states", BATCH_SIZE, steps, classes), float32("projected", BATCH_SIZE, steps, 1)),
        *(tf.TensorSpec((BATCH_SIZE,), tf.int32, name="previous"),),
        *(float32("output", BATCH_SIZE, 1), float32("cell", BATCH_SIZE, 1)),
    ]
    module = tf.Module()
    module.functions = {
        SIGNATURE: tf.function(read, input_signature=one),
        ENCODE_SIGNATURE: tf.function(encode, input_signature=one),
        STEP_SIGNATURE: tf.function(step, input_signature=rows),
    }
    strip_model.convert(module, module.functions, path, METADATA)


if __name__ == "__main__":
    write(FILE)
