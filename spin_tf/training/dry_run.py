"""What a run would do, told in under a minute: data, charset coverage, shapes, memory. Nothing is written."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from spin_tf._types import Strategy, Tensor, Variable
from spin_tf.charset import Charset, Tokenizer
from spin_tf.config import Config
from spin_tf.contract.preprocessing import Preprocessing
from spin_tf.data.feeding.pipeline import TrainingWords
from spin_tf.models import SPINRecognizer
from spin_tf.training.base_trainer import build
from spin_tf.training.checkpoints import checkpoint_bytes, list_checkpoints
from spin_tf.training.losses import token_cross_entropy
from spin_tf.training.strategies import Place
from spin_tf.training.validation import Validator

# What a graph hands on without a buffer of its own.
_VIEWS = {"Identity", "Reshape", "Squeeze", "ExpandDims", "ReadVariableOp", "Placeholder", "StopGradient", "Shape"}


def dry_run(config: Config, model_dir: str, strategy: Strategy) -> Iterator[str]:
    """Yields lines for a person.

    Raises:
        ValueError, OSError: what would stop the run; the message names the key.
    """
    place = Place.of(strategy)
    tokenizer = Tokenizer(Charset.from_spec(config.model.charset), config.model.max_length)
    t = config.training
    words = TrainingWords(config.data, tokenizer, t.batch_size, t.steps, t.seed)
    yield from _data(config, words)
    validator = Validator.of(config.data, tokenizer, config.model.preprocessing)
    yield f"validation words: {', '.join(f'{name} {size}' for name, size in validator.sizes.items()) or 'none'}"
    yield from validator.notes
    yield from _coverage(words, tokenizer)

    built = build(config, model_dir)
    model = built.model
    if built.start:
        yield built.start
    # One real batch, through a part of the model's first step.
    batch = _first_batch(words, config.model.preprocessing, t.steps)
    yield from _shapes(model, batch, t.label_smoothing)
    yield from _memory(config, model, place)
    yield from _folder(config, built.variables, model_dir)
    yield (
        f"would train {t.steps:,} steps of {t.batch_size} words in {t.dtype} on {place.replicas} "
        f"{'device' if place.replicas == 1 else 'devices'} of {place.num_workers} "
        f"{'process' if place.num_workers == 1 else 'processes'}; frozen: {', '.join(t.freeze) or 'nothing'}"
    )


def _first_batch(words: TrainingWords, preprocessing: Preprocessing, steps: int) -> Any:
    try:
        return next(iter(words.dataset(preprocessing, 0, steps)))
    except tf.errors.OpError as error:
        broken = words.find_broken(0)
        reason = broken[0] if broken else " ".join(str(error).split())[:300]
        raise ValueError(f"a word of the first steps cannot be read. Received: {reason}") from error


def _data(config: Config, words: TrainingWords) -> Iterator[str]:
    shares = [words.make_sampler().shares(step) for step in (0, config.training.steps - 1)]
    drawn = config.training.steps * config.training.batch_size * (shares[0] + shares[1]) / 2
    for i, (name, size) in enumerate(zip(words.names, words.sizes, strict=True)):
        rejected = ", ".join(f"{count} {reason}" for reason, count in words.rejected[name].items())
        yield (
            f"data.train.{name}: {size:,} words ({'rejected: ' + rejected if rejected else 'none rejected'}), "
            f"{shares[0][i]:.0%} of a batch at first, {shares[1][i]:.0%} at last, each word about "
            f"{drawn[i] / size:.1f} times"
        )


def _coverage(words: TrainingWords, tokenizer: Tokenizer) -> Iterator[str]:
    charset, counts = tokenizer.charset, words.label_counts.characters
    seen = {charset.fold(character) for character in counts}
    missing = [character for character in charset.characters if character not in seen]
    outside = {character: count for character, count in counts.most_common() if charset.unknown(character)}
    yield (
        f"charset {charset.name}: {len(charset.characters)} characters; never in a label: "
        f"{''.join(missing) or 'none'}; outside it: "
        + (", ".join(f"{character!r} {count}" for character, count in list(outside.items())[:20]) or "none")
        + (f" and {len(outside) - 20} more" if len(outside) > 20 else "")
        + (f"; {hint}" if (hint := charset.hint(outside)) else "")
    )


def _shapes(model: SPINRecognizer, batch: dict[str, Tensor], label_smoothing: float) -> Iterator[str]:
    images, tokens = batch["image"][:2], batch["tokens"][:2]
    states = model.encode(model.rectify(images)["image"])
    logits = model.decoder(states, tokens[:, :-1])
    loss, count = token_cross_entropy(logits, tokens[:, 1:], label_smoothing)
    yield (
        f"shapes: image {tuple(batch['image'].shape)} -> states {tuple(states.shape[1:])} -> "
        f"logits {tuple(logits.shape[1:])}; loss of untrained weights on two words "
        f"{float(loss / count):.2f} (ln of {logits.shape[-1]} tokens is {np.log(logits.shape[-1]):.2f})"
    )


def _memory(config: Config, model: SPINRecognizer, place: Place) -> Iterator[str]:
    share = config.training.batch_size // place.replicas
    trainable = sum(int(np.prod(v.shape)) for v in model.trainable_variables)
    copies = 4 + bool(config.training.optimizer.ema)
    fixed = 4 * (trainable * copies + model.count_params() - trainable)
    activations = share * activation_bytes(model, 1)
    yield (
        f"memory of a device, about: {fixed / 2**20:,.0f} MiB for {model.count_params():,} weights with optimizer, "
        f"gradients{' and averages' if config.training.optimizer.ema else ''}, up to {activations / 2**20:,.0f} MiB "
        f"for the activations of {share} words"
    )


def activation_bytes(model: SPINRecognizer, batch_size: int) -> int:
    """Bytes of everything that the forward pass in training computes: an upper bound of what backpropagation keeps."""

    @tf.function(autograph=False)
    def forward(images: Tensor, previous: Tensor) -> Tensor:
        return model(images, previous, training=True)

    graph = forward.get_concrete_function(
        tf.TensorSpec((batch_size, *model.image_size, 1)), tf.TensorSpec((batch_size, model.num_steps), tf.int32)
    ).graph
    tensors = [
        output for operation in graph.get_operations() if operation.type not in _VIEWS for output in operation.outputs
    ]
    return sum(
        int(np.prod(tensor.shape.as_list())) * tensor.dtype.size
        for tensor in tensors
        if tensor.shape.is_fully_defined() and tensor.shape.rank and tensor.shape[0] == batch_size
    )


def _folder(config: Config, variables: list[Variable], model_dir: str) -> Iterator[str]:
    saved = list_checkpoints(model_dir)
    existing = model_dir
    while not os.path.isdir(existing):
        existing = os.path.dirname(os.path.abspath(existing))
    if not os.access(existing, os.W_OK):
        raise PermissionError(f"model_dir cannot be written. Received: --model_dir={model_dir}")
    size = checkpoint_bytes(variables)
    keep = config.training.keep_checkpoints
    yield (
        f"model_dir {model_dir}: {'goes on from ' + saved[-1] if saved else 'a new run'}; {keep} checkpoints of "
        f"{size / 2**20:,.0f} MiB, {shutil.disk_usage(existing).free / 2**20:,.0f} MiB free"
    )
