"""What each stage of a model made of one crop."""

from __future__ import annotations

import dataclasses

import numpy as np
from PIL import Image

from spin_tf.charset import Charset, Tokenizer
from spin_tf.contract.pixels import rot90
from spin_tf.contract.word import Word
from spin_tf.decoding.stepping import SteppingModel, walk_steps
from spin_tf.reading.inputs import ImageLike, load_image
from spin_tf.reading.word_model import RectifyingModel
from spin_tf.recognizer import Recognizer

NUM_BEST = 3
# Of the picture as it was given, in pixels of the page; a photograph may be named by mistake.
_SHOWN = (400, 200)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One step of the decoder: a character, or the end of the word.

    Args:
        character: what was written; empty for the end of the word.
        probability: of that.
        best: the most probable characters of the step with their probabilities; empty texts are the end.
        position: where the model looks, 0 (left edge) to 1 across the crop.
        light: attention over the crop, float (height, width), 0 and above; None where the model does not tell.
    """

    character: str
    probability: float
    best: tuple[tuple[str, float], ...]
    position: float
    light: np.ndarray | None


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Stages:
    """What the transformation of a model did; None for what its variant does not have.

    Args:
        offset: of AIN, (height, width) in [0, 1].
        gate: how much of the offset is mixed in, 0..1.
        chromatic: the crop after SPN, (height, width) in [-1, 1].
        control_points: (F, 2), see `ThinPlateSpline`.
        rectified: (height, width) in [-1, 1], what the backbone gets.
    """

    offset: np.ndarray | None
    gate: float | None
    chromatic: np.ndarray | None
    control_points: np.ndarray | None
    rectified: np.ndarray


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """How a word came about.

    Args:
        name: of the image.
        word: what was read.
        truth: the label, where there is one.
        crop: the image as it was given, made smaller where it is large.
        size: its height and width before.
        prepared: what the model gets, (height, width) in [-1, 1], turned as the word was.
        stages: what the transformation did; None for models that do not tell: SavedModels, ONNX, older `.tflite` files.
        steps: those of the word, or of the most probable characters where `follows_word` is False.
        follows_word: whether the steps spell the word.
        num_views: how many views of the crop the word was read from; the steps are those of the first.
    """

    name: str
    word: Word
    truth: str | None
    crop: Image.Image
    size: tuple[int, int]
    prepared: np.ndarray
    stages: Stages | None
    steps: tuple[Step, ...]
    follows_word: bool
    num_views: int


def trace(recognizer: Recognizer, image: ImageLike, word: Word, name: str, truth: str | None = None) -> Trace:
    """Reads one image again, stage by stage.

    Models whose decoder can be called step by step are led along the word, whatever decoding found it; others
    (SavedModels, `.tflite` files without the signatures `encode` and `step`) tell the probabilities of greedy reading
    and the positions.

    Args:
        recognizer: what read the word.
        image: the same that it read.
        word: what it answered.
        name: of the image.
        truth: its label.

    Raises:
        OSError, ValueError: what `Recognizer.read` raises.
    """
    pixels = load_image(image)
    # As `turned_views` turns it.
    cut = recognizer.preprocessing.cut(pixels)
    prepared = recognizer.preprocessing.view(rot90(cut, word.turned // 90))
    model, rectified, grid = recognizer.model, None, None
    if isinstance(model, RectifyingModel) and model.can_rectify:
        rectified = {key: np.asarray(value, np.float32)[0] for key, value in model.rectify(prepared[None]).items()}
        grid = rectified.get("grid")
    wanted = None if word.reason else tokens_of(recognizer.charset, word)
    centres = attention = None
    if isinstance(model, SteppingModel) and model.can_step:
        num_steps = int(model.metadata["max_length"]) + 1 if wanted is None else len(wanted)
        probabilities, attention, centres = (
            values[0] for values in walk_steps(model, prepared[None], num_steps, wanted)
        )
        positions = np.clip(attention @ centres, 0, 1)
    else:
        probabilities, positions = (output[0] for output in model.predict_words(prepared[None]))
    greedy = probabilities.argmax(axis=-1)
    ends = np.flatnonzero(greedy == Tokenizer.END_ID)
    tokens = greedy[: int(ends[0]) + 1] if len(ends) else greedy
    follows = wanted is not None and (attention is not None or wanted == tokens.tolist())
    if wanted is not None and attention is not None:
        tokens = np.asarray(wanted)
    size = (prepared.shape[0], prepared.shape[1])
    steps = tuple(
        Step(
            _text(recognizer.charset, int(token)),
            float(probabilities[i, token]),
            tuple(
                (_text(recognizer.charset, int(t)), float(probabilities[i, t]))
                for t in np.argsort(-probabilities[i], kind="stable")[:NUM_BEST]
            ),
            float(positions[i]),
            None if attention is None or centres is None else spread(attention[i], centres, size, grid),
        )
        for i, token in enumerate(tokens)
    )
    return Trace(
        name,
        word,
        truth,
        _reduced(pixels),
        (pixels.shape[0], pixels.shape[1]),
        prepared[..., 0],
        None if rectified is None else _stages(rectified),
        steps,
        follows,
        recognizer.options.num_views,
    )


def tokens_of(charset: Charset, word: Word) -> list[int] | None:
    """The tokens that spell a word, its end included unless it is truncated; None where the charset cannot."""
    text = charset.fold(word.text)
    if charset.unknown(text):
        return None
    tokens = [charset.characters.index(c) + Tokenizer.FIRST_CHARACTER_ID for c in text]
    return tokens if word.truncated else [*tokens, Tokenizer.END_ID]


def spread(
    attention: np.ndarray, centres: np.ndarray, size: tuple[int, int], grid: np.ndarray | None = None
) -> np.ndarray:
    """Attention over the pixels of the crop.

    Args:
        attention: (T,) over the rectified image, a step every four pixels.
        centres: (T,), where across the crop each lies, in 0..1.
        size: height and width of the crop.
        grid: (height, width, 2), from where in the crop each rectified pixel comes, in [-1, 1]. Without it, the columns
            are taken to be upright.

    Returns:
        float32 (height, width), 0 where nothing of the rectified image comes from.
    """
    height, width = size
    if grid is None:
        order = np.argsort(centres, kind="stable")
        across = (np.arange(width) + 0.5) / width
        row = np.interp(across, centres[order], attention[order], left=0, right=0)
        return np.broadcast_to(row, size).astype(np.float32)
    # Four pixels a step, in the middle of the image: from edge to edge (ResNet32) or from half a step inside (LCNet).
    margin = (width - 4 * (len(attention) - 1)) / 2
    columns = np.interp(np.arange(width) + 0.5, np.linspace(margin, width - margin, len(attention)), attention)
    x, y = (grid[..., 0] + 1) / 2 * width - 0.5, (grid[..., 1] + 1) / 2 * height - 0.5
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    # Two pixels of margin take what falls beside the crop.
    sums = np.zeros((2, height + 4, width + 4))
    for down in (0, 1):
        for right in (0, 1):
            weights = np.abs(1 - right - (x - left)) * np.abs(1 - down - (y - top))
            place = np.clip(top + down, -2, height + 1) + 2, np.clip(left + right, -2, width + 1) + 2
            np.add.at(sums[0], place, weights * columns)
            np.add.at(sums[1], place, weights)
    sums[:, :2] = sums[:, -2:] = 0
    sums[:, :, :2] = sums[:, :, -2:] = 0
    # Where the grid is coarser than the crop, pixels between its samples would stay dark.
    near = np.zeros_like(sums)
    for down, right in np.ndindex(3, 3):
        near += np.roll(sums, (down - 1, right - 1), axis=(1, 2))
    near = near[:, 2:-2, 2:-2]
    return np.divide(near[0], near[1], out=np.zeros(size), where=near[1] > 1e-3).astype(np.float32)


def _stages(rectified: dict[str, np.ndarray]) -> Stages:
    def flat(key: str) -> np.ndarray | None:
        return rectified[key][..., 0] if key in rectified else None

    gate = float(1 / (1 + np.exp(-rectified["gate"][0]))) if "gate" in rectified else None
    return Stages(flat("offset"), gate, flat("chromatic"), rectified.get("control_points"), rectified["image"][..., 0])


def _text(charset: Charset, token: int) -> str:
    if token == Tokenizer.END_ID:
        return ""
    # Padding: the loss never asks for it, so only a model that learnt little gives it a share.
    return charset.characters[token - Tokenizer.FIRST_CHARACTER_ID] if token != Tokenizer.PADDING_ID else "(nothing)"


def _reduced(pixels: np.ndarray) -> Image.Image:
    picture = Image.fromarray(pixels.reshape(pixels.shape[:2]) if pixels.shape[2:] == (1,) else pixels)
    picture.thumbnail(_SHOWN)
    return picture
