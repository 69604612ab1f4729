"""The configuration: a dataclass schema, filled from YAML and overrides, checked before any work starts."""

from __future__ import annotations

import copy
import dataclasses
import typing
from dataclasses import dataclass, field
from typing import Any

TRANSFORMATIONS = ("none", "tps", "spn", "spin", "ga_spn", "ga_spin")


@dataclass
class TransformationConfig:
    """Rectification in front of the backbone; the defaults are the paper's GA-SPIN.

    Args:
        name: one of none, tps, spn (no offsets), spin (SPN + AIN), ga_spn (SPN + TPS), ga_spin (SPN + AIN + TPS).
        num_power_pairs: K; the structure-preserving transformation has 2K + 1 exponents.
        num_control_points: F, even: half of the points on the upper edge, half on the lower.
        localization_width: channels of the first localisation convolution (32 in the paper).
        align_corners: sampling convention; False is the paper's meaning, True PaddleOCR's.
        localization_norm: "batch", or "scale_shift" (stored statistics are used while training too, as in PaddleOCR).
        instance_norm_affine: a learned scale and bias after the instance norm (PaddleOCR) or none (DAVAR-Lab-OCR).
        initial_control_points: "identity", or "slanted" (both published codes).
        extra_rows: PaddleOCR's untrained dense layer behind the three affine rows of the thin-plate spline.
    """

    name: str = "ga_spin"
    num_power_pairs: int = 6
    num_control_points: int = 20
    localization_width: int = 32
    align_corners: bool = False
    localization_norm: str = "batch"
    instance_norm_affine: bool = True
    initial_control_points: str = "identity"
    extra_rows: bool = False


@dataclass
class BackboneConfig:
    """ResNet32 of FAN: `width` is the paper's c = 512, `num_blocks` the residual blocks of its four stages."""

    width: int = 512
    num_blocks: list[int] = field(default_factory=lambda: [1, 2, 5, 3])


@dataclass
class EncoderConfig:
    """Stacked bidirectional LSTMs, each followed by a dense layer of `features[i]` outputs.

    None scales with the backbone: units = width / 2, features = [width / 2, width].
    """

    units: int | None = None
    features: list[int] | None = None


@dataclass
class DecoderConfig:
    """Attention decoder: `units` of its LSTM cell and of the attention's hidden layer; None is half the backbone's width."""

    units: int | None = None


@dataclass
class ModelConfig:
    """Everything that determines a model's weights and what they mean.

    Args:
        name: written into exported files.
        image_size: (height, width) of the network's input.
        charset: see `spin_tf.charset.Charset.from_spec`.
        max_length: the longest word in characters; the decoder takes one step more, for the end.
    """

    name: str = "spin"
    image_size: list[int] = field(default_factory=lambda: [32, 100])
    charset: str = "36"
    max_length: int = 25
    transformation: TransformationConfig = field(default_factory=TransformationConfig)
    backbone: BackboneConfig = field(default_factory=BackboneConfig)
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    decoder: DecoderConfig = field(default_factory=DecoderConfig)


PRESETS: dict[str, dict[str, Any]] = {
    "paddle_parity": {
        "align_corners": True,
        "localization_norm": "scale_shift",
        "instance_norm_affine": True,
        "initial_control_points": "slanted",
        "extra_rows": True,
    },
    "davar_parity": {
        "align_corners": False,
        "localization_norm": "batch",
        "instance_norm_affine": False,
        "initial_control_points": "slanted",
        "extra_rows": False,
    },
}


def from_dict(schema: type, values: dict[str, Any], path: str = "") -> Any:
    """Fills a dataclass from nested dicts; unknown keys and wrong types are errors that name the key.

    Raises:
        ValueError: names the key, the value, and what is allowed.
    """
    hints = typing.get_type_hints(schema)
    names = [f.name for f in dataclasses.fields(schema)]
    unknown = sorted(set(values) - set(names))
    if unknown:
        raise ValueError(f"unknown configuration key {path}{unknown[0]}; allowed here: {', '.join(names)}. "
                         f"Received: {path}{unknown[0]}={values[unknown[0]]!r}")
    return schema(**{key: _convert(hints[key], value, f"{path}{key}") for key, value in values.items()})


def _convert(hint: Any, value: Any, path: str) -> Any:
    if dataclasses.is_dataclass(hint):
        if not isinstance(value, dict):
            raise ValueError(f"{path} must be a mapping. Received: {path}={value!r}")
        return from_dict(typing.cast(type, hint), value, f"{path}.")
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is list:
        if not isinstance(value, list | tuple):
            raise ValueError(f"{path} must be a list. Received: {path}={value!r}")
        return [_convert(arguments[0], item, f"{path}[{i}]") for i, item in enumerate(value)]
    if origin is dict:
        if not isinstance(value, dict):
            raise ValueError(f"{path} must be a mapping. Received: {path}={value!r}")
        return {str(key): _convert(arguments[1], item, f"{path}.{key}") for key, item in value.items()}
    if type(None) in arguments:
        return None if value is None else _convert(arguments[0], value, path)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if hint is Any or (isinstance(value, hint) and (hint is bool or not isinstance(value, bool))):
        return value
    raise ValueError(f"{path} must be {hint.__name__}. Received: {path}={value!r}")


def validate_model(config: ModelConfig) -> ModelConfig:
    """Checks what types cannot say, and returns a copy in which nothing is left to be derived.

    Raises:
        ValueError: names the key, the value, and what is allowed.
    """
    t = config.transformation
    _allow("model.transformation.name", t.name, TRANSFORMATIONS)
    _allow("model.transformation.localization_norm", t.localization_norm, ("batch", "scale_shift"))
    _allow("model.transformation.initial_control_points", t.initial_control_points, ("identity", "slanted"))
    _positive("model.transformation.num_power_pairs", t.num_power_pairs)
    _positive("model.transformation.localization_width", t.localization_width)
    if t.num_control_points < 4 or t.num_control_points % 2:
        raise ValueError("model.transformation.num_control_points must be even and at least 4. "
                         f"Received: {t.num_control_points}")
    if len(config.image_size) != 2 or config.image_size[0] != 32 or config.image_size[1] < 32 or config.image_size[1] % 4:
        raise ValueError("model.image_size must be [32, width] with a width of at least 32, divisible by 4. "
                         f"Received: {config.image_size}")
    if config.backbone.width < 16 or config.backbone.width % 16:
        raise ValueError(f"model.backbone.width must be a multiple of 16. Received: {config.backbone.width}")
    if len(config.backbone.num_blocks) != 4 or min(config.backbone.num_blocks) < 1:
        raise ValueError("model.backbone.num_blocks must be four numbers of at least 1. "
                         f"Received: {config.backbone.num_blocks}")
    config = copy.deepcopy(config)
    half = config.backbone.width // 2
    if config.encoder.units is None:
        config.encoder.units = half
    if config.encoder.features is None:
        config.encoder.features = [half, config.backbone.width]
    if config.decoder.units is None:
        config.decoder.units = half
    if not config.encoder.features:
        raise ValueError("model.encoder.features must name at least one layer. Received: []")
    for name, value in [("encoder.units", config.encoder.units), ("decoder.units", config.decoder.units),
                        ("max_length", config.max_length), *(("encoder.features", f) for f in config.encoder.features)]:
        _positive(f"model.{name}", value)
    return config


def _allow(name: str, value: Any, allowed: tuple[Any, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(str, allowed))}. Received: {value!r}")


def _positive(name: str, value: float) -> None:
    if value <= 0:
        raise ValueError(f"{name} must be positive. Received: {value!r}")
