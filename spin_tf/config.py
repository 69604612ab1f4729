"""The configuration: a dataclass schema, filled from YAML and overrides, checked before any work starts."""

from __future__ import annotations

import copy
import dataclasses
import os
import typing
from dataclasses import dataclass, field
from typing import Any

from spin_tf._extras import require

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


@dataclass
class SourceConfig:
    """One source of training words.

    Args:
        files: paths or glob patterns of TFRecords.
        weight: its share in a batch, in proportion to the other sources' weights.
        final_weight: the weight at the last step, reached linearly; None keeps `weight`.
        augmentation: strength of the augmentation, 0 (none) to 1.
    """

    files: list[str] = field(default_factory=list)
    weight: float = 1.0
    final_weight: float | None = None
    augmentation: float = 1.0


@dataclass
class DataConfig:
    """What is trained and validated on: sources by name; on_corrupt: "raise" or "skip" what a broken shard has lost."""

    train: dict[str, SourceConfig] = field(default_factory=dict)
    validation: dict[str, list[str]] = field(default_factory=dict)
    on_corrupt: str = "raise"


@dataclass
class OptimizerConfig:
    """AdamW and its schedule.

    Args:
        learning_rate: the highest.
        schedule: "cosine" (to `final_factor` of it) or "piecewise" (times `factor` at each of `boundaries`).
        warmup_steps: linear rise from 0.
        boundaries: fractions of all steps, for "piecewise"; the paper drops by 0.3 at epochs 3, 4 and 5 of 6.
        loc_lr: factor for the localisation network's last layer.
        weight_decay: not applied to biases, norms and the localisation output.
        clip_norm: bound of the gradient's global norm.
        ema: decay of the moving average that validation and shipped weights use; 0 turns it off.
    """

    learning_rate: float = 1e-3
    schedule: str = "cosine"
    warmup_steps: int = 500
    boundaries: list[float] = field(default_factory=lambda: [0.5, 0.667, 0.833])
    factor: float = 0.3
    final_factor: float = 0.01
    beta_1: float = 0.9
    beta_2: float = 0.999
    loc_lr: float = 0.1
    weight_decay: float = 0.0
    clip_norm: float = 5.0
    ema: float = 0.0


@dataclass
class TrainingConfig:
    """One run.

    Args:
        steps: optimizer steps in all.
        batch_size: global: over all replicas.
        dtype: Keras's policy: float32, mixed_bfloat16 or mixed_float16.
        label_smoothing: share of the target spread over all tokens.
        validate_every, checkpoint_every, log_every: in steps.
        init_from: a .keras file or model_dir to start from; rows of characters that both charsets have are kept.
        seed: of the initial weights, the order of the words and the augmentation.
        explode: a loss above this many times its running mean stops the run; 0 turns the guard off.
    """

    steps: int = 10000
    batch_size: int = 64
    seed: int = 0
    dtype: str = "float32"
    label_smoothing: float = 0.0
    validate_every: int = 1000
    checkpoint_every: int = 500
    log_every: int = 20
    init_from: str | None = None
    explode: float = 10.0
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)


@dataclass
class Config:
    """The whole configuration file."""

    model: ModelConfig = field(default_factory=ModelConfig)
    data: DataConfig = field(default_factory=DataConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)


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


def load(path: str, overrides: list[str] | tuple[str, ...] = ()) -> Config:
    """Reads a YAML file, applies `key=value` overrides (dotted keys), and checks everything.

    `model.transformation.preset: paddle_parity` (or another of `PRESETS`) fills in what the file leaves open.

    Raises:
        ValueError: names the key, the value, and what is allowed.
        FileNotFoundError: there is no such file.
    """
    omegaconf = require("omegaconf", "Training", "train")
    if not os.path.exists(path):
        raise FileNotFoundError(f"there is no such configuration. Received: {path}")
    for override in overrides:
        if "=" not in override:
            raise ValueError(f"an override has the form key=value. Received: {override!r}")
    merged = omegaconf.OmegaConf.merge(
        omegaconf.OmegaConf.load(path), omegaconf.OmegaConf.from_dotlist(list(overrides))
    )
    values = omegaconf.OmegaConf.to_container(merged, resolve=True)
    transformation = (values.get("model") or {}).get("transformation") or {}
    if "preset" in transformation:
        preset = transformation.pop("preset")
        _allow("model.transformation.preset", preset, tuple(PRESETS))
        values["model"]["transformation"] = {**PRESETS[preset], **transformation}
    return validate(from_dict(Config, values))


