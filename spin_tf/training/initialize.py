from __future__ import annotations

import unicodedata
from typing import Any

import numpy as np
from absl import logging

from spin_tf._types import Variable
from spin_tf.charset import Charset, Tokenizer
from spin_tf.layers import ResidualBlock
from spin_tf.models import load_model
from spin_tf.models.backbone import ResNet32
from spin_tf.models.loading import relative_path

# By how much less likely an accented letter begins than the letter without.
_ACCENT_LOGIT = 4.0
# Axis along which a decoder weight has one entry a token.
_TOKEN_AXIS = {"token_kernel": 0, "generator": 1, "generator_bias": 0}


def start_from(path: str, target: Any, partly: bool = False) -> str:
    """Gives a model the weights of `training.init_from`, where at least half of its numbers are found there.

    Args:
        path: what `load_model` takes.
        target: a `SPINRecognizer`.
        partly: take what there is, however little (`training.init_partly`).

    Returns:
        a sentence about what fits.

    Raises:
        ValueError, OSError: there is no model, or less than half fits; names the key.
    """
    try:
        source = load_model(path)
        fresh = set(transfer_weights(source, target))
    except (ValueError, OSError) as error:
        raise type(error)(f"training.init_from: {error}") from error
    sizes = {relative_path(variable): int(np.prod(variable.shape)) for variable in target.variables}
    share = 1 - sum(sizes[name] for name in fresh) / sum(sizes.values())
    told = f"training.init_from {path}: {share:.0%} of {sum(sizes.values()):,} weights fit"
    if fresh:
        told += f"; {len(fresh)} of {len(sizes)} arrays start afresh: {', '.join(sorted(fresh)[:5])}"
        told += "" if len(fresh) <= 5 else " ..."
    if source.image_size != target.image_size:
        ours, theirs = ("{} x {}".format(*model.image_size) for model in (target, source))
        told += f"; they were trained on images of {theirs} pixels, not {ours}: training has to make up for that"
    if share < 0.5 and not partly:
        raise ValueError(f"{told}. training.init_partly=true starts all the same. Received: init_partly=false")
    return told


def transfer_weights(source: Any, target: Any) -> list[str]:
    """Copies one recogniser's weights into another of the same shape, whatever their charsets.

    Rows of the tokens that both charsets have are kept (start and end always); a character that only the other case of
    which is known, or only its letter without the accent, starts from that, the latter as far less likely; new ones
    keep their fresh values. Residual blocks that the source lacks begin as identities, so that a deeper backbone reads
    what the shallower one read.

    Args:
        source, target: `SPINRecognizer`s.

    Returns:
        paths of target weights that found no counterpart of their shape and keep their fresh values.

    Raises:
        ValueError: nothing could be copied.
    """
    sources = {relative_path(variable): variable for variable in source.variables}
    rows = _token_rows(source.charset, target.charset)
    fresh, copied = [], 0
    for variable in target.variables:
        path = relative_path(variable)
        name = path.rsplit("/", 1)[-1]
        other = sources.get(path)
        if other is None:
            fresh.append(path)
            continue
        value, old = np.array(variable), np.asarray(other)
        axis = _TOKEN_AXIS.get(name) if "decoder/" in path else None
        if axis is not None:
            value, old = np.moveaxis(value, axis, 0), np.moveaxis(old, axis, 0)
            if value.shape[1:] != old.shape[1:]:
                fresh.append(path)
                continue
            for row, (old_row, is_accented) in rows.items():
                value[row] = old[old_row] - (_ACCENT_LOGIT if is_accented and name == "generator_bias" else 0.0)
            value = np.moveaxis(value, 0, axis)
        elif value.shape == old.shape:
            value = old
        else:
            fresh.append(path)
            continue
        variable.assign(value)
        copied += 1
    _begin_as_identity(target, sources)
    if not copied:
        raise ValueError(f"no weight of {source.name} fits the new model. Received: {len(sources)} weights")
    if fresh:
        logging.warning("%d weights start afresh: %s", len(fresh), ", ".join(fresh[:5]))
    return fresh


def _begin_as_identity(target: Any, sources: dict[str, Variable]) -> None:
    """Silences the residual branch of each block of which nothing was known: its input is behind a ReLU and passes.

    Reference: Goyal et al., arXiv 1706.02677, section 5.1 (the last scale of a residual block starts at 0).
    """
    if not isinstance(target.backbone, ResNet32):
        return
    for block in target.backbone.stages:
        if not isinstance(block, ResidualBlock) or block.projection is not None:
            continue
        if not any(relative_path(variable) in sources for variable in block.variables):
            block.conv2.norm.gamma.assign(np.zeros(block.filters, "float32"))


def _token_rows(source: Charset, target: Charset) -> dict[int, tuple[int, bool]]:
    """By token of the target, the one of the source that it starts from, and whether that lacks its accent."""
    first = Tokenizer.FIRST_CHARACTER_ID
    rows = {i: (i, False) for i in range(first)}
    for i, character in enumerate(target.characters):
        letter = _letter(character)
        own = (character, character.lower(), character.upper())
        for candidate in (*own, letter, letter.lower(), letter.upper()):
            if candidate in source.characters:
                rows[first + i] = first + source.characters.index(candidate), candidate not in own
                break
    return rows


def _letter(character: str) -> str:
    """A character without its accents."""
    return unicodedata.normalize("NFD", character)[0]
