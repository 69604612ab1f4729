"""PP-OCR's light recognition backbone, from the ONNX file that RapidOCR carries, as the start of a model here."""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import pathlib
from typing import Any

import numpy as np

from spin_tf._extras import require
from spin_tf.charset import Charset
from spin_tf.config import (
    BackboneConfig,
    Config,
    DecoderConfig,
    EncoderConfig,
    ModelConfig,
    TrainingConfig,
    TransformationConfig,
    save,
)
from spin_tf.contract.preprocessing import axis_weights
from spin_tf.importers.verification import drawn_words, written_when_proven
from spin_tf.models import SPINRecognizer, load_model
from spin_tf.models.lcnet import ROWS, LCNet

# Names the file in the installed package instead of a path.
INSTALLED = "rapidocr"
FILE_NAME = "PP-OCRv6_rec_small.onnx"
FEATURE_TOLERANCE = 1e-4
_NUM_STEM = 5


def find_file(name: str) -> str:
    """The path of a recognition file: `name` itself, or for "rapidocr" the file inside the installed package.

    Raises:
        FileNotFoundError: there is no such file, or the package is not installed or carries another file.
    """
    if name == INSTALLED:
        # Found, not imported: RapidOCR itself is not needed.
        spec = importlib.util.find_spec(INSTALLED)
        if spec is None or not spec.submodule_search_locations:
            raise FileNotFoundError(f"rapidocr is not installed: pip install rapidocr. Received: {name}")
        name = os.path.join(spec.submodule_search_locations[0], "models", FILE_NAME)
    if not os.path.isfile(name):
        raise FileNotFoundError(f"there is no such file. Received: {name}")
    return name


@dataclasses.dataclass(frozen=True)
class PublishedBackbone:
    """What a recognition file holds of the backbone.

    Args:
        path: of the file.
        width: channels of its last stage.
        num_blocks: residual blocks of its three stages.
        weights: kernel, as ONNX keeps it (out, in, rows, columns), and bias (out,) of every convolution, in order.
        output: the name of the tensor of its features, (batch, width, 3, W / 4).
    """

    path: str
    width: int
    num_blocks: list[int]
    weights: list[tuple[np.ndarray, np.ndarray]]
    output: str


def read_backbone(path: str) -> PublishedBackbone:
    """Finds the backbone in a file of PP-OCR's recogniser: the convolutions before the pooling that ends it.

    Raises:
        ValueError: the file is damaged, or its network is another one; says where it parts.
    """
    onnx = require("onnx", "Importing PP-OCR's backbone", "onnx")
    try:
        graph = onnx.load(path).graph
    except Exception as error:
        raise ValueError(f"not an ONNX file: {' '.join(str(error).split())[:200]}. Received: {path}") from error
    arrays = _Arrays(graph)
    weights: list[tuple[np.ndarray, np.ndarray]] = []
    num_blocks = [0]
    output = None
    for node in graph.node:
        if node.op_type == "AveragePool":
            output = arrays.source(node.input[0])
            break
        if node.op_type != "Conv":
            continue
        kernel, bias = arrays.kernel(node), arrays.bias(node)
        options = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        if options.get("group", 1) > 1:
            if list(options.get("strides", ())) == [2, 1]:
                num_blocks.append(0)
            else:
                num_blocks[-1] += 1
        weights.append((kernel, bias))
    if output is None or len(num_blocks) != 3 or min(num_blocks) < 1:
        raise ValueError(
            "not a recogniser of PP-OCR's light backbone, which has three stages of depthwise blocks before an average "
            f"pooling. Received: {path} with stages of {num_blocks} blocks"
        )
    return PublishedBackbone(path, len(weights[-1][1]), num_blocks, weights, output)