def save(config: Config, path: str) -> None:
    """Writes the resolved configuration as YAML."""
    omegaconf = require("omegaconf", "Training", "train")
    omegaconf.OmegaConf.save(omegaconf.OmegaConf.create(dataclasses.asdict(config)), path)


def validate(config: Config) -> Config:
    """Checks what types cannot say; see `validate_model`.

    Raises:
        ValueError: names the key, the value, and what is allowed.
    """
    config = dataclasses.replace(config, model=validate_model(config.model))
    training, optimizer = config.training, config.training.optimizer
    _allow("data.on_corrupt", config.data.on_corrupt, ("raise", "skip"))
    _allow("training.dtype", training.dtype, ("float32", "mixed_bfloat16", "mixed_float16"))
    _allow("training.optimizer.schedule", optimizer.schedule, ("cosine", "piecewise"))
    for name in ("steps", "batch_size", "validate_every", "checkpoint_every", "log_every"):
        _positive(f"training.{name}", getattr(training, name))
    _positive("training.optimizer.learning_rate", optimizer.learning_rate)
    _positive("training.optimizer.clip_norm", optimizer.clip_norm)
    for name, value, top in [
        ("training.label_smoothing", training.label_smoothing, 1.0),
        ("training.optimizer.ema", optimizer.ema, 1.0),
    ]:
        if not 0 <= value < top:
            raise ValueError(f"{name} must be in [0, {top:g}). Received: {value!r}")
    for name, source in config.data.train.items():
        weights = [source.weight, source.weight if source.final_weight is None else source.final_weight]
        if min(weights) < 0 or max(weights) <= 0:
            raise ValueError(f"data.train.{name}.weight must not be negative, nor always 0. Received: {weights}")
        if not 0 <= source.augmentation <= 1:
            raise ValueError(f"data.train.{name}.augmentation must be in [0, 1]. Received: {source.augmentation!r}")
        if not source.files:
            raise ValueError(f"data.train.{name}.files must name files. Received: []")
    return config


def from_dict(schema: type, values: dict[str, Any], path: str = "") -> Any:
    """Fills a dataclass from nested dicts; unknown keys and wrong types are errors that name the key.

    Raises:
        ValueError: names the key, the value, and what is allowed.
    """
    hints = typing.get_type_hints(schema)
    names = [f.name for f in dataclasses.fields(schema)]
    unknown = sorted(set(values) - set(names))
    if unknown:
        raise ValueError(
            f"unknown configuration key {path}{unknown[0]}; allowed here: {', '.join(names)}. "
            f"Received: {path}{unknown[0]}={values[unknown[0]]!r}"
        )
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
        raise ValueError(
            f"model.transformation.num_control_points must be even and at least 4. Received: {t.num_control_points}"
        )
    if (
        len(config.image_size) != 2
        or config.image_size[0] != 32
        or config.image_size[1] < 32
        or config.image_size[1] % 4
    ):
        raise ValueError(
            "model.image_size must be [32, width] with a width of at least 32, divisible by 4. "
            f"Received: {config.image_size}"
        )
    if config.backbone.width < 16 or config.backbone.width % 16:
        raise ValueError(f"model.backbone.width must be a multiple of 16. Received: {config.backbone.width}")
    if len(config.backbone.num_blocks) != 4 or min(config.backbone.num_blocks) < 1:
        raise ValueError(
            f"model.backbone.num_blocks must be four numbers of at least 1. Received: {config.backbone.num_blocks}"
        )
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
    for name, value in [
        ("encoder.units", config.encoder.units),
        ("decoder.units", config.decoder.units),
        ("max_length", config.max_length),
        *(("encoder.features", f) for f in config.encoder.features),
    ]:
        _positive(f"model.{name}", value)
    return config


def _allow(name: str, value: Any, allowed: tuple[Any, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(str, allowed))}. Received: {value!r}")


def _positive(name: str, value: float) -> None:
    if value <= 0:
        raise ValueError(f"{name} must be positive. Received: {value!r}")
