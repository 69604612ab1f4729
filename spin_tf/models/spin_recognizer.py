from __future__ import annotations

import dataclasses
import os
import threading
import types
from typing import Any

import keras
import numpy as np
from keras import ops

from spin_tf._types import JsonObject, Shape, Tensor
from spin_tf._version import __version__
from spin_tf.charset import Charset
from spin_tf.config import ModelConfig, from_dict, validate_model
from spin_tf.layers import AttentionDecoder
from spin_tf.models.backbone import ResNet32
from spin_tf.models.lcnet import LCNet
from spin_tf.models.sequence_encoder import SequenceEncoder
from spin_tf.models.transformation import Transformation


@keras.saving.register_keras_serializable("spin_tf")
class SPINRecognizer(keras.Model):
    """The whole recogniser: transformation, backbone, sequence encoder, attention decoder.

    Args:
        config: a `ModelConfig` or the same as nested dicts.
        charset: the `Charset` as a dict; by default the one that `config.charset` names. A saved model carries it.
        synchronized: batch statistics over all replicas of a tf.distribute strategy.
        version: the spin_tf that made the model; a saved model carries it.
        temperature: divides the logits of a reading, so that its confidence is the share of words that are right:
            fitted by `bin/calibrate.py`, kept in every artefact, not used in training.

    Call arguments:
        images: (batch, 32, W, 1) in [-1, 1]; W is that of the model's image_size, or of its wide_image_size.
        previous: (batch, steps) int token ids: teacher forcing. Without it the model reads greedily.

    Returns:
        with `previous`: logits (batch, steps, vocabulary_size) float32. Without: a dict of probabilities
        (batch, max_length + 1, vocabulary_size) and positions (batch, max_length + 1), the centre of attention of each
        step across the crop in 0..1 (mapped back through the rectification).

    Raises:
        ValueError: for a configuration that is not allowed; names the key.

    Example:
        >>> model = SPINRecognizer({"backbone": {"width": 128}})
        >>> model(np.zeros((1, 32, 100, 1), "float32"))["probabilities"].shape
        (1, 26, 38)

    Reference: Zhang et al., "SPIN", AAAI 2021, arXiv 2005.13117.
    """

    def __init__(
        self,
        config: ModelConfig | JsonObject | None = None,
        charset: JsonObject | None = None,
        synchronized: bool = False,
        version: str = __version__,
        temperature: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        filled: ModelConfig = (
            config if isinstance(config, ModelConfig) else from_dict(ModelConfig, config or {}, "model.")
        )
        config = validate_model(filled)
        # Kept as plain values: Keras would wrap a dataclass's lists.
        self.config = dataclasses.asdict(config)
        self.charset = Charset.from_dict(charset) if charset else Charset.from_spec(config.charset)
        self.synchronized = synchronized
        self.version = version
        self.preprocessing = config.preprocessing
        self.image_size, self.wide_image_size = self.preprocessing[:2]
        self.num_steps = config.max_length + 1
        policy = self.dtype_policy
        self.transformation = None
        if config.transformation.name != "none":
            self.transformation = Transformation(
                dataclasses.asdict(config.transformation),
                self.image_size,
                synchronized,
                dtype=policy,
                name="transformation",
            )
        backbone = config.backbone
        common: JsonObject = {"dtype": policy, "name": "backbone"}
        self.backbone: ResNet32 | LCNet
        if backbone.name == "lcnet":
            self.backbone = LCNet(backbone.width, backbone.num_blocks, **common)
        else:
            self.backbone = ResNet32(backbone.width, backbone.num_blocks, synchronized, **common)
        self.encoder = SequenceEncoder(**dataclasses.asdict(config.encoder), dtype=policy, name="encoder")
        self.decoder = AttentionDecoder(
            len(self.charset.characters) + 2,
            num_steps=self.num_steps,
            temperature=temperature,
            **dataclasses.asdict(config.decoder),
            dtype=policy,
            name="decoder",
        )
        # Held by an object that Keras does not track, and save, with the model.
        self._graphs = types.SimpleNamespace(by_width={}, lock=threading.Lock())
        self.build((None, *self.image_size, 1))

    @classmethod
    def from_preset(cls, preset: str | os.PathLike[str], load_weights: bool = True) -> SPINRecognizer:
        """A model that is trained already, as KerasHub's models are made.

        Args:
            preset: the name of weights that travel with the package (the folders of exported/weights), or what
                `spin_tf.models.load_model` takes.
            load_weights: False gives the same architecture with fresh weights.

        Raises:
            FileNotFoundError: there are no such weights; names those that there are.
            ValueError: what is there is no model of this package.

        Example:
            >>> model = SPINRecognizer.from_preset("spin_latin")
        """
        # Not above: loading makes models of this class.
        from spin_tf.models.loading import load_model

        model = load_model(preset)
        if load_weights:
            return model
        return cls(model.config, model.charset.to_dict(), temperature=1.0, name=model.name)

    def build(self, input_shape: Shape) -> None:
        if self.built:  # type: ignore[has-type]
            return
        image_shape = (None, *self.image_size, 1)
        if self.transformation is not None:
            self.transformation.build(image_shape)
        self.backbone.build(image_shape)
        shape = self.backbone.compute_output_shape(image_shape)
        self.encoder.build(shape)
        self.decoder.build(self.encoder.compute_output_shape(shape))
        self.built = True

    @property
    def temperature(self) -> float:
        return self.decoder.temperature

    @temperature.setter
    def temperature(self, value: float) -> None:
        if not value > 0:
            raise ValueError(f"temperature must be above 0. Received: temperature={value}")
        self.decoder.temperature = float(value)
        # Graphs that were traced hold the old one.
        self.predict_function = None
        self._graphs.by_width = {}

    def rectify(self, images: Tensor, training: bool = False) -> dict[str, Tensor]:
        """What the transformation makes of (batch, 32, W, 1) images: see `Transformation`; only `image` without one."""
        if self.transformation is None:
            return {"image": images}
        return self.transformation(images, training=training)

    def encode(self, images: Tensor, training: bool = False) -> Tensor:
        """Rectified images (batch, 32, W, 1) to encoder states (batch, time, features)."""
        return self.encoder(self.backbone(images, training=training))

    def read(self, images: Tensor, stop_at_end: bool = False) -> dict[str, Tensor]:
        """Greedy reading; see `AttentionDecoder.decode`.

        Returns:
            dict of probabilities, positions (as from calling the model) and attention (batch, steps, time).
        """
        rectified = self.rectify(images)
        probabilities, attention = self.decoder.decode(self.encode(rectified["image"]), stop_at_end)
        centres = self._column_centres(rectified)
        positions = ops.clip(ops.sum(attention * centres[:, None], axis=-1), 0.0, 1.0)
        return {"probabilities": probabilities, "positions": positions, "attention": attention}

    def start_words(self, images: Tensor) -> dict[str, Tensor]:
        """What decoding outside of the graph starts with; see `AttentionDecoder.step` for how it goes on.

        Args:
            images: (batch, 32, W, 1) in [-1, 1].

        Returns:
            dict of float32 states (batch, time, features), projected (batch, time, units) and centres (batch, time):
            where across the crop each time step looks, so that a position is sum(attention * centres) within 0..1.
        """
        rectified = self.rectify(images)
        started = self.decoder.start(self.encode(rectified["image"]))
        centres = self._column_centres(rectified)
        return {**started, "centres": ops.broadcast_to(centres, ops.shape(started["states"])[:2])}

    def _column_centres(self, rectified: dict[str, Tensor]) -> Tensor:
        """(batch or 1, time): where across the crop, 0..1, the centre of each time step's receptive field lies."""
        grid, width = rectified.get("grid"), rectified["image"].shape[2]
        edges = self.backbone.step_centres(width)
        if grid is None:
            return ops.convert_to_tensor(edges[None] / width, dtype="float32")
        left, right = np.clip(edges - 1, 0, width - 1), np.clip(edges, 0, width - 1)
        between = 0.5 * (np.eye(width)[left.astype(int)] + np.eye(width)[right.astype(int)])
        middle = self.image_size[0] // 2
        across = 0.5 * (grid[:, middle - 1, :, 0] + grid[:, middle, :, 0])
        return (ops.matmul(across, between.T.astype("float32")) + 1.0) * 0.5

    def call(self, images: Tensor, previous: Tensor = None, training: bool = False) -> Tensor:
        if previous is None:
            result = self.read(images)
            return {key: result[key] for key in ("probabilities", "positions")}
        return self.decoder(self.encode(self.rectify(images, training)["image"], training), previous)

    @property
    def metadata(self) -> JsonObject:
        """What every artefact of this model carries: charset, size, longest word, version."""
        return {
            "format": 1,
            "spin_tf_version": self.version,
            "name": self.config["name"],
            "charset": self.charset.to_dict(),
            "preprocessing": self.preprocessing.number,
            "image_size": list(self.image_size),
            **({"wide_image_size": list(self.wide_image_size)} if self.wide_image_size else {}),
            "max_length": self.config["max_length"],
            "temperature": self.temperature,
            "model": {key: value for key, value in self.config.items() if key != "charset"},
        }

    def predict_words(self, images: np.ndarray, batch_size: int = 64) -> tuple[np.ndarray, np.ndarray]:
        """Reads a numpy batch greedily.

        Args:
            images: (n, 32, W, 1) float32 in [-1, 1], all of one width.
            batch_size: images at a time.

        Returns:
            probabilities (n, steps, classes) and positions (n, steps), float32.
        """
        results = []
        for start in range(0, len(images), batch_size):
            batch = images[start : start + batch_size]
            # One graph for all: the last batch is filled up.
            filled = np.concatenate([batch, np.zeros((batch_size - len(batch), *batch.shape[1:]), batch.dtype)])
            output = self._predict(filled if len(images) > batch_size else batch)
            results.append([np.asarray(output[key], "float32")[: len(batch)] for key in ("probabilities", "positions")])
        if not results:
            classes = len(self.charset.characters) + 2
            return np.zeros((0, self.num_steps, classes), "float32"), np.zeros((0, self.num_steps), "float32")
        probabilities, positions = zip(*results, strict=True)
        return np.concatenate(probabilities), np.concatenate(positions)

    def _predict(self, images: np.ndarray) -> dict[str, Tensor]:
        # Keras would make one graph of unknown width for two that are known, which the transformation cannot run; and
        # it keeps the graph in an attribute, which a thread that reads another width must not exchange meanwhile.
        width = images.shape[2]
        with self._graphs.lock:
            self.predict_function = self._graphs.by_width.get(width)
            output = self.predict_on_batch(images)
            self._graphs.by_width[width] = self.predict_function
        return output

    def get_config(self) -> JsonObject:
        return {
            **super().get_config(),
            "config": self.config,
            "charset": self.charset.to_dict(),
            "synchronized": self.synchronized,
            "version": self.version,
            "temperature": self.temperature,
        }