class _Arrays:
    """The constants of a graph by name, whatever stands between them and their use."""

    def __init__(self, graph: Any) -> None:
        from onnx import numpy_helper

        self._values = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
        self._sources: dict[str, str] = {}
        self._users: dict[str, Any] = {}
        for node in graph.node:
            if node.op_type == "Constant":
                self._values[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
            elif node.op_type == "Identity":
                self._sources[node.output[0]] = node.input[0]
            for name in node.input:
                self._users.setdefault(name, node)

    def source(self, name: str) -> str:
        while name in self._sources:
            name = self._sources[name]
        return name

    def _value(self, name: str) -> np.ndarray:
        value = self._values.get(self.source(name))
        if value is None:
            raise ValueError(f"a convolution's weights are constants. Received: {name}")
        return value

    def kernel(self, node: Any) -> np.ndarray:
        return self._value(node.input[1])

    def bias(self, node: Any) -> np.ndarray:
        if len(node.input) > 2:
            return self._value(node.input[2]).reshape(-1)
        add = self._users.get(node.output[0])
        if add is None or add.op_type != "Add":
            raise ValueError(f"every convolution of the backbone has a bias. Received: {node.name} without one")
        other = add.input[1] if add.input[0] == node.output[0] else add.input[0]
        return self._value(other).reshape(-1)


def assign(layer: LCNet, published: PublishedBackbone) -> None:
    """Copies the published weights into a layer of the same stages; the first kernel's three colours are summed.

    Raises:
        ValueError: a weight is missing or has another shape; names it.
    """
    left = list(published.weights)

    def take(target: Any) -> None:
        name = target.path
        if not left:
            raise ValueError(f"the file ends before {name}. Received: {published.path}")
        kernel, bias = left.pop(0)
        wanted = tuple(target.kernel.shape)
        # (out, in, rows, columns) to Keras's order; a dense layer is a convolution of 1 x 1 there.
        kernel = kernel.transpose(2, 3, 1, 0)
        if target is layer.stem1:
            # A grey picture in all three channels.
            kernel = kernel.sum(axis=2, keepdims=True)
        elif len(wanted) == 2:
            kernel = kernel[0, 0]
        elif wanted[-1] == 1:
            kernel = kernel.transpose(0, 1, 3, 2)
        if kernel.shape != wanted or bias.shape != (tuple(target.bias.shape)):
            raise ValueError(f"{name} of {wanted} is wanted. Received: {kernel.shape} from {published.path}")
        target.kernel.assign(kernel.astype(np.float32))
        target.bias.assign(bias.astype(np.float32))

    if not layer.built:
        layer.build((None, 32, 128, 1))
    for stem in (layer.stem1, layer.stem2a, layer.stem2b, layer.stem3, layer.stem4):
        take(stem)
    for block in layer.blocks:
        for part in (block.depthwise, *((block.reduce, block.excite) if block.squeezes else ())):
            take(part)
        take(block.expand)
        take(block.project)
    if left:
        raise ValueError(f"{len(left)} convolutions have no place in the backbone. Received: {published.path}")


def published_features(published: PublishedBackbone, images: np.ndarray) -> np.ndarray:
    """What the file's own network, run by ONNX Runtime, makes of (n, 32, W, 1) images: (n, W / 4, width)."""
    onnx = require("onnx", "Importing PP-OCR's backbone", "onnx")
    runtime = require("onnxruntime", "Importing PP-OCR's backbone", "onnx")
    model = onnx.load(published.path)
    model.graph.output.append(onnx.helper.make_empty_tensor_value_info(published.output))
    session = runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    rows = np.einsum("hr,brwc->bchw", axis_weights(images.shape[1], ROWS), images)
    colours = np.repeat(rows, 3, axis=1).astype(np.float32)
    [features] = session.run([published.output], {session.get_inputs()[0].name: colours})
    return features.mean(axis=2).transpose(0, 2, 1)


def import_backbone(
    path: str, output: str | os.PathLike[str], charset: Charset | None = None
) -> tuple[SPINRecognizer, float]:
    """Writes a start for training: the published backbone, all else fresh, once its features have been compared.

    Args:
        path: PP-OCR's recognition file.
        output: the .keras file to write; its configuration goes beside it, as a `.yaml` of the same name.
        charset: what the model will read; the 94 characters of ASCII by default.

    Returns:
        the model, and the largest difference of its features from those of the file's own run.

    Raises:
        ValueError: the file is another network, or features differ by more than 1e-4; nothing is written.
    """
    published = read_backbone(path)
    charset = charset or Charset.from_spec("94")
    config = ModelConfig(
        name="spin_lc",
        image_size=[32, 128],
        charset=charset.spec,
        transformation=TransformationConfig(localization_width=16),
        backbone=BackboneConfig("lcnet", published.width, published.num_blocks),
        encoder=EncoderConfig(128, [128, 128]),
        decoder=DecoderConfig(128),
    )
    model = SPINRecognizer(config, charset=charset.to_dict())
    assert isinstance(model.backbone, LCNet)
    assign(model.backbone, published)
    output = pathlib.Path(output)
    with written_when_proven(model, output) as unproven:
        difference = _difference(unproven, published, model.image_size)
        if not difference <= FEATURE_TOLERANCE:
            raise ValueError(
                f"the imported backbone's features differ from the file's by {difference:.1e}, more than "
                f"{FEATURE_TOLERANCE:.0e}; not written. Received: {path}"
            )
    training = TrainingConfig(init_from=os.path.abspath(output))
    save(Config(model=config, training=training), os.fspath(output.with_suffix(".yaml")))
    return model, difference


def _difference(path: pathlib.Path, published: PublishedBackbone, image_size: tuple[int, int]) -> float:
    words = drawn_words(image_size=image_size)
    noise = np.random.default_rng(0).uniform(-0.9, 0.9, (1, *words.shape[1:])).astype(np.float32)
    images = np.concatenate([words, noise])
    ours = np.asarray(load_model(path).backbone(images))
    return float(np.abs(ours - published_features(published, images)).max())
