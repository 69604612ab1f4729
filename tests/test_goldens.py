"""Every number of the published GA-SPIN: stored ones from PaddleOCR where `shared` is, else from plain numpy.

The tolerances are for float32: one rounding of the input moves the transformed image by up to 2e-4.
"""

from __future__ import annotations

import pathlib
from typing import Any, NamedTuple

import numpy as np
import pytest

from spin_tf.importers.checkpoint import model_from_state_dict
from spin_tf.importers.reference import ReferenceNetwork
from spin_tf.models import SPINRecognizer
from spin_tf.training.losses import token_cross_entropy
from tests.published_checkpoint import published_state_dict, stored_goldens, word_images


class Published(NamedTuple):
    arrays: dict[str, np.ndarray]
    numbers: dict[str, np.ndarray]
    model: SPINRecognizer


def without(arrays: dict[str, np.ndarray], offset: bool, grid: bool) -> dict[str, np.ndarray]:
    """The state dict of a lesser variant: the same weights without the parts it lacks."""
    columns = [*range(13), *([13] if offset else []), *(range(14, 54) if grid else [])]
    dropped = [*([] if offset else [".offset_fc"]), *([] if grid else [".GridGenerator."])]
    result = {name: value for name, value in arrays.items() if not any(part in name for part in dropped)}
    for name in ("transform.stucture_fc2.weight", "transform.stucture_fc2.bias"):
        result[name] = arrays[name][..., columns]
    return result


def reference_numbers(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    network, images = ReferenceNetwork(arrays), word_images()
    ga_spin = network.transform(images)
    backbone = network.backbone(ga_spin)
    encoder = network.encode(backbone)
    targets = np.zeros((len(images), 27), int)
    targets[:, 1:9] = [[12, 5, 31, 20, 8, 1, 0, 0], [69, 2, 40, 33, 17, 25, 9, 1]]
    logits = network.decode(encoder, targets[:, :-1])
    log_probabilities = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    taken = np.take_along_axis(log_probabilities, targets[:, 1:, None], -1)[..., 0]
    return {
        "images": images,
        "ga_spin": ga_spin,
        "backbone": backbone,
        "encoder": encoder,
        "probabilities": network.read(images),
        "targets": targets,
        "teacher_forced_logits": logits,
        "loss": -taken[targets[:, 1:] != 0].mean(),
        **{
            name: ReferenceNetwork(without(arrays, offset, grid)).transform(images)
            for name, offset, grid in (("spin", True, False), ("spn", False, False), ("ga_spn", False, True))
        },
    }


@pytest.fixture(scope="module")
def published(shared: pathlib.Path) -> Published:
    stored = stored_goldens(shared)
    if stored is None:
        arrays = published_state_dict()
        stored = arrays, reference_numbers(arrays)
    return Published(*stored, model_from_state_dict(stored[0]))


def last(images: np.ndarray) -> np.ndarray:
    """Channels first to channels last."""
    return images.transpose(0, 2, 3, 1)


def difference(ours: Any, theirs: np.ndarray) -> float:
    assert tuple(ours.shape) == theirs.shape
    return float(np.abs(np.asarray(ours) - theirs).max())


def test_transformed_image(published: Published) -> None:
    result = published.model.rectify(last(published.numbers["images"]))
    assert difference(result["image"], last(published.numbers["ga_spin"])) < 2e-3


@pytest.mark.parametrize(
    ("name", "offset", "grid"), [("spin", True, False), ("spn", False, False), ("ga_spn", False, True)]
)
def test_variants(published: Published, name: str, offset: bool, grid: bool) -> None:
    model = model_from_state_dict(without(published.arrays, offset, grid))
    assert model.config["transformation"]["name"] == name
    result = model.rectify(last(published.numbers["images"]))
    assert difference(result["image"], last(published.numbers[name])) < 2e-3


def test_backbone(published: Published) -> None:
    features = published.model.backbone(last(published.numbers["ga_spin"]))
    assert difference(features, published.numbers["backbone"][:, :, 0].transpose(0, 2, 1)) < 1e-2


def test_encoder_from_the_image(published: Published) -> None:
    images = last(published.numbers["images"])
    states = published.model.encode(published.model.rectify(images)["image"])
    assert difference(states, published.numbers["encoder"]) < 1e-3


def test_greedy_reading(published: Published) -> None:
    probabilities = np.asarray(published.model(last(published.numbers["images"]))["probabilities"])
    assert difference(probabilities, published.numbers["probabilities"]) < 2e-4
    np.testing.assert_array_equal(probabilities.argmax(-1), published.numbers["probabilities"].argmax(-1))


def test_teacher_forcing_and_loss(published: Published) -> None:
    targets = published.numbers["targets"].astype(np.int32)
    logits = published.model(last(published.numbers["images"]), targets[:, :-1])
    assert difference(logits, published.numbers["teacher_forced_logits"]) < 2e-3
    total, count = token_cross_entropy(logits, targets[:, 1:])
    assert abs(float(total) / float(count) - float(published.numbers["loss"])) < 1e-4


def test_number_of_parameters(published: Published) -> None:
    """What is in the file, LSTM weights once and two biases as one, is what the model has."""
    counted = {name: value for name, value in published.arrays.items() if ".rnn.0.cell_" not in name}
    second_biases = sum(value.size for name, value in counted.items() if "bias_hh" in name)
    assert published.model.count_params() == sum(value.size for value in counted.values()) - second_biases


def test_plain_numpy_meets_the_numbers(published: Published) -> None:
    """What stands in for the stored numbers in a clone without them is held to the same tolerances."""
    network, numbers = ReferenceNetwork(published.arrays), published.numbers
    assert difference(network.transform(numbers["images"]), numbers["ga_spin"]) < 2e-3
    assert difference(network.backbone(numbers["ga_spin"]), numbers["backbone"]) < 1e-2
    assert difference(network.encode(numbers["backbone"]), numbers["encoder"]) < 1e-3
    logits = network.decode(numbers["encoder"], numbers["targets"][:, :-1])
    assert difference(logits, numbers["teacher_forced_logits"]) < 2e-3
